"""Formulas: how a KPI is read from the totals of a span.

Each operator says its formula and where it is undefined. An undefined value is None with a
reason, never 0 and never NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from bellwether.catalogue.measures import Audience
from bellwether.domain.survival import quantile_of, waiting_time
from bellwether.domain.totals import Total, Totals
from bellwether.domain.windows import Span


class Reason(StrEnum):
    """Why a KPI has no value."""

    NO_DATA = "no_data"
    """Nothing of what it is made of happened in the window."""
    NOTHING_BEFORE = "nothing_before"
    """Growth, and the window before is empty."""
    NOT_REACHED = "not_reached"
    """So many still wait that the quantile of the waiting times is not reached."""


Amounts = Mapping[str, int]
"""Totals as numbers by measure; one that is absent is 0."""


class Levels(msgspec.Struct, frozen=True):
    """The counts of an audience by account, at the start and at the end of a span."""

    start: Mapping[str, int]
    end: Mapping[str, int]


class Facts(msgspec.Struct, frozen=True):
    """All that a formula may read about one brand and cut over one span.

    amounts, before: measures as numbers over the span and over the one it is compared with
    waiting: seconds waited so far by unanswered `messages` and `queries`, ascending
    """

    span: Span
    totals: Totals
    amounts: Amounts
    before: Amounts
    levels: Mapping[Audience, Levels]
    waiting: Mapping[str, Sequence[int]]


class Reading(msgspec.Struct, frozen=True):
    """A value with what it was made from; `reason` says why a value is None."""

    value: float | int | None
    numerator: float | int | None = None
    denominator: float | int | None = None
    n: int = 0
    reason: Reason | None = None


class Formula(Protocol):
    """What every operator offers."""

    def read(self, facts: Facts) -> Reading:
        """The value over the span of the facts."""

    def measures(self) -> tuple[str, ...]:
        """The measures it is made of, most telling first."""


class Term(msgspec.Struct, frozen=True):
    """A measure and its weight in a sum."""

    measure: str
    weight: int = 1


def amounts_of(totals: Totals) -> dict[str, int]:
    """Totals as numbers: an integer itself, the count of a histogram or of a sketch."""
    return {measure: _amount(total) for measure, total in totals.items()}


def _amount(total: Total) -> int:
    if isinstance(total, int):
        return total
    return sum(total.values()) if isinstance(total, dict) else total.estimate()


def _sum(amounts: Amounts, terms: Sequence[Term]) -> int:
    found = 0
    for term in terms:
        found += term.weight * amounts.get(term.measure, 0)
    return found


def _names(*groups: Sequence[Term]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term.measure for group in groups for term in group))


class Sum(msgspec.Struct, frozen=True):
    """The sum of measures, or the count of distinct values of one.

    Always defined: nothing happened is 0, since a window is always observed.
    Example: 3 reactions and 2 comments give 5.
    """

    terms: tuple[Term, ...]

    def read(self, facts: Facts) -> Reading:
        """The sum over the span."""
        total = _sum(facts.amounts, self.terms)
        return Reading(total, numerator=total, n=total)

    def measures(self) -> tuple[str, ...]:
        """The measures of its terms."""
        return _names(self.terms)


class Ratio(msgspec.Struct, frozen=True):
    """scale × sum over sum: of all hours together, not a mean of hourly ratios.

    Undefined (no_data) where the denominator is 0.
    Example: 30 clicks over 1,500 impressions, scale 100, give 2.0 (percent).
    """

    numerator: tuple[Term, ...]
    denominator: tuple[Term, ...]
    scale: int = 100

    def read(self, facts: Facts) -> Reading:
        """The ratio over the span; n is the denominator."""
        top, bottom = _sum(facts.amounts, self.numerator), _sum(facts.amounts, self.denominator)
        if bottom == 0:
            return Reading(None, top, bottom, 0, Reason.NO_DATA)
        return Reading(self.scale * top / bottom, top, bottom, bottom)

    def measures(self) -> tuple[str, ...]:
        """The measures of numerator and denominator."""
        return _names(self.numerator, self.denominator)


class Average(msgspec.Struct, frozen=True):
    """The sum of a quantity over how many there were, in `1/unit` of the stored sum.

    Undefined (no_data) where there was none.
    Example: 90 s over 3 answers give 30.0.
    """

    total: str
    count: str
    unit: int = 1

    def read(self, facts: Facts) -> Reading:
        """The average over the span; n is how many there were."""
        top, bottom = facts.amounts.get(self.total, 0), facts.amounts.get(self.count, 0)
        if bottom == 0:
            return Reading(None, top, bottom, 0, Reason.NO_DATA)
        return Reading(top / self.unit / bottom, top / self.unit, bottom, bottom)

    def measures(self) -> tuple[str, ...]:
        """Sum and count."""
        return (self.total, self.count)


class Percentile(msgspec.Struct, frozen=True):
    """A quantile of waiting times in seconds, with those who still wait counted as waiting.

    With `waiting`, the Kaplan-Meier estimate (`survival.waiting_time`), else the lower
    quantile. Undefined (no_data) where nobody waited, (not_reached) where too many still do.
    Example: 60, 120 and 600 s and one who has waited 300 s: the median is 120 s.
    """

    histogram: str
    quantile: float
    waiting: str | None = None

    def read(self, facts: Facts) -> Reading:
        """The quantile over the span; numerator is how many ended, n how many waited."""
        found = facts.totals.get(self.histogram, {})
        ended = found if isinstance(found, dict) else {}
        still = facts.waiting.get(self.waiting, ()) if self.waiting else ()
        answered, n = sum(ended.values()), sum(ended.values()) + len(still)
        if n == 0:
            return Reading(None, 0, 0, 0, Reason.NO_DATA)
        value = waiting_time(self.quantile, ended, still) if still else quantile_of(self.quantile, ended)
        return Reading(value, answered, n, n, None if value is not None else Reason.NOT_REACHED)

    def measures(self) -> tuple[str, ...]:
        """The distribution."""
        return (self.histogram,)


class Growth(msgspec.Struct, frozen=True):
    """100 × (this window − the window before it) / the window before it.

    Undefined (nothing_before) where the window before is 0.
    Example: 125 after 100 give 25.0 (percent).
    """

    terms: tuple[Term, ...]

    def read(self, facts: Facts) -> Reading:
        """The growth; numerator is the difference, denominator the window before."""
        now, before = _sum(facts.amounts, self.terms), _sum(facts.before, self.terms)
        if before == 0:
            return Reading(None, now, before, now, Reason.NOTHING_BEFORE)
        return Reading(100 * (now - before) / before, now - before, before, now)

    def measures(self) -> tuple[str, ...]:
        """The measures of its terms."""
        return _names(self.terms)


def _both_ends(facts: Facts, audiences: Sequence[Audience]) -> tuple[int, int, int]:
    """Sums at start and end over the accounts known at both, and how many those are."""
    start = end = accounts = 0
    for audience in audiences:
        levels = facts.levels.get(audience)
        for account, count in levels.start.items() if levels else ():
            if levels and account in levels.end:
                start, end, accounts = start + count, end + levels.end[account], accounts + 1
    return start, end, accounts


class Latest(msgspec.Struct, frozen=True):
    """The size of audiences at the end of the span: the last snapshot of every account.

    Undefined (no_data) before the first snapshot. Example: 900 on one and 50 on another
    account give 950.
    """

    audiences: tuple[Audience, ...]

    def read(self, facts: Facts) -> Reading:
        """The size; n is how many accounts it is the sum of."""
        counts = [
            count
            for audience in self.audiences
            if (levels := facts.levels.get(audience))
            for count in levels.end.values()
        ]
        if not counts:
            return Reading(None, reason=Reason.NO_DATA)
        return Reading(sum(counts), sum(counts), None, len(counts))

    def measures(self) -> tuple[str, ...]:
        """None: audiences are levels."""
        return ()


class NetChange(msgspec.Struct, frozen=True):
    """The size of audiences at the end less that at the start of the span.

    Only accounts known at both ends count: one that was connected in between has not
    gained all its followers since. Undefined (nothing_before) where there is none.
    Example: 1,030 after 1,000 gives 30.
    """

    audiences: tuple[Audience, ...]

    def read(self, facts: Facts) -> Reading:
        """The change; denominator is the size at the start, n the number of accounts."""
        start, end, accounts = _both_ends(facts, self.audiences)
        if accounts == 0:
            return Reading(None, reason=Reason.NOTHING_BEFORE)
        return Reading(end - start, end - start, start, accounts)

    def measures(self) -> tuple[str, ...]:
        """None: audiences are levels."""
        return ()


class LevelGrowth(msgspec.Struct, frozen=True):
    """100 × net change of audiences over their size at the start of the span.

    Undefined (nothing_before) where no account is known at both ends or the start is 0.
    Example: 1,030 after 1,000 gives 3.0 (percent).
    """

    audiences: tuple[Audience, ...]

    def read(self, facts: Facts) -> Reading:
        """The growth; numerator is the change, denominator the size at the start."""
        start, end, accounts = _both_ends(facts, self.audiences)
        if start == 0:
            return Reading(None, end - start, start, accounts, Reason.NOTHING_BEFORE)
        return Reading(100 * (end - start) / start, end - start, start, accounts)

    def measures(self) -> tuple[str, ...]:
        """None: audiences are levels."""
        return ()


def total(*keys: str) -> tuple[Term, ...]:
    """The plain sum of measures."""
    return tuple(Term(key) for key in keys)


def less(first: str, *others: str) -> tuple[Term, ...]:
    """A measure less others."""
    return (Term(first), *(Term(key, -1) for key in others))
