"""Calendar periods by name: 2026-10-31, 2026-W45, 2026-10, 2026-Q4, 2026."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import msgspec

from bellwether.domain.clock import LocalClock, ceil_minute, date_of, day_of
from bellwether.domain.windows import MINUTES_KEPT_S, PERIOD_START, Span, Window, next_period, period_span

_FORMS: tuple[tuple[Window, re.Pattern[str]], ...] = (
    (Window.YEAR, re.compile(r"(\d{4})", re.ASCII)),
    (Window.QUARTER, re.compile(r"(\d{4})-Q([1-4])", re.ASCII)),
    (Window.MONTH, re.compile(r"(\d{4})-(\d\d)", re.ASCII)),
    (Window.WEEK, re.compile(r"(\d{4})-W(\d\d)", re.ASCII)),
    (Window.DAY, re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)),
)
FORMS = "YYYY, YYYY-Qn, YYYY-MM, YYYY-Www or YYYY-MM-DD"
_YEARS = range(1970, 2200)


class Period(msgspec.Struct, frozen=True):
    """A calendar day, week, month, quarter or year, by its first day."""

    window: Window
    first: date

    @property
    def name(self) -> str:
        """How `parse_period` reads it."""
        return _NAME[self.window](self.first)


def _first_day(window: Window, year: int, *rest: int) -> date:
    if window is Window.WEEK:
        return date.fromisocalendar(year, rest[0], 1)
    if window is Window.QUARTER:
        return date(year, 3 * rest[0] - 2, 1)
    month, day = (*rest, 1, 1)[:2]
    return date(year, month, day)


def parse_period(text: str) -> Period:
    """The period of that name. Raises ValueError for another form or a date that does not exist."""
    for window, form in _FORMS:
        if found := form.fullmatch(text):
            numbers = [int(number) for number in found.groups()]
            if numbers[0] not in _YEARS:
                raise ValueError("must lie between 1970 and 2200")
            try:
                return Period(window, _first_day(window, *numbers))
            except ValueError:
                raise ValueError("must be a period that exists") from None
    raise ValueError(f"must be {FORMS}")


def _quarter_name(first: date) -> str:
    return f"{first.year}-Q{(first.month + 2) // 3}"


def _week_name(first: date) -> str:
    year, week, _ = first.isocalendar()
    return f"{year}-W{week:02}"


_NAME: dict[Window, Callable[[date], str]] = {
    Window.DAY: date.isoformat,
    Window.WEEK: _week_name,
    Window.MONTH: lambda first: first.isoformat()[:7],
    Window.QUARTER: _quarter_name,
    Window.YEAR: lambda first: first.isoformat()[:4],
}


def period_of(window: Window, moment: int, clock: LocalClock) -> Period:
    """The period of that kind that holds a moment."""
    return Period(window, PERIOD_START[window](date_of(clock.day(moment))))


def span_of(period: Period, clock: LocalClock, as_of: int, now: int) -> Span:
    """The span of a period as seen at a moment, and the one it is compared with.

    While the period runs it ends at the minute of `as_of`, or at the whole hour before where
    an edge would fall between two hours whose minutes are no longer kept at `now`.
    """
    span = period_span(period.window, period.first, clock, ceil_minute(as_of))
    if all(_is_kept(edge, clock, now) for edge in _edges(span)):
        return span
    span = period_span(period.window, period.first, clock, clock.hour(as_of))
    start, end, before_start, before_end = map(clock.hour, _edges(span))
    return Span(start, end, before_start, before_end, span.partial)


def before_of(period: Period, span: Span, clock: LocalClock, now: int) -> Span:
    """The comparison of a span as a span of its own, with a comparison in its turn."""
    found = period_span(period.window, previous_first(period), clock, span.before_end)
    if _is_kept(found.before_end, clock, now):
        return found
    return msgspec.structs.replace(found, before_end=clock.hour(found.before_end))


def _edges(span: Span) -> tuple[int, int, int, int]:
    return (span.start, span.end, span.before_start, span.before_end)


def _is_kept(edge: int, clock: LocalClock, now: int) -> bool:
    return edge >= now - MINUTES_KEPT_S or clock.hour(edge) == edge


def previous_first(period: Period) -> date:
    """The first day of the period before."""
    return PERIOD_START[period.window](period.first - timedelta(days=1))


def starts(period: Period, clock: LocalClock) -> int:
    """The first moment of the period, in UTC seconds."""
    return clock.day_start(day_of(period.first))


def ends(period: Period, clock: LocalClock) -> int:
    """The first moment after the period, in UTC seconds."""
    return clock.day_start(day_of(next_period(period.window, period.first)))
