"""Messages of alerts as they stand, dead letters among them; and sending them once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from bellwether.adapters.postgres.alerts import wake_senders
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.domain.errors import Conflict, UnknownMessage
from bellwether.domain.keys import Caller
from bellwether_api.alert_endpoints import existing, whole_tenant
from bellwether_api.alert_shapes import MessageOut, MessagePage, MessageState, Replayed, ToldOut
from bellwether_api.database import changing, reading
from bellwether_api.moments import moment_at

_COLUMNS = "message_id, endpoint_id, seq, state, attempts, status, error, wanted_at, due_at, delivered_at"
_ENDPOINT = "SELECT disabled_at IS NOT NULL AS disabled FROM alert_endpoint WHERE tenant_id = $1 AND endpoint_id = $2"
_PAGE = f"""
    SELECT {_COLUMNS} FROM alert_message
    WHERE endpoint_id = $1 AND seq < $2 AND ($3::text IS NULL OR state = $3) ORDER BY seq DESC LIMIT $4
"""
_TOLD = """
    SELECT d.message_id, a.alert_id, a.kind, b.slug, a.incident_id, a.severity, a.title, a.at
    FROM alert_delivery d JOIN alert a USING (alert_id) LEFT JOIN brand b USING (brand_id)
    WHERE d.endpoint_id = $1 AND d.message_id = ANY($2) AND d.left_out = '' ORDER BY a.seq
"""
# What waits for its next attempt is sent now; what a sender holds is left to it.
_REPLAY = f"""
    UPDATE alert_message SET state = 'waiting', attempts = 0, due_at = now(), delivered_at = NULL
    WHERE endpoint_id = $1 AND ($2::text IS NULL AND state = 'dead' OR message_id = $2)
        AND (leased_until IS NULL OR leased_until <= now())
    RETURNING {_COLUMNS}
"""
_LAST = 2**62


class Which(NamedTuple):
    """Which messages. before: only those before this place; state: only those in it."""

    state: MessageState | None
    before: int | None
    limit: int


class Messages:
    """The messages of all tenants; each call is for one caller, whose key is for all brands."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, who: Caller, endpoint: str, which: Which) -> MessagePage:
        """Messages to an endpoint, the latest first. Raises UnknownEndpoint."""
        tenant_id = whole_tenant(who)
        async with reading(self._pool) as connection:
            await existing(connection, _ENDPOINT, tenant_id, endpoint)
            before = _LAST if which.before is None else which.before
            rows = await connection.fetch(_PAGE, endpoint, before, which.state, which.limit + 1)
            shown = rows[: which.limit]
            items = await _out(connection, endpoint, shown)
        return MessagePage(items, str(shown[-1]["seq"]) if len(rows) > which.limit else None)

    async def replay(self, who: Caller, endpoint: str, message: str) -> MessageOut:
        """Send a message once more, under its id, whatever became of it.

        Raises UnknownEndpoint, UnknownMessage also for one that is being sent, Conflict where the endpoint is disabled.
        """
        async with changing(self._pool) as connection:
            rows = await self._replay(connection, who, endpoint, message)
            if not rows:
                raise UnknownMessage
            (out,) = await _out(connection, endpoint, rows)
        return out

    async def replay_dead(self, who: Caller, endpoint: str) -> Replayed:
        """Send all dead letters of an endpoint once more. Raises UnknownEndpoint, Conflict where it is disabled."""
        async with changing(self._pool) as connection:
            return Replayed(len(await self._replay(connection, who, endpoint, None)))

    async def _replay(self, connection: Connection, who: Caller, endpoint: str, message: str | None) -> list[Row]:
        known = await existing(connection, _ENDPOINT, whole_tenant(who), endpoint)
        if known["disabled"]:
            raise Conflict("The endpoint is disabled; change that first.")
        rows = await connection.fetch(_REPLAY, endpoint, message)
        await wake_senders(connection)
        return rows


async def _out(connection: Connection, endpoint: str, rows: Sequence[Row]) -> list[MessageOut]:
    told: dict[str, list[ToldOut]] = {row["message_id"]: [] for row in rows}
    for message, *fields, at in await connection.fetch(_TOLD, endpoint, list(told)):
        told[message].append(_told(fields, at))
    return [_message(row, told[row["message_id"]]) for row in rows]


def _told(fields: Sequence[Any], at: int) -> ToldOut:
    names = "id", "kind", "brand", "incident", "severity", "title"
    return ToldOut(**dict(zip(names, fields, strict=True)), at=moment_at(at))


def _message(row: Row, told: list[ToldOut]) -> MessageOut:
    moments = row["wanted_at"], row["due_at"], row["delivered_at"]
    how = row["state"], row["attempts"], row["status"], row["error"]
    return MessageOut(row["message_id"], row["endpoint_id"], *how, *moments, told)


def parse_place(text: str) -> int:
    """The place that a cursor names. Raises ValueError for what no page told."""
    if not (text.isascii() and text.isdigit() and len(text) < len(str(_LAST))):
        raise ValueError("must be the `next` of a page")
    return int(text)
