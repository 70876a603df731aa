"""Reads the texts of an episode and of the day before it from the log, within bounds.

Of a long stretch of the log the latest records are read, and samples of those before them, so that neither a large
brand nor a backlog takes more memory or time than is given. Which they are follows from the offsets alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import Final, NamedTuple, cast

from bellwether.adapters.kafka.log_range import LogRange
from bellwether.adapters.kafka.log_reader import Record
from bellwether.domain.evidence import EXCERPT, Label, Reading, Text
from bellwether.domain.terms import terms_of
from bellwether.wire.events import Mention, MentionData, MessageReceived, MessageReceivedData
from bellwether_compute.measuring import POINTS, Score, derive
from bellwether_compute.state import BrandState
from bellwether_compute.taking import Taken, take

_BLOCK = 2_000
_AT_ONCE = 32
"""So many texts are read, in about a millisecond, before whatever else the process does goes on."""
_REST = 3
"""The reader rests so many times longer than it works: counting has the processor first."""

Quarantined = Callable[[int, int], Awaitable[Collection[int]]]
"""The offsets in [start, stop) of records that are not counted."""


class Limits(NamedTuple):
    """How much is read of the log, in records.

    latest: so many before the end are all read
    samples, sample: so many samples of what is before those, evenly spaced, so long each
    bytes_a_record: what is larger on average, by block or sample, is read in part
    """

    latest: int = 12_000
    samples: int = 24
    sample: int = 250
    bytes_a_record: int = 4_096


LIMITS: Final = Limits()


class Stretch(NamedTuple):
    """Offsets in [start, stop) of a partition."""

    start: int
    stop: int


def stretches(start: int, stop: int, limits: Limits = LIMITS) -> Iterator[Stretch]:
    """What is read of [start, stop): the latest blocks first, then samples of the rest; none overlaps another."""
    latest = max(start, stop - limits.latest)
    for end in range(stop, latest, -_BLOCK):
        yield Stretch(max(latest, end - _BLOCK), end)
    bounds = [start + (latest - start) * n // limits.samples for n in range(limits.samples + 1)]
    for begin, end in pairwise(bounds):
        if begin < end:
            yield Stretch(begin, min(end, begin + limits.sample))


async def read_texts(
    log: LogRange, brand: BrandState, whole: Stretch, quarantined: Quarantined, score: Score, limits: Limits = LIMITS
) -> tuple[list[Text], Reading]:
    """What is said to and about a brand in a stretch of its partition, as the detectors count it. Raises Unavailable.

    Repeats are in it, each with its offset.
    """
    texts, records = list[Text](), 0
    wanted = list(stretches(*whole, limits))
    complete = sum(stop - start for start, stop in wanted) == whole.stop - whole.start
    for stretch in wanted:
        left_out, room = await quarantined(*stretch), limits.bytes_a_record * (stretch.stop - stretch.start)
        async with aclosing(log.read(brand.part, *stretch)) as polled:
            async for some in polled:
                records += len(some)
                texts += await _texts(brand, [record for record in some if record.offset not in left_out], score)
                room -= sum(len(record.value or b"") for record in some)
                if room < 0:
                    complete = False
                    break
    return texts, Reading(records, complete)


async def _texts(brand: BrandState, records: Sequence[Record], score: Score) -> list[Text]:
    key = f"{brand.brand.tenant}/{brand.brand.slug}".encode()
    ours, texts = [record for record in records if record.key == key], list[Text]()
    for start in range(0, len(ours), _AT_ONCE):
        began = time.thread_time()
        taken, _ = take(ours[start : start + _AT_ONCE], lambda _: brand)
        texts += (text for one in taken if (text := text_of(one, score)) is not None)
        await asyncio.sleep(_REST * (time.thread_time() - began))
    return texts


def text_of(taken: Taken, score: Score) -> Text | None:
    """What is kept of a mention of the brand or a message to it; None of anything else."""
    record, _, event, moment = taken
    derived = derive(event, score, moment)
    if not isinstance(event, Mention | MessageReceived) or not derived.own:
        return None
    data, author = event.data, event.data.author
    mention = data if isinstance(data, MentionData) else None
    return Text(
        source=event.source,
        event_id=event.id,
        offset=record.offset,
        at=moment,
        channel=data.channel,
        public=data.public if isinstance(data, MessageReceivedData) else True,
        author=author.id if author else "",
        name=(author.name or "") if author else "",
        followers=author.followers if author else None,
        reach=mention.reach if mention else None,
        url=(mention.url or "") if mention else "",
        label=cast("Label | None", derived.label),
        score=None if derived.sentiment is None else round(derived.sentiment / POINTS, 4),
        excerpt=(data.text or "")[:EXCERPT],
        terms=terms_of(data.text or ""),
    )
