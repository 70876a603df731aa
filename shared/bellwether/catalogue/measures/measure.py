"""What a measure is, and short ways to declare one."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec


class Fold(StrEnum):
    """How events become a total."""

    COUNT = "count"
    SUM = "sum"
    """Of a field of whole numbers; one with a fraction is rounded event by event."""
    DISTINCT = "distinct"
    JOIN = "join"
    """Contributed by a step that knows more than one event: items, conversations, money, incidents."""
    HISTOGRAM = "histogram"
    """Likewise, as a distribution of whole numbers: mostly of seconds."""


class Where(msgspec.Struct, frozen=True):
    """A condition on one field.

    among: its value is one of these (None: the field is absent)
    present: instead, whether the field is given at all
    """

    field: str
    among: tuple[str | bool | None, ...] = ()
    present: bool | None = None


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure. All are mergeable; `key` is its name in rollups and in the API.

    events: the types it is made from
    where, field: which of their events count, and what a sum or a distinct count reads of them
    by: the measure is kept for every value of this field, too, as `key@value`
    """

    key: str
    title: str
    fold: Fold
    events: tuple[str, ...] = ()
    where: tuple[Where, ...] = ()
    field: str | None = None
    by: Literal["channel"] | None = None


Audience = Literal["followers", "subscribers", "members"]


def counted(key: str, title: str, events: str | tuple[str, ...], *where: Where) -> Measure:
    """How many events there were."""
    return Measure(key=key, title=title, fold=Fold.COUNT, events=_each(events), where=where)


def summed(key: str, title: str, events: str | tuple[str, ...], field: str, *where: Where) -> Measure:
    """The sum of a field."""
    return Measure(key=key, title=title, fold=Fold.SUM, events=_each(events), where=where, field=field)


def distinct(key: str, title: str, event: str, *where: Where, field: str = "@author") -> Measure:
    """How many different values a field had."""
    return Measure(key=key, title=title, fold=Fold.DISTINCT, events=(event,), where=where, field=field)


def joined(key: str, title: str, events: str | tuple[str, ...], fold: Fold = Fold.JOIN) -> Measure:
    """What a step that knows more than one event contributes."""
    return Measure(key=key, title=title, fold=fold, events=_each(events))


def _each(events: str | tuple[str, ...]) -> tuple[str, ...]:
    return (events,) if isinstance(events, str) else events
