"""Worked examples of the operators of formulas: told on docs/operators.md, and worked by test_operators.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from bellwether.catalogue.formula import (
    AnyFormula,
    Average,
    Blend,
    Contrast,
    DuringCrises,
    Facts,
    Formula,
    Growth,
    Latest,
    LevelGrowth,
    Levels,
    Lowest,
    Moments,
    NetChange,
    Percentile,
    PerLevel,
    Ratio,
    RatioFall,
    RatioGrowth,
    Reason,
    Recovered,
    RecoveryTime,
    Regained,
    Retention,
    Sum,
    TrendCoverage,
    Uplift,
    less,
    total,
)
from bellwether.catalogue.measures import Audience
from bellwether.domain.clock import HOUR_S
from bellwether.domain.incidents import Interval
from bellwether.domain.totals import Totals
from tests.unit.catalogue.facts import FOUR_WEEKS, ZERO, facts, timeline

OPERATORS: Final[tuple[type[Formula], ...]] = get_args(AnyFormula)
_DAY: Final = 24


@dataclass(frozen=True)
class Example:
    """A formula, what it is read over, and what it gives: a value or the reason for having none.

    hours: totals by the hour in which they happened; it and moments are counted from the start of a window of
    28 days in UTC, hours and moments in hours
    """

    formula: Formula
    gives: float | int | Reason
    now: Totals = field(default_factory=dict)
    before: Totals = field(default_factory=dict)
    levels: Mapping[Audience, Levels] = field(default_factory=dict)
    waiting: Mapping[str, Sequence[int]] = field(default_factory=dict)
    hours: Mapping[int, Totals] = field(default_factory=dict)
    markers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    crises: Sequence[tuple[float, float | None]] = ()

    def facts(self) -> Facts:
        """What the formula is read over."""
        at = timeline({ZERO + hour * HOUR_S: totals for hour, totals in self.hours.items()})
        markers = {name: [_moment(hour) for hour in hours] for name, hours in self.markers.items()}
        crises = [Interval(_moment(opened), None if over is None else _moment(over)) for opened, over in self.crises]
        moments = Moments(at, markers, crises)
        return facts(self.now, self.before, self.levels, self.waiting, moments, FOUR_WEEKS)

    def given(self) -> Iterator[str]:
        """What it is read over, in words."""
        if self.now:
            yield f"in the window {_totals(self.now)}"
        if self.before:
            yield f"before {_totals(self.before)}"
        for audience, levels in self.levels.items():
            yield f"{audience} at the start {_totals(levels.start)}, at the end {_totals(levels.end)}"
        for name, seconds in self.waiting.items():
            yield f"{name} that wait for {', '.join(f'{one} s' for one in seconds)}"
        for name, moments in self.markers.items():
            yield f"{name} on {' and '.join(_told(hour) for hour in moments)}"
        for opened, over in self.crises:
            yield f"a crisis from {_told(opened)} on, " + ("still open" if over is None else f"over on {_told(over)}")
        for hour, totals in self.hours.items():
            yield f"on {_told(hour)} {_totals(totals)}"


def _moment(hour: float) -> int:
    return ZERO + round(hour * HOUR_S)


def _told(hour: float) -> str:
    """A moment as day 3, 15:20; the window begins on day 1."""
    minutes = round(hour * 60)
    return f"day {minutes // 1440 + 1}, {minutes // 60 % 24:02}:{minutes % 60:02}"


def _totals(totals: Mapping[str, object]) -> str:
    return ", ".join(f"`{measure}` {amount}" for measure, amount in totals.items()) or "nothing"


_CLICKS, _IMPRESSIONS = total("clicks"), total("impressions")
_NET, _TEXTS = less("positive_n", "negative_n"), total("sentiment_n")
_MEDIAN = Percentile("response_time", 0.5, waiting="messages")
_AWARENESS = Uplift(total("mentions"), None, "collaboration_started")
_IMPACT = Uplift(_NET, _TEXTS, "campaign_started", points=True)
_ADAPTED = Recovered(total("reach"), "platform_change")
_REACHED = (100, 60, 70, 90, 100, 90, 90, 90)
"""In the days before a change, each; then day by day after it."""
_CRISIS: Final[dict[int, Totals]] = {
    2 * _DAY: {"positive_n": 7, "negative_n": 3, "sentiment_n": 10},
    3 * _DAY + 1: {"positive_n": 4, "negative_n": 6, "sentiment_n": 10},
    3 * _DAY + 4: {"positive_n": 5, "negative_n": 5, "sentiment_n": 10},
    3 * _DAY + 7: {"positive_n": 9, "negative_n": 1, "sentiment_n": 10},
}
_OPEN = (3 * _DAY + 0.5, 3 * _DAY + 2.25)
_TEAMS = Contrast(total("team_clicks"), total("team_views"), less("clicks", "team_clicks"), less("views", "team_views"))


def _days(first: int, amounts: Sequence[int], measure: str) -> dict[int, Totals]:
    return {(first + day) * _DAY: {measure: amount} for day, amount in enumerate(amounts)}


EXAMPLES: Final = (
    Example(Sum(total("reactions", "comments")), 5, now={"reactions": 3, "comments": 2}),
    Example(Sum(less("reach", "paid_reach")), 0),
    Example(Sum(total("sale_value"), unit=1_000_000), 12.5, now={"sale_value": 12_500_000}),
    Example(Sum(total("sale_value"), unit=1_000_000), Reason.NO_RATE, now={"sale_value.unconverted": 3}),
    Example(Ratio(_CLICKS, _IMPRESSIONS), 2.0, now={"clicks": 30, "impressions": 1_500}),
    Example(
        Ratio(total("ad_spend"), total("ad_clicks"), 1, 1_000_000), 0.25, now={"ad_spend": 1_000_000, "ad_clicks": 4}
    ),
    Example(Ratio(_CLICKS, _IMPRESSIONS), Reason.NO_DATA, now={"clicks": 30}),
    Example(
        Ratio(less("conversion_value", "cost"), total("cost"), 100, 1_000_000, 1_000_000),
        Reason.NO_RATE,
        now={"cost": 5_000_000, "conversion_value.unconverted": 2},
    ),
    Example(Average("session_seconds", "sessions"), 30.0, now={"session_seconds": 90, "sessions": 3}),
    Example(Average("session_seconds", "sessions"), Reason.NO_DATA),
    Example(_MEDIAN, 120, now={"response_time": {60: 1, 120: 1, 600: 1}}, waiting={"messages": [300]}),
    Example(_MEDIAN, Reason.NOT_REACHED, now={"response_time": {60: 1}}, waiting={"messages": [100, 200]}),
    Example(_MEDIAN, Reason.NO_DATA),
    Example(_TEAMS, 50.0, now={"team_clicks": 60, "team_views": 1_000, "clicks": 100, "views": 2_000}),
    Example(
        Contrast(total("a_pos"), total("a_n"), less("pos", "a_pos"), less("n", "a_n"), points=True),
        25.0,
        now={"a_pos": 3, "a_n": 4, "pos": 7, "n": 12},
    ),
    Example(_TEAMS, Reason.NO_DATA, now={"clicks": 40, "views": 1_000}),
    Example(
        Lowest("assessment_consistency_sum", "assessment_consistency_n", 1_000_000),
        75.0,
        now={
            "assessment_consistency_sum": 2_400_000,
            "assessment_consistency_n": 3,
            "assessment_consistency_sum@instagram": 1_800_000,
            "assessment_consistency_n@instagram": 2,
            "assessment_consistency_sum@facebook": 600_000,
            "assessment_consistency_n@facebook": 1,
        },
    ),
    Example(Lowest("assessment_consistency_sum", "assessment_consistency_n"), Reason.NO_DATA),
    Example(Growth(total("mentions")), 25.0, now={"mentions": 125}, before={"mentions": 100}),
    Example(Growth(total("mentions")), Reason.NOTHING_BEFORE, now={"mentions": 125}),
    Example(
        RatioGrowth(_CLICKS, _IMPRESSIONS),
        20.0,
        now={"clicks": 6, "impressions": 100},
        before={"clicks": 10, "impressions": 200},
    ),
    Example(RatioGrowth(_CLICKS, _IMPRESSIONS), Reason.NO_DATA, before={"clicks": 10, "impressions": 200}),
    Example(RatioGrowth(_CLICKS, _IMPRESSIONS), Reason.NOTHING_BEFORE, now={"clicks": 6, "impressions": 100}),
    Example(
        RatioFall(total("negative_n"), _TEXTS),
        5.0,
        now={"negative_n": 2, "sentiment_n": 10},
        before={"negative_n": 5, "sentiment_n": 20},
    ),
    Example(RatioFall(total("negative_n"), _TEXTS), Reason.NOTHING_BEFORE, now={"negative_n": 2, "sentiment_n": 10}),
    Example(
        TrendCoverage((("mentions",), ("clicks", "link_clicks")), ("followers", "members")),
        50.0,
        now={"mentions": 5, "clicks": 1},
        before={"mentions": 4},
        levels={"followers": Levels({"page": 900}, {"page": 910})},
    ),
    Example(TrendCoverage(()), Reason.NO_DATA),
    Example(Latest(("followers",)), 950, levels={"followers": Levels({"page": 890}, {"page": 900, "group": 50})}),
    Example(Latest(("followers",)), Reason.NO_DATA),
    Example(NetChange(("members",)), 30, levels={"members": Levels({"forum": 1_000}, {"forum": 1_030, "new": 5})}),
    Example(NetChange(("members",)), Reason.NOTHING_BEFORE, levels={"members": Levels({}, {"new": 5})}),
    Example(LevelGrowth(("members",)), 3.0, levels={"members": Levels({"forum": 1_000}, {"forum": 1_030})}),
    Example(LevelGrowth(("members",)), Reason.NOTHING_BEFORE, levels={"members": Levels({"forum": 0}, {"forum": 9})}),
    Example(
        PerLevel(total("left"), ("subscribers",), "start"),
        2.0,
        now={"left": 20},
        levels={"subscribers": Levels({"list": 1_000}, {"list": 1_100})},
    ),
    Example(PerLevel(total("left"), ("subscribers",), "start"), Reason.NOTHING_BEFORE, now={"left": 20}),
    Example(PerLevel(total("views"), ("subscribers",), "end"), Reason.NO_DATA, now={"views": 20}),
    Example(
        Retention("members", "joined_members"),
        98.0,
        now={"joined_members": 40},
        levels={"members": Levels({"forum": 1_000}, {"forum": 1_020})},
    ),
    Example(Retention("members", "joined_members"), Reason.NOTHING_BEFORE, now={"joined_members": 40}),
    Example(
        _AWARENESS,
        30.0,
        markers={"collaboration_started": [10 * _DAY + 9.5]},
        hours={
            3 * _DAY + 8: {"mentions": 7},
            3 * _DAY + 9: {"mentions": 40},
            10 * _DAY + 8: {"mentions": 60},
            10 * _DAY + 9: {"mentions": 90},
            17 * _DAY + 8: {"mentions": 40},
            17 * _DAY + 9: {"mentions": 7},
        },
    ),
    Example(
        _IMPACT,
        20.0,
        markers={"campaign_started": [2 * _DAY, 10 * _DAY]},
        hours={
            1 * _DAY: {"positive_n": 6, "negative_n": 5, "sentiment_n": 20},
            5 * _DAY: {"positive_n": 9, "negative_n": 2, "sentiment_n": 20},
            12 * _DAY: {"positive_n": 12, "negative_n": 3, "sentiment_n": 20},
        },
    ),
    Example(_AWARENESS, Reason.NO_MARKER, markers={"collaboration_started": [22 * _DAY]}),
    Example(_AWARENESS, Reason.NOTHING_BEFORE, markers={"collaboration_started": [0]}, hours={2: {"mentions": 5}}),
    Example(_IMPACT, Reason.NO_DATA, markers={"campaign_started": [_DAY]}),
    Example(
        _ADAPTED,
        50.0,
        markers={"platform_change": [8 * _DAY, 20 * _DAY]},
        hours={
            **_days(1, [100] * 7, "reach"),
            **_days(8, [60, 70, 90, 100, 90, 90, 90], "reach"),
            **_days(15, [80] * 5, "reach"),
            **_days(20, [60] * 7, "reach"),
        },
    ),
    Example(_ADAPTED, Reason.NO_MARKER),
    Example(_ADAPTED, Reason.NOTHING_BEFORE, markers={"platform_change": [_DAY]}, hours={30: {"reach": 5}}),
    Example(DuringCrises(_NET, _TEXTS), -20.0, crises=[_OPEN], hours=_CRISIS),
    Example(DuringCrises(_NET, _TEXTS), Reason.NO_DATA, hours=_CRISIS),
    Example(Regained(_NET, _TEXTS), 100.0, crises=[_OPEN], hours=_CRISIS),
    Example(Regained(_NET, _TEXTS), Reason.NO_MARKER, crises=[(26 * _DAY, None)], hours=_CRISIS),
    Example(Regained(_NET, _TEXTS), Reason.NO_DATA, crises=[(10 * _DAY, 11 * _DAY)], hours=_CRISIS),
    Example(RecoveryTime(_NET, _TEXTS), 20_700, crises=[_OPEN], hours=_CRISIS),
    Example(RecoveryTime(_NET, _TEXTS), Reason.NO_MARKER, hours=_CRISIS),
    Example(RecoveryTime(_NET, _TEXTS), Reason.NO_DATA, crises=[(10 * _DAY, 11 * _DAY)], hours=_CRISIS),
    Example(
        RecoveryTime(_NET, _TEXTS),
        Reason.NOT_REACHED,
        crises=[(2 * _DAY + 1, 4 * _DAY)],
        hours={2 * _DAY: _CRISIS[2 * _DAY]},
    ),
    Example(
        Blend((Average("assessed_sum", "assessed_n"), Average("asked_sum", "asked_n"))),
        75.0,
        now={"assessed_sum": 160, "assessed_n": 2, "asked_sum": 70, "asked_n": 1},
    ),
    Example(Blend((Average("a_sum", "a_n"), Average("b_sum", "b_n"))), 80.0, now={"a_sum": 160, "a_n": 2}),
    Example(Blend((Average("a_sum", "a_n"), Average("b_sum", "b_n"))), Reason.NO_DATA),
)
