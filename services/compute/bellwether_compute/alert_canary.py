"""A synthetic alert goes all the way that alerts go, every few seconds: while it arrives, alerts are delivered.

Whoever watches sees when it last arrived (`bellwether_alert_canary_last_success_timestamp_seconds`), or, outside of
everything, that the posts to an address of the operator's stay away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Final

import structlog

from bellwether.adapters.alerting import webhooks
from bellwether.adapters.alerting.addresses import destination
from bellwether.adapters.alerting.client import Client
from bellwether.adapters.alerting.messages import Address, Message, Outcome
from bellwether.adapters.postgres.alert_outbox import Leased
from bellwether.adapters.postgres.alert_watch import standing, write_canary
from bellwether.adapters.postgres.pool import Pool, is_transient
from bellwether.observability import metrics

log = structlog.get_logger(__name__)

CANARY: Final = "canary"
"""The type of the canary's endpoint."""
_LOOK_S: Final = 5.0


async def send_canary(client: Client, one: Leased, url: str | None) -> Outcome:
    """Post it where the operator wants it; where nowhere, that it came through the outbox is all that it proves."""
    outcome = Outcome()
    if url is not None:
        told = Message(one.message, CANARY, Address(url), "", "", one.alerts, one.course)
        outcome = await client.post(destination(url), webhooks.body(told), {"webhook-id": one.message})
    if not outcome.error:
        metrics.ALERT_CANARY_SUCCESS.set(time.time())
    return outcome


async def write_canaries(pool: Pool, every_s: int) -> None:
    """Write a canary every so many seconds, for ever."""
    while True:
        await _unless_away(write_canary(pool, int(time.time()), every_s))
        await asyncio.sleep(every_s)


async def watch_deliveries(pool: Pool) -> None:
    """Keep the metrics of what is not delivered, for ever."""
    while True:
        await _unless_away(_look(pool))
        await asyncio.sleep(_LOOK_S)


async def _look(pool: Pool) -> None:
    found = await standing(pool)
    metrics.ALERT_OLDEST.set(found.oldest_s)
    metrics.ALERT_DEAD_LETTERS.set(found.dead)
    metrics.ALERT_ENDPOINTS_DISABLED.set(found.disabled)
    metrics.INCIDENTS_UNATTENDED.set(found.unattended_s)


async def _unless_away(doing: Awaitable[None]) -> None:
    try:
        await doing
    except Exception as error:
        if not is_transient(error):
            raise
        log.info("alerts wait for Postgres", error=str(error) or type(error).__name__)
