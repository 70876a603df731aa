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
    (SELECT count(*) FROM alert_endpoint WHERE disabled_at IS NOT NULL) AS disabled
"""
_CANARY: Final = "UPDATE alert SET endpoint_id = 'canary' WHERE alert_id = $1 AND endpoint_id IS NULL"
_FORGET: Final = """
    WITH old AS (DELETE FROM alert_message WHERE endpoint_id = 'canary' AND created_at < now() - interval '1 hour'),
        older AS (DELETE FROM alert_delivery WHERE endpoint_id = 'canary' AND routed_at < now() - interval '1 hour')
    DELETE FROM alert WHERE kind = 'canary' AND brand_id = 0 AND written_at < now() - interval '1 hour'
"""


class Standing(NamedTuple):
    """How deliveries stand.

    oldest_s: for how long the oldest alert that should be out by now has not been; 0 where there is none
    dead: messages that were given up and not sent again
    disabled: endpoints that nothing is sent to
    """

    oldest_s: float
    dead: int
    disabled: int


async def standing(pool: Pool) -> Standing:
    """How deliveries of all tenants stand."""
    row = await pool.fetchrow(_OLDEST)
    assert row is not None  # noqa: S101 - a row of aggregates
    return Standing(*row)


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
