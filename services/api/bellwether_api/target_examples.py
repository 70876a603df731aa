"""One example of every answer about targets."""

from datetime import UTC, date, datetime

from bellwether.domain.targets import Bounds, Check, Criterion, Finding, Level, Method, Status
from bellwether_api.definitions import DEFINITIONS
from bellwether_api.shapes import Figure
from bellwether_api.target_shapes import (
    CalendarPeriod,
    EveryTime,
    ProgressOut,
    ProjectionOut,
    TargetHistory,
    TargetIn,
    TargetOut,
    TargetPage,
    TargetVersion,
)


def _at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


_KPI = DEFINITIONS["subscriber_growth"]
_AIM = Level(1_000.0)
_TIME = EveryTime(CalendarPeriod.MONTH, date(2026, 9, 1))
_KEY = "4bLkH0q1Zx2P"
_WORDS = "at least 1,000 every month"
_SMART = [
    Check(Criterion.SPECIFIC, Finding.MET, f"{_KPI.title} of acme-coffee: {_WORDS}."),
    Check(Criterion.MEASURABLE, Finding.MET, "In count, where more is better; at present 410."),
    Check(
        Criterion.ACHIEVABLE,
        Finding.WARNING,
        "The best of the last 6 months was 640; 1,000 asks for 1.6 times that; none of them met it.",
    ),
    Check(Criterion.RELEVANT, Finding.MET, f"It serves {_KPI.kra}, on the scorecard of: SMM specialist."),
    Check(Criterion.TIME_BOUND, Finding.MET, "At the end of every month."),
]
_PROGRESS = ProgressOut(
    as_of=_at(10, 16, 10),
    start=_at(9, 30, 22),
    deadline=_at(10, 31, 23),
    elapsed=0.5,
    figure=Figure(
        value=410,
        start=_at(9, 30, 22),
        end=_at(10, 16, 10),
        partial=True,
        numerator=410,
        denominator=33_600,
        n=1,
        reason=None,
        parts={"joined_subscribers": 460, "left_subscribers": 50},
    ),
    baseline=640.0,
    goal=Bounds(at_least=1_000.0),
    expected=Bounds(at_least=500.0),
    attainment=41.0,
    behind=9.0,
    status=Status.AT_RISK,
    reason=None,
    projection=ProjectionOut(812.0, 770.0, 854.0, 0.8, Method.DRIFT, 28),
    projection_reason=None,
)
_TARGET = TargetOut(
    id="new-subscribers",
    brand="acme-coffee",
    kpi=_KPI.key,
    kpi_title=_KPI.title,
    unit=_KPI.unit,
    currency=None,
    better=_KPI.better,
    cut=None,
    kra=_KPI.kra,
    title="",
    aim=_AIM,
    time=_TIME,
    window=None,
    words=_WORDS,
    version=1,
    changed_at=_at(9, 1, 8),
    changed_by=_KEY,
    smart=_SMART,
    progress=_PROGRESS,
)
_PAGE = TargetPage([_TARGET], None)
_VERSION = TargetVersion(
    version=1,
    changed_at=_at(9, 1, 8),
    changed_by=_KEY,
    target=TargetIn(kpi=_KPI.key, aim=_AIM, time=_TIME, kra=_KPI.kra),
    smart=_SMART,
)

TARGET_EXAMPLES = (_TARGET, _PAGE, TargetHistory("new-subscribers", [_VERSION]))
