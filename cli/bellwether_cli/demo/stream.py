"""The demo's stream: canonical events of invented brands in the order of time, the same for the same seed."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count

from bellwether_cli.demo.audience import community, snapshots
from bellwether_cli.demo.business import ads, collaborations, team, traffic
from bellwether_cli.demo.content import content, reactions, submissions
from bellwether_cli.demo.story import BRANDS, HOUR, Brand, Cell, Event
from bellwether_cli.demo.talk import conversations, crisis, mentions

Strand = Callable[[Cell], Iterable[Event]]

STRANDS: tuple[Strand, ...] = (
    content,
    submissions,
    reactions,
    mentions,
    crisis,
    conversations,
    snapshots,
    community,
    traffic,
    ads,
    collaborations,
    team,
)
CROWD: tuple[Strand, ...] = (submissions, reactions, mentions, conversations, community, traffic)
"""The strands that grow with `intensity`: what many people do. The rest is the same at any intensity."""


def stream(
    seed: int,
    start: datetime,
    end: datetime,
    brands: Sequence[Brand] = BRANDS,
    *,
    intensity: float = 1.0,
    strands: Sequence[Strand] = STRANDS,
    source: str = "/demo",
) -> Iterator[Event]:
    """Events with start <= time < end, ascending by time; a generator, so the end may be far away.

    The same seed gives the same events with the same ids, also from overlapping ranges. What begins in the hour
    of `start` or later is told with everything that follows from it before `end`; a `start` inside an hour cuts
    off that hour's beginning. `intensity` 1 is about 2,000 events a day for the three brands; another intensity
    is another stream and needs another `source`.
    """

    def begun_in(hour: datetime) -> Iterator[Event]:
        for brand in brands:
            for strand in strands:
                yield from strand(Cell(brand, strand.__name__, hour, seed, intensity, source))

    pending: list[tuple[str, int, Event]] = []
    order = count()
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first, last = _text(start), _text(end)
    while hour < end:
        for event in begun_in(hour):
            if (time := str(event["time"])) >= first:
                heapq.heappush(pending, (time, next(order), event))
        hour += HOUR
        border = min(_text(hour), last)
        while pending and pending[0][0] < border:
            yield heapq.heappop(pending)[2]


def _text(when: datetime) -> str:
    # The events' own format, so that comparing texts compares times.
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
