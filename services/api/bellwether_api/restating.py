"""An issued card beside what it would be today, and why they differ."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from bellwether_api.card_shapes import Cause, LineTarget, RestatedLine, Restatement, ScorecardLine, ScorecardOut
from bellwether_api.cuts import parse_cut
from bellwether_api.periods import parse_period
from bellwether_api.queries import ScorecardQuery


class FrozenTarget(msgspec.Struct, frozen=True):
    """What a restatement reads of a target."""

    id: str
    words: str
    deadline: datetime


class FrozenLine(msgspec.Struct, frozen=True):
    """What a restatement reads of a line."""

    kpi: str
    version: int
    value: float | int | None
    attainment: float | None
    target: FrozenTarget | None


class FrozenArea(msgspec.Struct, frozen=True):
    """The lines of an area."""

    lines: list[FrozenLine]


class FrozenCut(msgspec.Struct, frozen=True):
    """The cut that was issued."""

    cut: str | None
    score: float | None
    areas: list[FrozenArea]


class FrozenCard(msgspec.Struct, frozen=True):
    """What a restatement reads of an issued card; what else is written in it is left alone."""

    period: str
    end: datetime
    cuts: list[FrozenCut]

    @property
    def cut(self) -> FrozenCut:
        """The one cut that a card is issued for."""
        return self.cuts[0]

    def lines(self) -> dict[str, FrozenLine]:
        """By KPI; one that stands in several areas reads the same in all."""
        return {line.kpi: line for area in self.cut.areas for line in area.lines}

    def differs_from(self, card: ScorecardOut) -> bool:
        """Whether any line reads otherwise on that card."""
        live = lines_of(card)
        return any(_numbers(line) != _numbers(live[key]) for key, line in self.lines().items() if key in live)


def card_query(period: str, cut: str | None, as_of: int | None = None, known_at: int | None = None) -> ScorecardQuery:
    """The query that reads a card by the names of its period and cut; moments in UTC seconds."""
    return ScorecardQuery(
        period=parse_period(period), cut=None if cut is None else parse_cut(cut), as_of=as_of, known_at=known_at
    )


def lines_of(card: ScorecardOut) -> dict[str, ScorecardLine]:
    """The lines of a card of one cut, by KPI."""
    return {line.kpi: line for area in card.cuts[0].areas for line in area.lines}


def restated(frozen: FrozenCard, then: ScorecardOut, today: ScorecardOut, known_at: datetime) -> Restatement:
    """The frozen card beside today's.

    then: the same card with what was known at the end of the day of issue
    """
    cut = today.cuts[0]
    lines = [
        _line(line, lines_of(then).get(key), lines_of(today).get(key), is_shorter=today.end < frozen.end)
        for key, line in frozen.lines().items()
    ]
    return Restatement(
        known_at=known_at,
        issued_score=frozen.cut.score,
        score=cut.score,
        rating=cut.rating,
        changed=sum(bool(line.causes) for line in lines),
        lines=lines,
    )


def _line(
    frozen: FrozenLine, then: ScorecardLine | None, today: ScorecardLine | None, *, is_shorter: bool
) -> RestatedLine:
    value = today.value if today else None
    difference = None if value is None or frozen.value is None else value - frozen.value
    return RestatedLine(
        kpi=frozen.kpi,
        issued=frozen.value,
        today=value,
        difference=difference,
        issued_attainment=frozen.attainment,
        today_attainment=today.attainment if today else None,
        causes=list(_causes(frozen, then, today, is_shorter=is_shorter)),
    )


def _causes(
    frozen: FrozenLine, then: ScorecardLine | None, today: ScorecardLine | None, *, is_shorter: bool
) -> Iterator[Cause]:
    if today is None or then is None:
        yield Cause.NO_LONGER_DEFINED
        return
    is_other_aim = _aim(frozen.target) != _aim(today.target)
    if is_other_aim:
        yield Cause.TARGET_CHANGED
    # The way to another aim says nothing of events.
    numbers = _value if is_other_aim else _numbers
    if numbers(frozen) == numbers(today):
        return
    if frozen.version != today.version:
        yield Cause.DEFINITION_CHANGED
    if is_shorter:
        yield Cause.SHORTER_SPAN
    if numbers(then) != numbers(today):
        yield Cause.LATE_EVENTS
    if numbers(then) != numbers(frozen) and not is_shorter and frozen.version == today.version:
        yield Cause.SAME_DAY_EVENTS


def _value(line: FrozenLine | ScorecardLine) -> tuple[float | None, ...]:
    return (line.value,)


def _numbers(line: FrozenLine | ScorecardLine) -> tuple[float | None, ...]:
    return (line.value, line.attainment)


def _aim(target: FrozenTarget | LineTarget | None) -> tuple[str, datetime] | None:
    return None if target is None else (target.words, target.deadline)
