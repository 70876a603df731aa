"""A target: one KPI of one brand in one cut, what it is to be, and when."""

from __future__ import annotations

import msgspec

from bellwether.domain.targets.aims import Aim, Band, Change, FromTo, Level, Maximum
from bellwether.domain.targets.timeframes import By, During, Every, Timeframe
from bellwether.domain.windows import Window


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is aimed at.

    kpi: key of the catalogue; cut: '' for the total
    kra: the key result area it serves
    window: for a deadline, the rolling window the KPI is read over; None is the KPI's own
    """

    kpi: str
    aim: Aim
    time: Timeframe
    kra: str
    cut: str = ""
    window: Window | None = None
    title: str = ""


_SUFFIX = {"percent": " %", "seconds": " s", "points": " points", "pages": " pages"}
_PERIOD_WORD = {Window.DAY: "day", Window.WEEK: "week", Window.MONTH: "month", Window.QUARTER: "quarter"}
_PERIOD_WORD |= {Window.YEAR: "year"}


def spelled(value: float, unit: str) -> str:
    """A value with its unit, to three significant digits or the whole number. Example: 1,000 or 5.2 %.

    unit: of the catalogue, or the code of a currency, which is its own unit
    """
    number = f"{value:,.0f}" if abs(value) >= _WHOLE_FROM or value == int(value) else f"{value:.3g}"
    return number + _SUFFIX.get(unit, f" {unit}" if unit.isupper() else "")


_WHOLE_FROM = 1_000


def period_word(window: Window, count: int = 1) -> str:
    """A calendar period in words: `month`, or `months` for any count but 1."""
    return _PERIOD_WORD[window] + ("" if count == 1 else "s")


def in_words(target: Target, unit: str, better: str) -> str:
    """What is aimed at, as one would say it. Example: at least 1,000 every month."""
    return f"{_aim_words(target.aim, unit, better)} {_time_words(target.time)}"


def _aim_words(aim: Aim, unit: str, better: str) -> str:
    match aim:
        case Level(value):
            return f"at {'most' if better == 'down' else 'least'} {spelled(value, unit)}"
        case Maximum(value):
            return f"at most {spelled(value, unit)}"
        case Band(low, high):
            return f"{spelled(low, unit)} to {spelled(high, unit)}"
        case Change(percent):
            return f"{percent:+g} % against the period before"
        case FromTo(start, goal):
            return f"from {spelled(start, unit)} to {spelled(goal, unit)}"


def _time_words(time: Timeframe) -> str:
    match time:
        case Every(period, _, until):
            return f"every {period_word(period)}" + (f" until {until}" if until else "")
        case During(period, first):
            return f"in the {period_word(period)} from {first}"
        case By(day):
            return f"by {day}"
