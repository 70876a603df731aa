"""Compiles the declared measures into the functions that count one event each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple, get_type_hints

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
_COUNTED = (Fold.COUNT, Fold.SUM, Fold.DISTINCT)
"""What is counted of one event alone."""
DECISIONS_KEPT = 4096
"""Of each event type, how many different answers to what its measures ask are remembered."""

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
    data: Any = event.data
    kind, author = type(event), data.author.id if data.author else None
    own = kind is not Mention or data.of == data.brand
    if not own or kind not in _BEARS_TEXT or (points := _points(event, score)) is None:
        return Derived(moment, own, None, None, author)
    return Derived(moment, own, points, label_of(points), author)


def _points(event: Event, score: Score) -> int | None:
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


def _presence(field: str) -> Read:
    read = _reader(field)
    return lambda data, derived: read(data, derived) is not None


class _Rule(NamedTuple):
    """A measure in an event type: where it counts, and what it counts of an event (None: that it happened)."""

    key: str
    fold: Fold
    tests: tuple[tuple[int, frozenset[Any]], ...]
    read: Read | None
    by: int | None

    def holds(self, answers: Sequence[Any]) -> bool:
        """Whether an event of which this was read is counted."""
        return all(answers[place] in among for place, among in self.tests)

    def key_for(self, answers: Sequence[Any]) -> str:
        """Where it is counted: apart for every value of a field, or not."""
        return self.key if self.by is None else f"{self.key}@{answers[self.by]}"


class _Decision(NamedTuple):
    """What an event counts as: the measures that grow by one, and those that take something of it."""

    ones: tuple[str, ...]
    sums: tuple[tuple[str, Read], ...]
    people: tuple[tuple[str, Read], ...]


class _Decisions(dict[tuple[Any, ...], _Decision]):
    """Decisions by all that conditions read of an event; emptied when they are too many."""

    def __init__(self, rules: Sequence[_Rule]) -> None:
        super().__init__()
        self._rules = rules

    def __missing__(self, answers: tuple[Any, ...]) -> _Decision:
        if len(self) >= DECISIONS_KEPT:
            self.clear()
        decision = self[answers] = self._decide(answers)
        return decision

    def _decide(self, answers: Sequence[Any]) -> _Decision:
        found: dict[Fold, list[tuple[str, Any]]] = {fold: [] for fold in _COUNTED}
        for rule in self._rules:
            if rule.holds(answers):
                found[rule.fold].append((rule.key_for(answers), rule.read))
        ones = tuple(key for key, _ in found[Fold.COUNT])
        return _Decision(ones, tuple(found[Fold.SUM]), tuple(found[Fold.DISTINCT]))


class _Questions:
    """What the conditions of an event type ask of an event: each thing once, however many ask it."""

    def __init__(self) -> None:
        self._reads: dict[tuple[str, bool], Read] = {}

    def ask(self, where: Where) -> tuple[int, frozenset[Any]]:
        """The place of the answer that a condition asks for, and the answers with which it holds."""
        if where.present is None:
            return self.value_of(where.field), frozenset(where.among)
        return self._place((where.field, True), _presence(where.field)), frozenset({where.present})

    def value_of(self, field: str) -> int:
        """The place of a field's value among the answers."""
        return self._place((field, False), _reader(field))

    def _place(self, question: tuple[str, bool], read: Read) -> int:
        self._reads.setdefault(question, read)
        return list(self._reads).index(question)

    @property
    def reads(self) -> tuple[Read, ...]:
        """What reads each answer, in their order."""
        return tuple(self._reads.values())


def _rules_of(measure: Measure, questions: _Questions) -> Iterator[_Rule]:
    tests = tuple(questions.ask(where) for where in measure.where)
    read = None if measure.fold is Fold.COUNT else _reader(measure.field or "")
    yield _Rule(measure.key, measure.fold, tests, read, None)
    if measure.by:
        yield _Rule(measure.key, measure.fold, tests, read, questions.value_of(measure.by))


def _counter(measures: Sequence[Measure]) -> Count:
    """Counts an event under all measures of its type."""
    questions = _Questions()
    decisions = _Decisions([rule for measure in measures for rule in _rules_of(measure, questions)])
    reads = questions.reads

    def count(data: Any, derived: Derived, group: Group) -> None:
        ones, sums, people = decisions[tuple([read(data, derived) for read in reads])]
        for key in ones:
            group.sums[key] += 1
        for key, read in sums:
            if (value := read(data, derived)) is not None:
                group.sums[key] += round(value)
        for key, read in people:
            if (value := read(data, derived)) is not None:
                group.people[key].add(value)

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
    by_type: defaultdict[str, list[Measure]] = defaultdict(list)
    for measure in measures:
        if measure.fold in _COUNTED:
            for event_type in measure.events:
                _check_fields(measure, event_type)
                by_type[event_type].append(measure)
    return {event_type: (_counter(counted),) for event_type, counted in by_type.items()}
