"""Compiles the declared measures into the functions that count one event each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from bellwether.catalogue.measures import Fold, Measure, Where
from bellwether.wire.events import EVENT_TYPES, Event, Interaction, Mention, MessageReceived
from bellwether_compute.groups import Group

POINTS = 10_000
"""Sentiment scores are kept as whole ten-thousandths, so that their sums are exact."""
_LABELLED_FROM = 500

Score = Callable[[str], float]
"""A text's sentiment, −1…1."""


class Derived(NamedTuple):
    """The facts about an event that its body does not say as such (see `measures`)."""

    own: bool
    sentiment: int | None
    label: str | None
    author: str | None


Count = Callable[[Any, Derived, Group], None]
"""Counts one event's body in a group."""
Read = Callable[[Any, Derived], Any]

_DERIVED: dict[str, Read] = {
    "@own": lambda _, derived: derived.own,
    "@sentiment": lambda _, derived: derived.sentiment,
    "@sentiment_label": lambda _, derived: derived.label,
    "@author": lambda _, derived: derived.author,
}


_BEARS_TEXT = frozenset({Mention, MessageReceived, Interaction})


def label_of(points: int) -> str:
    """Positive from 0.05, negative to −0.05, else neutral (Hutto and Gilbert 2014)."""
    if points >= _LABELLED_FROM:
        return "positive"
    return "negative" if points <= -_LABELLED_FROM else "neutral"


def derive(event: Event, score: Score) -> Derived:
    """The derived facts of an event; a score of the source wins over our own."""
    data = event.data
    author = data.author.id if data.author else None
    own = type(event) is not Mention or event.data.of == data.brand
    points = _points(event, score) if own else None
    return Derived(own, points, None if points is None else label_of(points), author)


def _points(event: Event, score: Score) -> int | None:
    if type(event) not in _BEARS_TEXT:
        return None
    data: Any = event.data
    if type(event) is Interaction and (data.kind != "comment" or data.op != "add"):
        return None
    told: float | None = data.sentiment
    if told is None and data.text:
        told = score(data.text)
    return None if told is None else round(told * POINTS)


def _reader(field: str) -> Read:
    if field in _DERIVED:
        return _DERIVED[field]
    return lambda data, _: getattr(data, field)


def _condition(where: Sequence[Where]) -> Callable[[Any, Derived], bool]:
    tests = [(_reader(w.field), frozenset(w.among)) for w in where]

    def holds(data: Any, derived: Derived) -> bool:
        for read, among in tests:  # noqa: SIM110 - a generator costs as much again as the tests
            if read(data, derived) not in among:
                return False
        return True

    return holds


def _counter(measure: Measure) -> Count:
    key, holds = measure.key, _condition(measure.where)

    def count(data: Any, derived: Derived, group: Group) -> None:
        if holds(data, derived):
            group.sums[key] += 1

    return count


def _adder(measure: Measure) -> Count:
    key, holds, read = measure.key, _condition(measure.where), _reader(measure.field or "")

    def add(data: Any, derived: Derived, group: Group) -> None:
        if holds(data, derived) and (value := read(data, derived)) is not None:
            group.sums[key] += value

    return add


def _gatherer(measure: Measure) -> Count:
    key, holds, read = measure.key, _condition(measure.where), _reader(measure.field or "")

    def gather(data: Any, derived: Derived, group: Group) -> None:
        if holds(data, derived) and (value := read(data, derived)) is not None:
            group.people[key].add(value)

    return gather


_COMPILERS: dict[Fold, Callable[[Measure], Count]] = {
    Fold.COUNT: _counter,
    Fold.SUM: _adder,
    Fold.DISTINCT: _gatherer,
}


@cache
def _fields_of(event_type: str) -> frozenset[str]:
    """What a condition or a sum over events of this type may read."""
    if event_type not in EVENT_TYPES:
        raise ValueError(f"no such event type: {event_type}")
    body = get_type_hints(EVENT_TYPES[event_type])["data"]
    return frozenset(body.__struct_fields__) | _DERIVED.keys()


def _check_fields(measure: Measure, event_type: str) -> None:
    fields, read = _fields_of(event_type), [where.field for where in measure.where]
    if measure.fold is not Fold.COUNT:
        read.append(measure.field or "")
    for field in read:
        if field not in fields:
            raise ValueError(f"{measure.key}: no such field of {event_type}: {field!r}")


def compile_measures(measures: Sequence[Measure]) -> Mapping[str, tuple[Count, ...]]:
    """For every event type the functions that count an event of it.

    Raises ValueError for a measure that reads a type or a field which does not exist.
    """
    by_type: defaultdict[str, list[Count]] = defaultdict(list)
    for measure in measures:
        if compiler := _COMPILERS.get(measure.fold):
            for event_type in measure.events:
                _check_fields(measure, event_type)
                by_type[event_type].append(compiler(measure))
    return {event_type: tuple(counts) for event_type, counts in by_type.items()}
