"""Messages that are to be sent: leased to senders, so that several share them and a dead one's are taken over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from bellwether.adapters.postgres.alert_routing import COLUMNS, DISABLED, alert_of, route_waiting
from bellwether.adapters.postgres.alerts import write_alerts
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.domain.alerts import ATTENDED, MOST_SEVERE, Alert, Kind, alert_id

LEASE_S: Final = 20.0
"""How long a sender has for a message; longer than any attempt takes, after it the message is another's."""
_LOCK: Final = "SELECT pg_advisory_xact_lock(4206128)"  # of all who route and lease; a number that nobody else takes
_ANYTHING: Final = """
    SELECT EXISTS (SELECT FROM alert WHERE routed_at IS NULL) OR EXISTS (
        SELECT FROM alert_message WHERE state = 'waiting' AND due_at <= now()
            AND (leased_until IS NULL OR leased_until <= now()))
"""
# Who attended to an incident need not be called when it grows, only when it begins again.
_UNNEEDED: Final = """
    UPDATE alert_message m SET state = 'unneeded'
    WHERE m.state = 'waiting' AND m.escalates AND m.attempts = 0 AND m.due_at <= now() AND EXISTS (
        SELECT FROM alert_delivery d JOIN alert a USING (alert_id)
        JOIN alert b ON b.brand_id = a.brand_id AND b.incident_id = a.incident_id
        WHERE d.endpoint_id = m.endpoint_id AND d.message_id = m.message_id AND b.kind = ANY($1)
            AND NOT EXISTS (
                SELECT FROM alert c WHERE c.brand_id = a.brand_id AND c.incident_id = a.incident_id
                    AND c.seq > b.seq AND c.seq <= a.seq
                    AND (c.kind = 'reopened' OR b.kind = 'merged' AND c.kind = 'split')))
"""
# An attempt of the last minute counts against the rate, and is the only one that a lease can be of.
_LEASE: Final = f"""
    WITH waiting AS (
        SELECT endpoint_id, message_id, row_number() OVER (PARTITION BY endpoint_id ORDER BY due_at, seq) AS place
        FROM alert_message
        WHERE state = 'waiting' AND due_at <= now() AND (leased_until IS NULL OR leased_until <= now())
    ), room AS (
        SELECT e.endpoint_id, least(e.per_minute - count(m.message_id),
            e.at_once - count(m.message_id) FILTER (WHERE m.leased_until > now())) AS free
        FROM alert_endpoint e
        LEFT JOIN alert_message m ON m.endpoint_id = e.endpoint_id AND m.attempted_at > now() - interval '1 minute'
        WHERE e.endpoint_id IN (SELECT endpoint_id FROM waiting)
            AND e.disabled_at IS NULL AND (e.not_before IS NULL OR e.not_before <= now())
        GROUP BY e.endpoint_id
    ), taken AS (
        SELECT endpoint_id, message_id FROM waiting JOIN room USING (endpoint_id) WHERE place <= free
        ORDER BY place LIMIT $2
    )
    UPDATE alert_message m SET attempts = attempts + 1, attempted_at = now(), leased_by = $1,
        leased_until = now() + {LEASE_S} * interval '1 second'
    FROM taken JOIN alert_endpoint e USING (endpoint_id)
    WHERE m.endpoint_id = taken.endpoint_id AND m.message_id = taken.message_id
    RETURNING m.endpoint_id, m.message_id, m.brand_id, m.escalates, m.attempts, e.type, e.sealed,
        CASE WHEN m.delivered_at IS NULL THEN extract(epoch FROM now() - m.wanted_at)::float8 END AS late_s,
        (SELECT slug FROM tenant t WHERE t.tenant_id = m.tenant_id) AS tenant,
        (SELECT slug FROM brand b WHERE b.brand_id = m.brand_id) AS brand
"""
_TELLS: Final = f"""
    SELECT d.endpoint_id AS receiver, d.message_id, {", ".join(f"a.{name}" for name in COLUMNS.split(", "))}
    FROM alert_delivery d JOIN alert a USING (alert_id)
    WHERE d.left_out = '' AND (d.endpoint_id, d.message_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
    ORDER BY a.seq
"""
_COURSES: Final = f"""
    SELECT {COLUMNS} FROM alert
    WHERE (brand_id, incident_id) IN (SELECT * FROM unnest($1::int[], $2::text[])) ORDER BY seq
"""
_OURS: Final = "endpoint_id = $1 AND message_id = $2 AND leased_by = $3 AND state = 'waiting'"
_DELIVERED: Final = f"""
    UPDATE alert_message SET state = CASE WHEN $5::float8 IS NULL THEN 'delivered' ELSE 'waiting' END, status = $4,
        error = NULL, delivered_at = coalesce(delivered_at, now()), leased_by = NULL, leased_until = NULL,
        attempts = CASE WHEN $5::float8 IS NULL THEN attempts ELSE 0 END,
        due_at = coalesce(now() + $5 * interval '1 second', due_at)
    WHERE {_OURS} RETURNING true
"""
_AGAIN: Final = f"""
    UPDATE alert_message SET status = $4, error = $5, due_at = now() + $6 * interval '1 second', leased_by = NULL,
        leased_until = NULL
    WHERE {_OURS} RETURNING true
"""
_DEAD: Final = f"""
    UPDATE alert_message SET state = 'dead', status = $4, error = $5, leased_by = NULL, leased_until = NULL
    WHERE {_OURS} RETURNING tenant_id, brand_id
"""
_WENT_WELL: Final = "UPDATE alert_endpoint SET delivered_at = now(), failed_at = NULL WHERE endpoint_id = $1"
_FAILED: Final = """
    UPDATE alert_endpoint SET failed_at = now(),
        not_before = CASE WHEN $2::float8 > 0 THEN now() + $2 * interval '1 second' ELSE not_before END
    WHERE endpoint_id = $1
"""
_DISABLE: Final = """
    UPDATE alert_endpoint SET disabled_at = now(), disabled_why = $2, failed_at = now(), updated_at = now(),
        version = version + 1
    WHERE endpoint_id = $1 AND disabled_at IS NULL RETURNING name
"""
_REST: Final = f"""
    UPDATE alert_message SET state = 'dead', error = '{DISABLED}'
    WHERE endpoint_id = $1 AND state = 'waiting' AND (leased_until IS NULL OR leased_until <= now())
"""


