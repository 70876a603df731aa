"""What tells whether alerts get out: how old the oldest is, what is dead, the canary; and what wakes senders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

import asyncpg

from bellwether.adapters.postgres.alerts import CHANNEL, write_alerts
from bellwether.adapters.postgres.pool import Connection, Pool, is_transient
from bellwether.domain.alerts import Alert, Kind, alert_id

_CONNECT_S: Final = 3.0
_ALIVE_S: Final = 5.0
_RETRY_S: Final = 1.0
# What waits for its hour, as in quiet hours, is not late; what is told again and again has arrived.
_OLDEST: Final = """
    SELECT coalesce(extract(epoch FROM now() - least(
        (SELECT min(written_at) FROM alert WHERE routed_at IS NULL),
        (SELECT min(m.wanted_at) FROM alert_message m JOIN alert_endpoint e USING (endpoint_id)
         WHERE m.state = 'waiting' AND m.delivered_at IS NULL AND m.wanted_at <= now() AND e.disabled_at IS NULL)
    ))::float8, 0) AS oldest_s,
    (SELECT count(*) FROM alert_message WHERE state = 'dead') AS dead,
    (SELECT count(*) FROM alert_endpoint WHERE disabled_at IS NOT NULL) AS disabled,
    coalesce((SELECT extract(epoch FROM now() - min(called_at)) FROM (
        SELECT max(a.written_at) AS called_at FROM incident i JOIN alert a USING (brand_id, incident_id)
        WHERE i.state = 'open' AND a.kind IN ('opened', 'reopened') GROUP BY i.brand_id, i.incident_id
    ) called)::float8, 0) AS unattended_s
"""
_CANARY: Final = "UPDATE alert SET endpoint_id = 'canary' WHERE alert_id = $1 AND endpoint_id IS NULL"
_FORGET: Final = """
    WITH old AS (DELETE FROM alert_message WHERE endpoint_id = 'canary' AND created_at < now() - interval '1 hour'),
        older AS (DELETE FROM alert_delivery WHERE endpoint_id = 'canary' AND routed_at < now() - interval '1 hour')
    DELETE FROM alert WHERE kind = 'canary' AND brand_id = 0 AND written_at < now() - interval '1 hour'
"""

# What a person may still want to send again stays, and all of an incident that may go on.
_FORGET_OLD: Final = """
    WITH old AS (
        SELECT a.alert_id FROM alert a
        WHERE a.written_at < to_timestamp($1) AND a.routed_at IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM alert b WHERE a.incident_id <> '' AND b.written_at >= to_timestamp($1)
                    AND (b.brand_id, b.incident_id) = (a.brand_id, a.incident_id))
            AND NOT EXISTS (
                SELECT FROM incident i WHERE (i.brand_id, i.incident_id) = (a.brand_id, a.incident_id)
                    AND i.state NOT IN ('resolved', 'merged'))
            AND NOT EXISTS (
                SELECT FROM alert_delivery d JOIN alert_message m USING (endpoint_id, message_id)
                WHERE d.alert_id = a.alert_id AND m.state IN ('waiting', 'dead'))
        LIMIT 1000
    ), given AS (
        DELETE FROM alert_delivery d USING old WHERE d.alert_id = old.alert_id RETURNING d.endpoint_id, d.message_id
    ), sent AS (
        DELETE FROM alert_message m USING given
        WHERE (m.endpoint_id, m.message_id) = (given.endpoint_id, given.message_id)
    )
    DELETE FROM alert USING old WHERE alert.alert_id = old.alert_id
"""


class Standing(NamedTuple):
    """How deliveries stand.

    oldest_s: for how long the oldest alert that should be out by now has not been; 0 where there is none
    dead: messages that were given up and not sent again
    disabled: endpoints that nothing is sent to
    unattended_s: since the longest open of the incidents that were alerted of was, without anybody having acknowledged
    """

    oldest_s: float
    dead: int
    disabled: int
    unattended_s: float


async def standing(pool: Pool) -> Standing:
    """How deliveries of all tenants stand."""
    row = await pool.fetchrow(_OLDEST)
    assert row is not None  # noqa: S101 - a row of aggregates
    return Standing(*row)


async def forget_alerts(pool: Pool, moment: int) -> int:
    """Delete alerts of incidents that are over and of which nothing was told since a moment (UTC seconds), with what
    was sent of them; gives how many alerts. Dead letters are kept.
    """
    forgotten = 0
    while (count := int((await pool.execute(_FORGET_OLD, moment)).rpartition(" ")[2])) > 0:
        forgotten += count
    return forgotten


async def write_canary(pool: Pool, now: int, every_s: int) -> None:
    """Write the canary of this span of `every_s` seconds, once whoever else writes it too; old ones are deleted."""
    at = now - now % every_s
    told = Alert(
        id=alert_id(0, "", Kind.CANARY, at),
        tenant_id=0,
        brand_id=0,
        incident="",
        kind=Kind.CANARY,
        severity=0.0,
        at=at,
        title="Alerts are delivered",
    )
    async with pool.transaction() as connection:
        await connection.execute(_FORGET)
        await write_alerts(connection, [told])
        await connection.execute(_CANARY, told.id)


async def write_to_endpoint(connection: Connection, alert: Alert, endpoint: str) -> None:
    """Put an alert into the outbox that goes to one endpoint, whatever routes say."""
    await write_alerts(connection, [alert])
    await connection.execute("UPDATE alert SET endpoint_id = $2 WHERE alert_id = $1", alert.id, endpoint)


async def listen(dsn: str, wake: Callable[[], None]) -> None:
    """Call `wake` whenever something is to be routed or sent, for ever; and each time that the connection is new."""
    while True:
        try:
            await _listen(dsn, wake)
        except Exception as error:
            if not is_transient(error):
                raise
        await asyncio.sleep(_RETRY_S)


async def _listen(dsn: str, wake: Callable[[], None]) -> None:
    settings = {"application_name": "bellwether-alerts"}
    async with asyncio.timeout(2 * _CONNECT_S):
        connection = await asyncpg.connect(
            dsn, timeout=_CONNECT_S, command_timeout=_CONNECT_S, server_settings=settings
        )
    try:
        async with asyncio.timeout(_CONNECT_S):
            await connection.add_listener(CHANNEL, lambda *_told: wake())
        wake()
        while True:  # a connection that is half open tells nothing, and is not noticed by itself
            await asyncio.sleep(_ALIVE_S)
            async with asyncio.timeout(_CONNECT_S):
                await connection.execute("SELECT 1")
    finally:
        connection.terminate()
