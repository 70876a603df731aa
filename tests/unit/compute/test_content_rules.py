"""Compute's rules for content say of any events, in any order, what the oracle says of the set of them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bellwether_compute.content import COUNTER_OF_KIND, Gain, Item, interact, observe, publish
from tests.support.oracle_content import Content

Told = tuple[str, int, dict[str, Any]]

_DAY_S = 86_400
_COUNTERS = ("impressions", "reactions", "comments")
_MOMENTS = st.integers(0, 5 * _DAY_S)


def _interaction(moment: int, kind: str, op: str, count: int) -> Told:
    return "social.interaction.v1", moment, {"kind": kind, "op": op, "count": count}


def _snapshot(moment: int, counts: dict[str, int]) -> Told:
    when = datetime.fromtimestamp(moment, UTC).isoformat()
    return "social.content.metrics.v1", moment, {"cumulative": counts, "observed_at": when}


def _publication(moment: int) -> Told:
    return "social.content.published.v1", moment, {}


INTERACTIONS = st.builds(
    _interaction, _MOMENTS, st.sampled_from(("reaction", "comment")), st.sampled_from(("add", "edit", "remove")),
    st.integers(1, 3),
)  # fmt: skip
SNAPSHOTS = st.builds(_snapshot, _MOMENTS, st.dictionaries(st.sampled_from(_COUNTERS), st.integers(0, 9), min_size=1))
PUBLICATIONS = st.builds(_publication, _MOMENTS)
EVENTS = st.lists(st.one_of(INTERACTIONS, SNAPSHOTS, PUBLICATIONS), max_size=14)


def _gains(item: Item, told: Told) -> list[Gain]:
    kind, moment, data = told
    if kind == "social.interaction.v1":
        sign = {"add": 1, "edit": 0, "remove": -1}[data["op"]]
        return list(interact(item, moment, COUNTER_OF_KIND[data["kind"]], sign * data["count"]))
    if kind == "social.content.metrics.v1":
        return list(observe(item, moment, data["cumulative"]))
    return list(publish(item, moment))


def _by_compute(events: list[Told]) -> tuple[Counter[tuple[int, str]], Counter[str]]:
    """What was counted by minute and counter, and what the item has earned."""
    item = Item(by_minute={})
    counted: Counter[tuple[int, str]] = Counter()
    for told in events:
        for gain in _gains(item, told):
            minute = gain.moment // 60 * 60
            counted[minute, gain.counter] += gain.counted
            assert item.by_minute is not None
            points = item.by_minute.setdefault(minute, {})
            points[gain.counter] = points.get(gain.counter, 0) + gain.earned
    return counted, Counter(item.earned)


def _by_oracle(events: list[Told]) -> tuple[Counter[tuple[int, str]], Counter[str]]:
    content = Content()
    for kind, moment, data in events:
        content.take(kind, moment, data, lambda text: int(datetime.fromisoformat(text).timestamp()))
    counted: Counter[tuple[int, str]] = Counter()
    earned: Counter[str] = Counter()
    for gain in content.gains():
        if gain.measure != "interactions":
            counted[gain.moment // 60 * 60, gain.measure] += gain.counted
            earned[gain.measure] += gain.earned
    return counted, earned


def _nonzero(counts: Counter[Any]) -> dict[Any, int]:
    return {key: count for key, count in counts.items() if count}


@settings(max_examples=400)
@given(EVENTS)
# What was added in one minute and taken back in another sums up to nothing, but has to be taken back all the same.
@example(
    [_interaction(0, "reaction", "add", 1), _interaction(60, "reaction", "remove", 1), _snapshot(99, {"reactions": 5})]
)
def test_content_earns_the_same_in_any_order(events: list[Told]) -> None:
    counted, earned = _by_compute(events)
    wanted_counted, wanted_earned = _by_oracle(events)
    assert _nonzero(counted) == _nonzero(wanted_counted)
    assert _nonzero(earned) == _nonzero(wanted_earned)
