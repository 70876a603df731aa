"""Events to the intake over HTTP: batches, bounded concurrency, and repeats, harmless because ids stay.

Events of a brand arrive in the order in which they are given: a brand has one lane, and a lane one request at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self

import httpx2
import msgspec
import stamina

from bellwether_cli.replay.answers import SendingFailed, rejections
from bellwether_cli.replay.mapping import Mapped
from bellwether_cli.replay.plan import brand_of, time_of

BATCH_TYPE = "application/cloudevents-batch+json"
MAX_BYTES = 4 * 1024 * 1024  # the intake takes 5 MiB unless it is set otherwise
_PASSING = frozenset({429, 502, 503, 504})
_TOGETHER_S = 0.25  # paced events that fall due within this time share a request


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that did not become an event in Kafka, and why."""

    row: int
    id: str | None
    reason: str


@dataclass(slots=True)
class Tally:
    """What became of the rows so far. `kept` bounds how many rejections are kept to be shown."""

    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    retries: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    kept: int = 1000

    @property
    def rows(self) -> int:
        """Rows done with."""
        return self.accepted + self.rejected + self.skipped

    def reject(self, row: int, event_id: str | None, reason: str) -> None:
        """Count a rejection."""
        self.rejected += 1
        if len(self.rejections) < self.kept:
            self.rejections.append(Rejection(row, event_id, reason))


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one request, as JSON, with the rows they came from and the lane in which it is sent, from 0."""

    rows: tuple[Mapped, ...]
    body: bytes
    lane: int = 0


@dataclass(slots=True)
class _Filling:
    """A request that is being filled."""

    lane: int
    rows: list[Mapped] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, row: Mapped, part: bytes) -> None:
        self.rows.append(row)
        self.parts.append(part)
        self.size += len(part) + 1

    def batch(self) -> Batch:
        return Batch(tuple(self.rows), b"[%s]" % b",".join(self.parts), self.lane)


def batches(results: Iterable[Mapped], tally: Tally, size: int, lanes: int = 1) -> Iterator[Batch]:
    """Requests of at most `size` events and MAX_BYTES, those of a brand in one lane and in order.

    Rows without an event are counted and left out.
    """
    filling = [_Filling(lane) for lane in range(lanes)]
    lane_of: dict[str, int] = {}
    for result in results:
        if result.event is None:
            _count_eventless(result, tally)
            continue
        part = msgspec.json.encode(result.event)
        lane = lane_of.setdefault(brand_of(result.event), len(lane_of) % lanes)
        if filling[lane].rows and (len(filling[lane].rows) >= size or filling[lane].size + len(part) > MAX_BYTES):
            yield filling[lane].batch()
            filling[lane] = _Filling(lane)
        filling[lane].add(result, part)
    yield from (one.batch() for one in filling if one.rows)


def _count_eventless(result: Mapped, tally: Tally) -> None:
    if result.fault is None:
        tally.skipped += 1
    else:
        tally.reject(result.row, None, result.fault)


async def paced(results: Iterable[Mapped], speed: float) -> AsyncIterator[list[Mapped]]:
    """Groups of rows when they fall due: the gaps between the events' times divided by `speed`.

    Rows must be in the order of time. A sender that falls behind catches up without pauses.
    """
    loop = asyncio.get_running_loop()
    began: tuple[float, datetime] | None = None
    due: list[Mapped] = []
    for result in results:
        if result.event:
            when = time_of(result.event)
            began = began or (loop.time(), when)
            wait = began[0] + (when - began[1]).total_seconds() / speed - loop.time()
            if wait > _TOGETHER_S and due:
                yield due
                due = []
            if wait > 0:
                await asyncio.sleep(max(0.0, wait - (_TOGETHER_S if due else 0.0)))
        due.append(result)
    if due:
        yield due


class Intake:
    """The intake's HTTP address with a key. Requests in flight are bounded by `concurrency`, to one for each brand."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        concurrency: int = 4,
        patience_s: float = 120.0,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = httpx2.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}", "Content-Type": BATCH_TYPE},
            timeout=httpx2.Timeout(60.0, connect=5.0),
            transport=transport,
        )
        self._lanes = [asyncio.Lock() for _ in range(concurrency)]
        self._made = asyncio.Semaphore(2 * concurrency)  # so that no lane waits for its next request to be made
        self._patience_s = patience_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(
        self,
        results: Iterable[Mapped],
        tally: Tally,
        *,
        size: int = 500,
        progress: Callable[[Tally], None] = lambda _: None,
    ) -> None:
        """Send all rows as fast as the intake takes them.

        Raises SendingFailed when a request as a whole is refused or nobody answers in time; what was sent
        before stays sent, and sending the same again adds nothing.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for batch in batches(results, tally, size, len(self._lanes)):
                    await self._made.acquire()
                    group.create_task(self._deliver(batch, tally, progress))
                progress(tally)
        except* SendingFailed as failures:
            raise _first(failures) from None

    async def send_paced(
        self,
        results: Iterable[Mapped],
        tally: Tally,
        *,
        speed: float,
        size: int = 500,
        progress: Callable[[Tally], None] = lambda _: None,
    ) -> None:
        """Send rows when they fall due at `speed` times the pace of their times; 1 is real time."""
        async for group in paced(results, speed):
            await self.send(group, tally, size=size, progress=progress)

    async def _deliver(self, batch: Batch, tally: Tally, progress: Callable[[Tally], None]) -> None:
        try:
            async with self._lanes[batch.lane]:
                _settle(batch, await self._posted(batch, tally), tally)
            progress(tally)
        finally:
            self._made.release()

    async def _posted(self, batch: Batch, tally: Tally) -> httpx2.Response:
        try:
            async for attempt in stamina.retry_context(
                on=_worth_repeating, attempts=None, timeout=self._patience_s, wait_initial=0.2, wait_max=5.0
            ):
                with attempt:
                    tally.retries += attempt.num > 1
                    response = await self._client.post("/v1/events", content=batch.body)
                    if response.status_code in _PASSING:
                        response.raise_for_status()
        except httpx2.HTTPError as error:
            said = str(error) or type(error).__name__
            raise SendingFailed(f"{self._client.base_url} did not take the events: {said}") from error
        return response


def _settle(batch: Batch, response: httpx2.Response, tally: Tally) -> None:
    refused = rejections(response, len(batch.rows))
    for index, reason in sorted(refused.items()):
        result = batch.rows[index]
        tally.reject(result.row, str(result.event["id"]) if result.event else None, reason)
    tally.accepted += len(batch.rows) - len(refused)


def _first(failures: BaseExceptionGroup[SendingFailed]) -> SendingFailed:
    found: BaseException = failures
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, SendingFailed) else SendingFailed(str(found))


def _worth_repeating(error: Exception) -> bool | float:
    if isinstance(error, httpx2.HTTPStatusError):
        return retry_after_s(error.response) or True
    return isinstance(error, httpx2.TransportError)


def retry_after_s(response: httpx2.Response) -> float | None:
    """Seconds that the answer asks to wait (a number or a date), None where it asks nothing."""
    raw = response.headers.get("Retry-After", "").strip()
    if raw.isdigit():
        return float(raw)
    try:
        return max(0.0, (parsedate_to_datetime(raw) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
