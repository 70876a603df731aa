"""Own measures: what of which events is counted, checked against the event contract."""

from __future__ import annotations

from collections.abc import Collection

from yaml.nodes import MappingNode, ScalarNode

from bellwether.catalogue.expressions import nearest
from bellwether.catalogue.measures import Fold, Measure, Where
from bellwether.catalogue.own import Limits
from bellwether.wire.definitions.event_fields import SNAPSHOTS, Field, Sort, field_of, fields_of
from bellwether.wire.definitions.nodes import Place, Problems, Values, is_null
from bellwether.wire.events import EVENT_TYPES

_TITLE = 120
_LONGEST_VALUE = 256
_FIELDS = ("title", "events", "fold", "field", "where")
_READS = {Fold.COUNT: None, Fold.SUM: Sort.NUMBER, Fold.DISTINCT: Sort.TEXT}
"""What a fold may read, by the sort of the field."""


def read_measure(problems: Problems, key: str, place: Place, limits: Limits) -> Measure | None:
    """A measure; None where something is wrong with it."""
    given = problems.fields(place, _FIELDS, ("title", "events"))
    if given is None:
        return None
    before = len(problems.found)
    title = problems.text(given["title"], _TITLE)
    events = _events(problems, given["events"], limits)
    fold = Fold(problems.word(given["fold"], _READS) or Fold.COUNT) if "fold" in given else Fold.COUNT
    field = _field(problems, place, given, fold, events)
    where = _where(problems, given["where"], events, limits) if "where" in given else ()
    if len(problems.found) > before:
        return None
    return Measure(key=key, title=title or key, fold=fold, events=events, where=where, field=field)


def _events(problems: Problems, place: Place, limits: Limits) -> tuple[str, ...]:
    found = []
    for item in problems.items(place, limits.event_types, "event types"):
        name = str(item.node.value) if isinstance(item.node, ScalarNode) else ""
        if name in EVENT_TYPES and name not in found:
            found.append(name)
        else:
            told = "is given twice" if name in found else f"is no event type{nearest(name, EVENT_TYPES)}"
            problems.add(item, told)
    return tuple(found)


def _field(problems: Problems, place: Place, given: Values, fold: Fold, events: Collection[str]) -> str | None:
    sort = _READS[fold]
    if (sort is None) != ("field" not in given):
        detail = "a count reads no field" if sort is None else f"a {fold} needs field"
        problems.add(given.get("field", place), detail)
    if sort is None or "field" not in given:
        return None
    if sort is Sort.NUMBER and not SNAPSHOTS.isdisjoint(events):
        problems.add(given["field"], "would add up totals so far; the built-in measures take their differences")
    name = str(given["field"].node.value) if isinstance(given["field"].node, ScalarNode) else ""
    for field in _known(problems, given["field"], name, events):
        if field.sort is not sort:
            hint = "; money is in the built-in measures, converted" if field.sort is Sort.MONEY else ""
            problems.add(given["field"], f"is {field.sort.value}, and a {fold} reads {sort.value}{hint}")
            break
    return name


def _known(problems: Problems, place: Place, name: str, events: Collection[str]) -> list[Field]:
    """The field in each of these event types; it must be in all of them."""
    for event in events:
        if field_of(event, name) is None:
            problems.add(place, f"is no field of {event}{nearest(name, fields_of(event))}")
            return []
    return [field for event in events if (field := field_of(event, name))]


def _where(problems: Problems, place: Place, events: Collection[str], limits: Limits) -> tuple[Where, ...]:
    found = []
    for name, at, value in problems.entries(place, limits.conditions, "conditions"):
        fields = _known(problems, at, name, events)
        if fields and (where := _condition(problems, name, value, fields, limits)):
            found.append(where)
    return tuple(found)


def _condition(problems: Problems, name: str, place: Place, fields: list[Field], limits: Limits) -> Where | None:
    """`field: value`, `field: [value, value]` or `field: {present: true}`."""
    if isinstance(place.node, MappingNode):
        given = problems.fields(place, ("present",), ("present",))
        told = problems.flag(given["present"]) if given else None
        return None if told is None else Where(name, present=told)
    items = problems.items(place, limits.values, "values")
    values = [_value(problems, item, fields) for item in items]
    return Where(name, tuple(values))


def _value(problems: Problems, place: Place, fields: list[Field]) -> str | bool | None:
    """A value as the field has it, whatever YAML takes it for: `no` is text where the field is text."""
    sorts = {field.sort for field in fields}
    if is_null(place):
        return None
    if sorts == {Sort.FLAG}:
        return problems.flag(place)
    if sorts != {Sort.TEXT}:
        problems.add(place, "is compared with a field that is neither text nor true or false; ask {present: true}")
        return None
    told = problems.text(place, _LONGEST_VALUE)
    among = {value for field in fields for value in field.among}
    if told is not None and all(field.among for field in fields) and told not in among:
        problems.add(place, f"is no value of the field; there are {', '.join(sorted(among))}")
    return told
