"""What is read ahead of a cycle is what the cycle would have read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bellwether_compute.ahead import Polled
from bellwether_compute.taking import Read, read, take
from tests.unit.compute.test_taking import GOOD, encoded, find_brand, record

_VALUES = (encoded(GOOD), b"", b"no JSON", b'\xef\xbb\xbf{"a": 1}', encoded(GOOD, time="1969-01-01T00:00:00Z"))
_RECORDS = [record(value) for value in _VALUES * 20]


@pytest.mark.parametrize("count", [0, 1, 3, len(_RECORDS)])
def test_records_that_were_read_ahead_are_taken_as_others_are(count: int) -> None:
    ahead = read(_RECORDS[:count])
    taken, left_out = take(_RECORDS, find_brand, (), ahead)
    assert [type(said) for said in ahead] == [type(said) for said in read(_RECORDS)[:count]]
    assert (taken, left_out) == take(_RECORDS, find_brand)
    assert len(taken) == 20
    assert len(left_out) == 80


def test_records_that_were_polled_next_follow_in_their_partitions() -> None:
    a, b, c, d, e = (record(value) for value in _VALUES)
    said = {0: read([a])}
    polled = Polled({0: [a, b], 1: [c]}, said).followed_by(Polled({0: [d], 2: [e]}))
    assert polled.batches == {0: [a, b, d], 1: [c], 2: [e]}
    assert polled.read is said
    assert polled.records == 5


async def test_reading_ahead_may_be_cancelled_wherever_it_is() -> None:
    whole: list[Read] = read(_RECORDS)
    lengths = set()
    for steps in range(8):
        polled, scored = Polled({0: _RECORDS}), list[Any]()
        reading = asyncio.create_task(polled.read_ahead(scored.append))
        for _ in range(steps):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        said = polled.read.get(0, [])
        assert list(map(repr, said)) == list(map(repr, whole[: len(said)]))
        assert scored == [event for event in said if not isinstance(event, Exception)]
        lengths.add(len(said))
    assert 0 in lengths
    assert len(_RECORDS) in lengths
    assert len(lengths) > 2
