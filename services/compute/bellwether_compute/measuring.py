"""Compiles the declared measures into the functions that count one event each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple, get_type_hints

from msgspec import structs

from bellwether.catalogue.measures import Fold, Measure, Where
from bellwether.catalogue.social_origins import is_social
from bellwether.wire.events import EVENT_TYPES, Event, Interaction, Mention, MessageReceived
from bellwether_compute.groups import Group

POINTS = 10_000
"""Sentiment scores are kept as whole ten-thousandths, so that their sums are exact."""
_LABELLED_FROM = 500
SCALE = 1_000_000
"""Scores of surveys and assessments are kept as whole millionths of their scale."""
PLAN_TOLERANCE = timedelta(hours=24)
"""How far from the moment planned content may be published and still be on plan."""

Score = Callable[[str], float]
"""A text's sentiment, −1…1."""


class Derived(NamedTuple):
    """What is known of an event besides its body. moment: when it happened, UTC seconds."""

    moment: int
    own: bool
    sentiment: int | None
    label: str | None
    author: str | None


Count = Callable[[Any, Derived, Group], None]
"""Counts one event's body in a group."""
Read = Callable[[Any, Derived], Any]


def _is_social(data: Any, _: Derived) -> bool:
    utm = data.utm
    return is_social(data.channel, utm and utm.source, utm and utm.medium, data.referrer)


def _is_on_plan(data: Any, derived: Derived) -> bool:
    planned = data.planned_at
    return planned is not None and abs(planned.timestamp() - derived.moment) <= PLAN_TOLERANCE.total_seconds()


def _score_of(data: Any, _: Derived) -> int:
    lowest, highest = data.scale_min, data.scale_max
    return round(SCALE * float(data.score - lowest) / float(highest - lowest))


class _Fact(NamedTuple):
    """A derived fact (see `measures`), and the fields of the body that it cannot do without."""

    read: Read
    needs: frozenset[str] = frozenset()


_FACTS: dict[str, _Fact] = {
    "@own": _Fact(lambda _, derived: derived.own),
    "@sentiment": _Fact(lambda _, derived: derived.sentiment),
    "@sentiment_label": _Fact(lambda _, derived: derived.label),
    "@author": _Fact(lambda _, derived: derived.author),
    "@social": _Fact(_is_social, frozenset({"utm", "referrer"})),
    "@on_plan": _Fact(_is_on_plan, frozenset({"planned_at"})),
    "@score": _Fact(_score_of, frozenset({"score", "scale_min", "scale_max"})),
}


_BEARS_TEXT = frozenset({Mention, MessageReceived, Interaction})


def label_of(points: int) -> str:
    """Positive from 0.05, negative to −0.05, else neutral (Hutto and Gilbert 2014)."""
    if points >= _LABELLED_FROM:
        return "positive"
    return "negative" if points <= -_LABELLED_FROM else "neutral"


def derive(event: Event, score: Score, moment: int) -> Derived:
    """What is known of an event that happened at a moment; a score of the source wins over our own."""
    data = event.data
    author = data.author.id if data.author else None
    own = type(event) is not Mention or event.data.of == data.brand
    points = _points(event, score) if own else None
    return Derived(moment, own, points, None if points is None else label_of(points), author)


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
    if field in _FACTS:
        return _FACTS[field].read
    outer, _, inner = field.partition(".")
    if inner:
        return lambda data, _: _inside(getattr(data, outer), inner)
    return lambda data, _: getattr(data, field)


def _inside(value: Any, name: str) -> Any:
    """A field of an object in the body, or one of its labels; None where it is not given."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _test(where: Where) -> tuple[Read, frozenset[Any]]:
    read = _reader(where.field)
    if where.present is None:
        return read, frozenset(where.among)
    return lambda data, derived: read(data, derived) is not None, frozenset({where.present})


def _condition(where: Sequence[Where]) -> Callable[[Any, Derived], bool]:
    tests = [_test(w) for w in where]

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
            group.sums[key] += round(value)

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


def _apart(measure: Measure, by: str) -> Count:
    """Counts an event under `key@value` of a field."""
    compiler = _COMPILERS[measure.fold]

    @lru_cache(maxsize=1024)
    def of(value: str) -> Count:
        return compiler(structs.replace(measure, key=f"{measure.key}@{value}", by=None))

    def count(data: Any, derived: Derived, group: Group) -> None:
        of(getattr(data, by))(data, derived, group)

    return count


@cache
def _fields_of(event_type: str) -> frozenset[str]:
    """What a condition or a sum over events of this type may read."""
    if event_type not in EVENT_TYPES:
        raise ValueError(f"no such event type: {event_type}")
    fields = frozenset(get_type_hints(EVENT_TYPES[event_type])["data"].__struct_fields__)
    return fields | {name for name, fact in _FACTS.items() if fact.needs <= fields}


def _check_fields(measure: Measure, event_type: str) -> None:
    fields, read = _fields_of(event_type), [where.field for where in measure.where]
    if measure.fold is not Fold.COUNT:
        read.append(measure.field or "")
    if measure.by:
        read.append(measure.by)
    for field in read:
        if field.partition(".")[0] not in fields:
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
                if measure.by:
                    by_type[event_type].append(_apart(measure, measure.by))
    return {event_type: tuple(counts) for event_type, counts in by_type.items()}
