"""From the outbox to messages: which endpoint gets which alert, as `bellwether.domain.alerts` decides it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.domain.alerts import Alert, Errand, Kind, Route, Told, errands

COLUMNS: Final = "alert_id, tenant_id, brand_id, incident_id, kind, severity, at, title, cut, onset, evidence"
_MOST: Final = 200
_LARGEST_GROUP: Final = 20
_UTC: Final = ZoneInfo("UTC")

_WAITING: Final = f"""
    SELECT {COLUMNS}, endpoint_id, floor(extract(epoch FROM now()))::bigint AS now
    FROM alert WHERE routed_at IS NULL ORDER BY seq LIMIT {_MOST}
"""
_ROUTES: Final = """
    SELECT route_id, tenant_id, brand_id, document FROM alert_route WHERE tenant_id = ANY($1) ORDER BY route_id
"""
_ENDPOINTS: Final = """
    SELECT endpoint_id, tenant_id, type, disabled_at IS NOT NULL AS disabled FROM alert_endpoint
    WHERE tenant_id = ANY($1)
"""
_ZONES: Final = "SELECT brand_id, time_zone FROM brand WHERE brand_id = ANY($1)"
_NOT_YET: Final = "not_yet"  # who is called only if nobody acknowledges has heard nothing so far
_TOLD: Final = f"""
    SELECT d.endpoint_id, d.route_id, a.incident_id, a.brand_id, a.cut, a.kind, a.severity,
        floor(extract(epoch FROM d.routed_at))::bigint AS at,
        CASE WHEN m.escalates AND m.attempts = 0 THEN '{_NOT_YET}' ELSE d.left_out END AS left_out
    FROM alert a JOIN alert_delivery d USING (alert_id)
    LEFT JOIN alert_message m ON (m.endpoint_id, m.message_id) = (d.endpoint_id, d.message_id)
    WHERE a.brand_id = ANY($1) AND (a.incident_id = ANY($2) OR d.routed_at > now() - $3 * interval '1 second')
"""
_JOIN: Final = f"""
    SELECT m.message_id FROM alert_message m
    WHERE m.endpoint_id = $1 AND m.group_key = $2 AND m.state = 'waiting' AND m.attempts = 0 AND m.due_at > now()
        AND (SELECT count(*) FROM alert_delivery d
             WHERE d.endpoint_id = m.endpoint_id AND d.message_id = m.message_id) < {_LARGEST_GROUP}
    ORDER BY m.seq LIMIT 1
"""
_MESSAGE: Final = """
    INSERT INTO alert_message (endpoint_id, message_id, tenant_id, brand_id, group_key, escalates, state, error,
        wanted_at, due_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8,
        CASE WHEN to_timestamp($9) <= now() THEN written_at ELSE to_timestamp($9) END, to_timestamp($9)
    FROM alert WHERE alert_id = $10 ON CONFLICT DO NOTHING
"""
_DELIVERY: Final = """
    INSERT INTO alert_delivery (endpoint_id, alert_id, message_id, route_id, left_out) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
"""
_ROUTED: Final = "UPDATE alert SET routed_at = now() WHERE alert_id = ANY($1)"
DISABLED: Final = "the endpoint is disabled"


class _Known(NamedTuple):
    """What decides about alerts. endpoints: by id, of which tenant, of what type, whether disabled."""

    routes: Mapping[int, Sequence[Route]]
    endpoints: Mapping[str, Row]
    zones: Mapping[int, ZoneInfo]


async def route_waiting(connection: Connection) -> int:
    """Turn all alerts that wait, up to 200, into messages; gives their number. Only one may do so at a time."""
    rows = await connection.fetch(_WAITING)
    if not rows:
        return 0
    now = rows[0]["now"]
    known = await _known(connection, rows)
    told = await _told(connection, rows, known)
    for row in rows:
        alert = alert_of(row)
        zone = known.zones.get(alert.brand_id, _UTC)
        only = row["endpoint_id"]
        mine = known.routes.get(alert.tenant_id, ())
        for errand in [Errand(only, "", now)] if only else errands(alert, mine, told, zone, now):
            endpoint = known.endpoints.get(errand.endpoint)
            if endpoint is not None and endpoint["tenant_id"] == alert.tenant_id:
                await _send_off(connection, alert, errand, endpoint)
                told.append(_as_told(alert, errand, now))
    await connection.execute(_ROUTED, [row["alert_id"] for row in rows])
    return len(rows)


def alert_of(row: Row) -> Alert:
    """An alert from `COLUMNS`."""
    return Alert(
        id=row["alert_id"],
        tenant_id=row["tenant_id"],
        brand_id=row["brand_id"],
        incident=row["incident_id"],
        kind=Kind(row["kind"]),
        severity=row["severity"],
        at=row["at"],
        title=row["title"],
        cut=row["cut"],
        onset=row["onset"],
        evidence=row["evidence"],
    )


def route_of(route_id: str, brand_id: int | None, document: str) -> Route:
    """A route from its columns."""
    told = msgspec.json.decode(document, type=dict[str, object])
    return msgspec.convert({**told, "id": route_id, "brand_id": brand_id}, Route)


async def _known(connection: Connection, rows: Iterable[Row]) -> _Known:
    tenants = sorted({row["tenant_id"] for row in rows})
    routes: dict[int, list[Route]] = {tenant: [] for tenant in tenants}
    for row in await connection.fetch(_ROUTES, tenants):
        routes[row["tenant_id"]].append(route_of(row["route_id"], row["brand_id"], row["document"]))
    endpoints = {row["endpoint_id"]: row for row in await connection.fetch(_ENDPOINTS, tenants)}
    zones = await connection.fetch(_ZONES, sorted({row["brand_id"] for row in rows}))
    return _Known(routes, endpoints, {row["brand_id"]: ZoneInfo(row["time_zone"]) for row in zones})


async def _told(connection: Connection, rows: Sequence[Row], known: _Known) -> list[Told]:
    longest = max((route.cool_down_s for mine in known.routes.values() for route in mine), default=0)
    brands = sorted({row["brand_id"] for row in rows if row["brand_id"]})
    incidents = sorted({row["incident_id"] for row in rows if row["incident_id"]})
    found = await connection.fetch(_TOLD, brands, incidents, longest)
    return [Told._make((*row[:5], Kind(row["kind"]), *row[6:])) for row in found]


def _as_told(alert: Alert, errand: Errand, now: int) -> Told:
    told = errand.endpoint, errand.route, alert.incident, alert.brand_id, alert.cut, alert.kind, alert.severity
    return Told(*told, now, _NOT_YET if errand.escalates else errand.left_out)


async def _send_off(connection: Connection, alert: Alert, errand: Errand, endpoint: Row) -> None:
    message = f"{alert.id}_unacknowledged" if errand.escalates else alert.id
    if not errand.left_out:
        # Alertmanager groups by itself, and is told states: an incident a message.
        group = "" if endpoint["type"] == "alertmanager" else errand.group
        joined = await connection.fetchval(_JOIN, errand.endpoint, group) if group else None
        message = joined or message
        if joined is None:
            state, error = ("dead", DISABLED) if endpoint["disabled"] else ("waiting", None)
            owner = alert.tenant_id, alert.brand_id, group, errand.escalates
            await connection.execute(_MESSAGE, errand.endpoint, message, *owner, state, error, errand.due, alert.id)
    await connection.execute(_DELIVERY, errand.endpoint, alert.id, message, errand.route, errand.left_out)
