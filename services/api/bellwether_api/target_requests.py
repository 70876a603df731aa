"""From the body of a request to a target: decoded, completed, and held against the catalogue and the calendar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from bellwether.catalogue.cuts import TOTAL, cut_name
from bellwether.catalogue.kpi import Direction, Kpi
from bellwether.domain.clock import LocalClock, date_of
from bellwether.domain.errors import Fault, Invalid, Malformed
from bellwether.domain.targets import (
    Aim,
    Band,
    By,
    Change,
    During,
    Every,
    FromTo,
    Level,
    Target,
    Timeframe,
    against,
    deadline,
)
from bellwether.domain.windows import Window
from bellwether.wire.events.decoding import UNREADABLE, explain
from bellwether.wire.strict import fault
from bellwether_api.cuts import parse_cut
from bellwether_api.periods import Period, parse_period
from bellwether_api.target_shapes import ByTime, CalendarPeriod, DuringTime, EveryTime, RollingWindow, TargetIn, Time

_YEARS = range(1970, 2200)
_decoder = msgspec.json.Decoder(TargetIn)


class Setting(NamedTuple):
    """What a target is set against.

    kpis: all that there are; now: the present moment, UTC seconds; before: what the target was
    """

    kpis: Mapping[str, Kpi]
    clock: LocalClock
    now: int
    before: Target | None

    @property
    def today(self) -> date:
        """The brand's local date."""
        return date_of(self.clock.day(self.now))


def decode_target(body: bytes) -> TargetIn:
    """The target in a request's body. Raises Malformed for what is no JSON, Invalid with pointers for wrong values."""
    if said := fault(body):
        raise Malformed("Not readable as JSON in UTF-8.", faults=(Fault("", said),))
    try:
        return _decoder.decode(body)
    except UNREADABLE as error:
        faults = tuple(Fault(one.pointer, one.detail) for one in explain(error))
        if isinstance(error, msgspec.ValidationError):
            raise Invalid("Some values are not valid.", faults=faults) from None
        raise Malformed("Not readable as JSON in UTF-8.", faults=faults) from None


def target_of(given: TargetIn, setting: Setting) -> Target:
    """The target that is meant, with everything it leaves out. Raises Invalid, which names all that is wrong."""
    kpi = setting.kpis.get(given.kpi)
    faults = [*_kpi_faults(given, kpi), *_text_faults(given), *_time_faults(given, setting)]
    if faults or kpi is None:
        raise Invalid("Some values are not valid.", faults=tuple(faults))
    target = Target(
        kpi=kpi.key,
        cut=_stored_cut(given.cut),
        aim=given.aim,
        time=_timeframe(given.time, setting),
        kra=given.kra or kpi.kra,
        window=Window(given.window) if given.window else None,
        title=given.title,
    )
    if late := _over(target.time, setting):
        raise Invalid("Some values are not valid.", faults=(late,))
    return target


def _kpi_faults(given: TargetIn, kpi: Kpi | None) -> Iterator[Fault]:
    if kpi is None:
        yield Fault("/kpi", "must be a key of the catalogue; GET /v1/kpis lists them")
        return
    if kpi.better is Direction.BAND and isinstance(given.aim, Level):
        yield Fault("/aim/form", "the KPI is to stay within a band: neither more nor less of it is better")
    faults = list(_aim_faults(given.aim))
    yield from faults
    if not faults and against(given.aim, kpi.better):
        yield Fault("/aim", f"asks for worse: of this KPI {_BETTER[kpi.better]} is better")


_BETTER = {Direction.UP: "more", Direction.DOWN: "less", Direction.BAND: "neither more nor less"}


def _aim_faults(aim: Aim) -> Iterator[Fault]:
    match aim:
        case Band(low, high) if low >= high:
            yield Fault("/aim/high", "must be above `low`")
        case Change(percent) if percent == 0 or percent <= -100:  # noqa: PLR2004 - all of it
            yield Fault("/aim/percent", "must be above -100 and not 0")
        case FromTo(start, goal) if start == goal:
            yield Fault("/aim/to", "must not be `from`")


def _text_faults(given: TargetIn) -> Iterator[Fault]:
    if given.cut is not None and (said := _cut_fault(given.cut)):
        yield Fault("/cut", said)
    for name, text in (("kra", given.kra), ("title", given.title)):
        if text is not None and not text.isprintable():
            yield Fault(f"/{name}", "must not hold control characters")
    if given.window is not None and not isinstance(given.time, ByTime):
        yield Fault("/window", "is for a date only: over a period the KPI is read over the period")


def _cut_fault(text: str) -> str | None:
    try:
        return None if parse_cut(text).value is not None else "must name one value, as in channel=instagram"
    except ValueError as error:
        return str(error)


def _stored_cut(text: str | None) -> str:
    if text is None:
        return TOTAL
    cut = parse_cut(text)
    return cut_name(cut.dimension, cut.value or "")


def _time_faults(given: TargetIn, setting: Setting) -> Iterator[Fault]:
    time = given.time
    if isinstance(time, DuringTime):
        try:
            parse_period(time.period)
        except ValueError as error:
            yield Fault("/time/period", str(error))
        return
    first, last, names = (
        (time.since, time.until, ("since", "until"))
        if isinstance(time, EveryTime)
        else (time.start, time.day, ("from", "date"))
    )
    for name, day in zip(names, (first, last), strict=True):
        if day is not None and day.year not in _YEARS:
            yield Fault(f"/time/{name}", "must lie between 1970 and 2200")
    if last is not None and (first or setting.today) > last:
        yield Fault(f"/time/{names[1]}", f"must not lie before `{names[0]}`, which is today unless given")


def _timeframe(time: Time, setting: Setting) -> Timeframe:
    """What is left out is today, or what it was before: the same request again changes nothing."""
    before = setting.before.time if setting.before else None
    match time:
        case DuringTime(period):
            found = parse_period(period)
            return During(found.window, found.first)
        case EveryTime(period, since, until):
            known = before.since if isinstance(before, Every) else setting.today
            return Every(Window(period), since or known, until)
        case ByTime(day, start):
            known = before.start if isinstance(before, By) and before.start <= day else setting.today
            return By(day, start or known)


def _over(time: Timeframe, setting: Setting) -> Fault | None:
    end = deadline(time, setting.clock)
    if end is None or end > setting.now:
        return None
    pointer = {Every: "/time/until", During: "/time/period", By: "/time/date"}[type(time)]
    return Fault(pointer, "is over")


def given_of(target: Target) -> TargetIn:
    """A target as it would be sent, with nothing left out."""
    return TargetIn(
        kpi=target.kpi,
        aim=target.aim,
        time=time_of(target.time),
        cut=target.cut or None,
        kra=target.kra,
        window=RollingWindow(target.window.value) if target.window else None,
        title=target.title,
    )


def time_of(time: Timeframe) -> Time:
    """A timeframe as the API tells it."""
    match time:
        case Every(period, since, until):
            return EveryTime(CalendarPeriod(period.value), since, until)
        case During(period, first):
            return DuringTime(Period(period, first).name)
        case By(day, start):
            return ByTime(day, start)
