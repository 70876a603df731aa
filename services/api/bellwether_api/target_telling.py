"""How a target stands, as the API tells it."""

from __future__ import annotations

from bellwether.catalogue.kpi import Kpi, Unit
from bellwether.domain.targets import COVERAGE, Projection
from bellwether_api.figures import figure
from bellwether_api.moments import moment_at
from bellwether_api.target_progress import TargetProgress
from bellwether_api.target_shapes import ProgressOut, ProjectionOut


def unit_told(kpi: Kpi, currency: str) -> str:
    """The unit in which values of a KPI are told: the currency of the brand for money."""
    return currency if kpi.unit is Unit.MONEY else kpi.unit.value


def progress_told(stands: TargetProgress, as_of: int) -> ProgressOut:
    """Progress with its moments as RFC 3339 and every field present. as_of: UTC seconds."""
    frame, attainment = stands.frame, stands.attainment
    return ProgressOut(
        as_of=moment_at(as_of),
        start=moment_at(frame.start) if frame else None,
        deadline=moment_at(frame.end) if frame else None,
        elapsed=frame.elapsed if frame else None,
        figure=figure(stands.value) if stands.value else None,
        baseline=stands.baseline,
        goal=attainment.goal,
        expected=attainment.expected,
        attainment=attainment.attainment,
        behind=attainment.behind,
        status=attainment.status,
        reason=attainment.reason,
        projection=_projection(stands.projection),
        projection_reason=stands.lack,
    )


def _projection(found: Projection | None) -> ProjectionOut | None:
    if found is None:
        return None
    return ProjectionOut(found.value, found.low, found.high, COVERAGE, found.method, found.days)