class Leased(NamedTuple):
    """A message that is ours for LEASE_S seconds.

    sealed: the endpoint's address and secrets
    tenant, brand: slugs, '' for what is of none
    course: all alerts of the incident so far; those of the message where it is of none
    late_s: since it was first wanted; None for what is told again
    """

    endpoint: str
    message: str
    type: str
    sealed: bytes
    tenant: str
    brand: str
    alerts: tuple[Alert, ...]
    course: tuple[Alert, ...]
    escalates: bool
    attempts: int
    lease: str
    late_s: float | None


async def lease(pool: Pool, name: str, most: int) -> list[Leased]:
    """Route what waits in the outbox, then take messages that are due: at most `most`, within the endpoints' limits.

    name: of this lease, which nobody had before
    """
    if not await pool.fetchval(_ANYTHING):
        return []
    async with pool.transaction() as connection:
        await connection.execute(_LOCK)
        await route_waiting(connection)
        await connection.execute(_UNNEEDED, sorted(kind.value for kind in ATTENDED))
    async with pool.transaction() as connection:  # a view of its own: what was routed above is due in it
        await connection.execute(_LOCK)
        taken = await connection.fetch(_LEASE, name, most)
        return await _leased(connection, taken, name) if taken else []


async def _leased(connection: Connection, taken: Sequence[Row], name: str) -> list[Leased]:
    tells = await connection.fetch(_TELLS, *map(list, zip(*((row[0], row[1]) for row in taken), strict=True)))
    incidents = sorted({(row["brand_id"], row["incident_id"]) for row in tells if row["incident_id"]})
    courses = await connection.fetch(_COURSES, [one[0] for one in incidents], [one[1] for one in incidents])
    course = [alert_of(row) for row in courses]
    return [
        _one(row, [tell for tell in tells if (tell[0], tell[1]) == (row[0], row[1])], course, name) for row in taken
    ]


def _one(row: Row, tells: Sequence[Row], courses: Sequence[Alert], name: str) -> Leased:
    alerts = tuple(alert_of(tell) for tell in tells)
    about = {(alert.brand_id, alert.incident) for alert in alerts if alert.incident}
    return Leased(
        endpoint=row["endpoint_id"],
        message=row["message_id"],
        type=row["type"],
        sealed=row["sealed"],
        tenant=row["tenant"] or "",
        brand=row["brand"] or "",
        alerts=alerts,
        course=tuple(one for one in courses if (one.brand_id, one.incident) in about) or alerts,
        escalates=row["escalates"],
        attempts=row["attempts"],
        lease=name,
        late_s=row["late_s"],
    )


async def delivered(pool: Pool, one: Leased, status: int | None, again_in_s: float | None) -> bool:
    """Note that a message arrived; it is sent again after `again_in_s` seconds, if any. False where it was not ours."""
    async with pool.transaction() as connection:
        ours = await connection.fetchval(_DELIVERED, *_place(one), status, again_in_s)
        if ours:
            await connection.execute(_WENT_WELL, one.endpoint)
    return bool(ours)


async def failed(
    pool: Pool, one: Leased, status: int | None, error: str, again_in_s: float, pause_s: float = 0.0
) -> None:
    """Note an attempt that failed; the next is in so many seconds, and for `pause_s` nothing goes to the endpoint."""
    async with pool.transaction() as connection:
        if await connection.fetchval(_AGAIN, *_place(one), status, error, again_in_s):
            await connection.execute(_FAILED, one.endpoint, pause_s)


async def given_up(pool: Pool, one: Leased, status: int | None, error: str, why: str, now: int) -> bool:
    """Put a message to the dead letters and disable its endpoint, and let the tenant's other endpoints tell of it.

    True where it was this that disabled it.
    """
    async with pool.transaction() as connection:
        row = await connection.fetchrow(_DEAD, *_place(one), status, error)
        name = await connection.fetchval(_DISABLE, one.endpoint, why) if row else None
        if row is None or name is None:
            return False
        await connection.execute(_REST, one.endpoint)
        await write_alerts(connection, [_undeliverable(row, one.endpoint, f"{name}: {why}", now)])
    return True


def _undeliverable(row: Row, endpoint: str, words: str, now: int) -> Alert:
    return Alert(
        id=alert_id(row["brand_id"], "", Kind.UNDELIVERABLE, now, endpoint),
        tenant_id=row["tenant_id"],
        brand_id=row["brand_id"],
        incident="",
        kind=Kind.UNDELIVERABLE,
        severity=MOST_SEVERE,
        at=now,
        title=f"Alerts no longer go to {words}",
    )


def _place(one: Leased) -> tuple[str, str, str]:
    return one.endpoint, one.message, one.lease
