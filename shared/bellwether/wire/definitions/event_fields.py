"""What own measures may read of an event: the fields of its body, and facts that the fold derives from it."""

from __future__ import annotations

import types
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from bellwether.wire.events import EVENT_TYPES


class Sort(Enum):
    """What can be done with a field."""

    TEXT = "text"
    """Compared, and counted by its different values."""
    FLAG = "true or false"
    """Compared."""
    NUMBER = "a number"
    """Summed."""
    MONEY = "money"
    """Nothing: it has to be converted first."""
    OTHER = "an object"
    """Asked whether it is given."""


class Field(NamedTuple):
    """A field: its sort, and its values where they are a closed list."""

    sort: Sort
    among: tuple[str, ...] = ()


_LABELS = ("positive", "neutral", "negative")
_DERIVED: dict[str, tuple[Field, frozenset[str]]] = {
    "@own": (Field(Sort.FLAG), frozenset({"of"})),
    "@sentiment": (Field(Sort.NUMBER), frozenset({"sentiment"})),
    "@sentiment_label": (Field(Sort.TEXT, _LABELS), frozenset()),
    "@author": (Field(Sort.TEXT), frozenset({"author"})),
    "@social": (Field(Sort.FLAG), frozenset({"utm", "referrer"})),
    "@on_plan": (Field(Sort.FLAG), frozenset({"planned_at"})),
    "@score": (Field(Sort.NUMBER), frozenset({"score", "scale_min", "scale_max"})),
}
_SORTS: dict[object, Sort] = {
    str: Sort.TEXT,
    bool: Sort.FLAG,
    int: Sort.NUMBER,
    float: Sort.NUMBER,
    Decimal: Sort.MONEY,
}


SNAPSHOTS = frozenset({"social.audience.snapshot.v1", "social.content.metrics.v1", "ads.delivery.v1"})
"""Types whose numbers may be totals so far: what adds them up counts them over and over."""
_LABELS_OF = "labels."


@cache
def fields_of(event_type: str) -> dict[str, Field]:
    """The fields of events of a type, by the name that they have in the body; inside an object as `utm.source`."""
    body = get_type_hints(EVENT_TYPES[event_type])["data"]
    hints = get_type_hints(body)
    found = {name: _field(hints[name]) for name in body.__struct_fields__}
    found |= {f"{name}.{inner}": field for name in list(found) for inner, field in _inner(hints[name]).items()}
    return found | {name: field for name, (field, needs) in _DERIVED.items() if needs <= found.keys()}


def field_of(event_type: str, name: str) -> Field | None:
    """A field by its name; every label is one, as `labels.product`."""
    if name.startswith(_LABELS_OF) and len(name) > len(_LABELS_OF):
        return Field(Sort.TEXT) if "labels" in fields_of(event_type) else None
    return fields_of(event_type).get(name)


def _inner(hint: Any) -> dict[str, Field]:
    """The fields of an object that stands in a body."""
    bare = _bare(hint)
    if not (isinstance(bare, type) and issubclass(bare, Struct)):
        return {}
    hints = get_type_hints(bare)
    return {name: _field(hints[name]) for name in bare.__struct_fields__}


def _field(hint: Any) -> Field:
    bare = _bare(hint)
    if get_origin(bare) is Literal:
        return Field(Sort.TEXT, get_args(bare))
    return Field(_SORTS.get(bare, Sort.OTHER))


def _bare(hint: Any) -> Any:
    """A type without what is said about it, and without None."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in {Union, types.UnionType}:
        given = [one for one in get_args(hint) if one is not type(None)]
        return _bare(given[0]) if len(given) == 1 else hint
    return hint
