"""Delivers alerts: takes messages from the outbox as soon as they are due, sends them, notes how it went.

At least once: a message is leased, not taken, and whoever dies with it leaves it to the others. Its id stays the same.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from bellwether.adapters.alerting.client import Client
from bellwether.adapters.alerting.messages import Address, Message, Outcome
from bellwether.adapters.alerting.senders import SENDERS, repeats_in
from bellwether.adapters.postgres.alert_outbox import Leased, delivered, failed, given_up, lease
from bellwether.adapters.postgres.alert_watch import listen
from bellwether.adapters.postgres.pool import Pool, is_transient
from bellwether.adapters.sealing import Sealer
from bellwether.domain.alerts import retry_in
from bellwether.domain.errors import BellwetherError
from bellwether.observability import metrics
from bellwether_compute.alert_canary import CANARY, send_canary

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 64
_TICK_S: Final = 0.5
_BACKOFF_S: Final = 1.0
_EXHAUSTED: Final = "every attempt of its schedule failed"
_GONE: Final = "it answered 410 Gone"
_address = msgspec.json.Decoder(Address).decode


@dataclass(frozen=True)
class SenderSettings:
    """What a sender needs to know.

    dsn: of the database that the pool is of, for a connection that is told of new alerts
    name: of this process
    canary_url: where the canary goes; None for nowhere but through the outbox
    """

    dsn: str
    name: str
    canary_url: str | None = None


class AlertSender:
    """Sends what is due, at most 64 messages at once."""

    def __init__(self, settings: SenderSettings, pool: Pool, client: Client, sealer: Sealer) -> None:
        self._settings = settings
        self._pool = pool
        self._client = client
        self._sealer = sealer
        self._wake = asyncio.Event()
        self._sending = set[asyncio.Task[None]]()

    async def run(self) -> None:
        """Send for ever; what is in flight at the end is left to whoever comes next."""
        listening = asyncio.create_task(listen(self._settings.dsn, self._wake.set), name="alert-listener")
        listening.add_done_callback(_surface)
        try:
            while True:
                self._wake.clear()
                if not await self._round():
                    await self._wait()
        finally:
            for task in (listening, *self._sending):
                task.cancel()
            await asyncio.gather(listening, *self._sending, return_exceptions=True)

    async def _wait(self) -> None:
        # What becomes due by the clock alone wakes nobody.
        waiting = asyncio.ensure_future(self._wake.wait())
        await asyncio.wait([waiting], timeout=_TICK_S)
        waiting.cancel()

    async def _round(self) -> bool:
        """Start what is due; False where nothing was, or nothing can be done about it now."""
        free = _AT_ONCE - len(self._sending)
        if not free:
            return False
        try:
            taken = await lease(self._pool, f"{self._settings.name}/{secrets.token_hex(4)}", free)
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("alerts wait for Postgres", error=str(error) or type(error).__name__)
            await asyncio.sleep(_BACKOFF_S)
            return False
        for one in taken:
            self._start(self._send(one))
        return bool(taken)

    def _start(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending, name="alert")
        self._sending.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._wake.set()
        _surface(task)

    async def _send(self, one: Leased) -> None:
        began = time.monotonic()
        message, outcome = await self._try(one)
        try:
            if await self._note(one, message, outcome) and one.late_s is not None:
                metrics.ALERT_DELAY.observe(one.late_s + time.monotonic() - began)
        except Exception as error:
            if not is_transient(error):
                raise
            # Its lease runs out, and it is sent once more: the receiver knows it by its id.
            log.info("an alert's outcome waits for Postgres", error=str(error) or type(error).__name__)

    async def _try(self, one: Leased) -> tuple[Message | None, Outcome]:
        if one.type == CANARY:
            return None, await send_canary(self._client, one, self._settings.canary_url)
        try:
            message = _message(one, _address(self._sealer.open(one.sealed, one.endpoint)))
            return message, await SENDERS[one.type](self._client, message, int(time.time()))
        except BellwetherError as error:
            return None, Outcome(error=str(error))
        except Exception as error:  # noqa: BLE001 - whatever a receiver or a plugin does must end neither us nor its retries
            log.warning("an alert could not be sent", type=one.type, error=type(error).__name__)
            return None, Outcome(error="an error of ours")

    async def _note(self, one: Leased, message: Message | None, outcome: Outcome) -> bool:
        """Write down how it went; whether it is now known to have arrived."""
        result = await self._result(one, message, outcome)
        metrics.ALERT_ATTEMPTS.labels(type=one.type, result=result).inc()
        return result == "delivered"

    async def _result(self, one: Leased, message: Message | None, outcome: Outcome) -> str:
        if one.type == CANARY or not outcome.error:
            await delivered(self._pool, one, outcome.status, repeats_in(message) if message else None)
            return "failed" if outcome.error else "delivered"  # a canary is not repeated: the next one is on its way
        wait_s = None if outcome.gone else retry_in(one.attempts, random.random(), outcome.retry_after_s)  # noqa: S311
        if wait_s is not None:
            pause_s = min(max(outcome.retry_after_s, 1.0), wait_s) if outcome.throttles else 0.0
            await failed(self._pool, one, outcome.status, outcome.error, wait_s, pause_s)
            return "failed"
        why = _GONE if outcome.gone else _EXHAUSTED
        if await given_up(self._pool, one, outcome.status, outcome.error, why, int(time.time())):
            log.warning("an alert endpoint is disabled", endpoint=one.endpoint, reason=why)
        return "given_up"


def _message(one: Leased, address: Address) -> Message:
    return Message(
        id=one.message,
        type=one.type,
        address=address,
        tenant=one.tenant,
        brand=one.brand,
        alerts=one.alerts,
        course=one.course,
        escalates=one.escalates,
    )


def _surface(task: asyncio.Task[None]) -> None:
    """Say what nobody foresaw: its lease runs out and it is tried again; looks every half second find what is new."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("delivering alerts went wrong", exc_info=error)
