"""What a formula reads and what it gives: facts of one span in, a reading out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Protocol

import msgspec

from bellwether.catalogue.formula.moments import Moments
from bellwether.catalogue.formula.terms import Amounts
from bellwether.catalogue.measures import Audience
from bellwether.domain.totals import Totals
from bellwether.domain.windows import Span


class Reason(StrEnum):
    """Why a KPI has no value."""

    NO_DATA = "no_data"
    """Nothing of what it is made of happened in the window."""
    NOTHING_BEFORE = "nothing_before"
    """It is compared with what was before, and that is empty."""
    NOT_REACHED = "not_reached"
    """So many still wait that the quantile of the waiting times is not reached."""
    NO_MARKER = "no_marker"
    """No marker, and no crisis, whose days after it were over in the window."""
    NO_RATE = "no_rate"
    """Money that cannot be converted is all there is."""


class Levels(msgspec.Struct, frozen=True):
    """The counts of an audience by account, at the start and at the end of a span."""

    start: Mapping[str, int]
    end: Mapping[str, int]


class Facts(msgspec.Struct, frozen=True):
    """All that a formula may read about one brand and cut over one span.

    amounts, before: measures as numbers over the span and over the one it is compared with
    waiting: seconds waited so far by unanswered `messages` and `queries`, ascending; names that
        end with `.business` count open hours only
    moments: markers and crises with the sums around them; None where there are none
    unpriced: measures of money of which nothing at all could be converted
    last_day: the local day that holds the end of the span
    """

    span: Span
    totals: Totals
    amounts: Amounts
    before: Amounts
    levels: Mapping[Audience, Levels]
    waiting: Mapping[str, Sequence[int]]
    moments: Moments | None = None
    unpriced: frozenset[str] = frozenset()
    last_day: date | None = None


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


def undefined(reason: Reason, n: int = 0) -> Reading:
    """A reading without a value."""
    return Reading(None, n=n, reason=reason)
