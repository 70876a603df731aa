"""The order in which events arrive, how they are batched and how often each comes decide no number.

Events are those of the contract's examples: of every type that there is, at moments that lie close together and days
apart, so that they are late for one another in every way. What several streams of one kind come to in any order is
tested beside the fold (`tests/unit/compute`); here everything meets everything.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bellwether.adapters.postgres.directory import Brand
from bellwether.wire.events import EVENT_TYPES
from tests.contract.examples import read_examples
from tests.support.backends import Servers
from tests.support.computing import computing
from tests.support.databases import Topics, database_from, fresh_topics
from tests.support.kept import Stored, differences
from tests.support.log import applied, initialise_stream
from tests.support.tenancy import TENANT, make_brands
from tests.unit.compute.folding import Folding, iso

Event = dict[str, Any]

RECORDED = int(datetime(2026, 12, 15, 9, 30, tzinfo=UTC).timestamp())
"""When all are recorded in memory: after the latest moment that an example names."""
DAY_S = 86_400
_MOMENTS = [RECORDED - ago for ago in (60, 61, 400, 3_700, DAY_S, 20 * DAY_S, 40 * DAY_S)]
EXAMPLES = [(name, valid.event) for name, examples in read_examples().items() for valid in examples.valid]


def of_aurora(event: Event, number: int, moment: int) -> Event:
    """An example as an event of the brand aurora, under an identity of its own, at a moment."""
    data = {**event["data"], "brand": "aurora"}
    if data.get("of") == event["data"]["brand"]:
        data["of"] = "aurora"
    return {**event, "id": f"e{number}", "time": iso(moment), "data": data}


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """Some events of any types."""
    picks = draw(st.lists(st.tuples(st.sampled_from(EXAMPLES), st.sampled_from(_MOMENTS)), max_size=12))
    return [of_aurora(event, number, moment) for number, ((_, event), moment) in enumerate(picks)]


def folded(parts: Iterable[list[Event]], zone: str) -> Folding:
    folding = Folding(zone, score=lambda text: 0.25)
    for part in parts:
        folding.apply(part, RECORDED)
    return folding


def in_parts(random: Random, events: list[Event]) -> list[list[Event]]:
    """Batches of these events, in their order."""
    ends = sorted(random.sample(range(1, len(events)), min(4, len(events) - 1))) if len(events) > 1 else []
    return [events[start:stop] for start, stop in zip([0, *ends], [*ends, len(events)], strict=True)]


def test_there_is_an_example_of_every_type() -> None:
    assert {name for name, _ in EXAMPLES} == set(EVENT_TYPES)


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(streams(), st.sampled_from(["UTC", "Asia/Kolkata"]), st.randoms(use_true_random=False))
def test_any_order_of_events_of_all_types_comes_to_the_same(events: list[Event], zone: str, random: Random) -> None:
    expected = folded([[event] for event in events], zone).everything()
    repeats = random.choices(events, k=3) if events else []
    arrived = [*events, *repeats]
    random.shuffle(arrived)
    found = folded(in_parts(random, arrived), zone).everything()
    assert found.pop("outcomes") == +Counter(applied=len(events), duplicate=len(repeats))
    del expected["outcomes"]
    for name, value in expected.items():
        assert found[name] == value, name


def every_example(now: int) -> list[Event]:
    """Each example several times, minutes, hours and days before now, whatever else they date as they say."""
    agos = (120, 130, 5_000, 2 * DAY_S)
    named = [(event, now - ago) for _, event in EXAMPLES for ago in agos]
    return [of_aurora(_datable(event, now), number, moment) for number, (event, moment) in enumerate(named)]


def _datable(event: Event, now: int) -> Event:
    """Without what an example dates later than now."""
    late = [name for name, value in event["data"].items() if _is_later(value, now)]
    return {**event, "data": {name: value for name, value in event["data"].items() if name not in late}}


def _is_later(value: object, now: int) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).timestamp() > now
    except ValueError:
        return False


async def applied_in(dsn: str, stack: Servers, topics: Topics, events: list[Event], path: Path, now: int) -> Stored:
    """A database to which a compute process applied these events in this order, a few at a time."""
    await initialise_stream(dsn, stack.kafka_bootstrap, topics.events)
    brand_id = (await make_brands(dsn, "aurora", time_zone="Asia/Kolkata"))["aurora"]
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, acks="all", linger_ms=5) as producer:
        for event in events:
            value = msgspec.json.encode(event)
            await producer.send(topics.events, value, key=f"{TENANT}/aurora".encode(), timestamp_ms=now * 1000)
    async with computing(stack, dsn, topics, path, max_events="60", max_cached="100"):
        await applied(dsn, topics.events, len(events))
    return Stored(dsn, {"aurora": Brand(brand_id, 1, TENANT, "aurora", "aurora", "Asia/Kolkata", "USD", ())})


@pytest.mark.fault
async def test_two_orders_of_events_of_all_types_give_the_same_kpis_in_a_real_database(
    stack: Servers, database: str, template_database: str, topics: Topics, tmp_path: Path
) -> None:
    now, random = int(time.time()), Random(20_261_122)
    events = every_example(now)
    arrived = [*events, *random.sample(events, 20)]
    random.shuffle(arrived)
    one = await applied_in(database, stack, topics, events, tmp_path / "one", now)
    async with (
        database_from(stack.postgres_dsn, template_database) as dsn,
        fresh_topics(stack.kafka_bootstrap) as other_topics,
    ):
        other = await applied_in(dsn, stack, other_topics, arrived, tmp_path / "other", now)
        lines = {("aurora", cut): now for cut in ("", "channel=instagram", "channel=web", "channel=x")}
        expected, found = [await stored.evaluated(lines, recorded=now) for stored in (one, other)]
    wrong = [words for line in lines for words in differences(line, expected[line], found[line])]
    assert not wrong, "\n".join(wrong[:20])
    known = [v for values in expected.values() for windows in values.values() for v in windows.values() if v.value]
    assert len(known) > 200
