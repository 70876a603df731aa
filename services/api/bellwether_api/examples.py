"""One example of every answer, as OpenAPI shows it."""

from datetime import UTC, datetime

from bellwether.domain.windows import Window
from bellwether_api.buckets import SeriesGrain
from bellwether_api.definitions import DEFINITIONS
from bellwether_api.shapes import (
    BrandOut,
    BrandPage,
    Catalogue,
    CurrentValues,
    CutValues,
    Figure,
    KpiCut,
    KpiReading,
    ScorecardArea,
    ScorecardCut,
    ScorecardLine,
    ScorecardOut,
    Series,
    SeriesCut,
    Trend,
)

_BRAND = "acme-coffee"
_ZONE = "Europe/Berlin"


def _at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


_KPI = DEFINITIONS["share_of_voice"]
_CATALOGUE = Catalogue([_KPI])
_BRAND_OUT = BrandOut(
    slug=_BRAND,
    name="Acme Coffee",
    time_zone=_ZONE,
    currency="EUR",
    competitors=["bean-there"],
    version=1,
    created_at=_at(9, 1, 8),
    updated_at=_at(9, 1, 8),
)
_BRAND_PAGE = BrandPage([_BRAND_OUT], "YWNtZS1jb2ZmZWU")

_FIGURE = Figure(
    value=62.5,
    start=_at(10, 12, 12),
    end=_at(10, 13, 12),
    partial=False,
    numerator=250,
    denominator=400,
    n=400,
    reason=None,
    parts={"mentions": 250, "competitor_mentions": 150},
)
_CURRENT_VALUES = CurrentValues(
    _BRAND,
    _ZONE,
    [CutValues(None, _at(10, 13, 12), _at(10, 13, 12), {"share_of_voice": {Window.DAY_24H: _FIGURE}})],
)
_KPI_READING = KpiReading(
    _BRAND,
    _ZONE,
    _KPI,
    [KpiCut("channel=instagram", _at(10, 13, 12), _at(10, 13, 12), {Window.DAY_24H: _FIGURE})],
)
_SERIES = Series(_BRAND, _ZONE, _KPI.key, _KPI.unit, SeriesGrain.DAY, [SeriesCut(None, [_FIGURE])])
_SCORECARD = ScorecardOut(
    brand=_BRAND,
    time_zone=_ZONE,
    role="social-media-manager",
    title="Social media manager",
    period="2026-10",
    start=_at(9, 30, 22),
    end=_at(10, 13, 12),
    partial=True,
    as_of=_at(10, 13, 12),
    cuts=[
        ScorecardCut(
            None,
            [
                ScorecardArea(
                    "General",
                    [
                        ScorecardLine(
                            kpi=_KPI.key,
                            title=_KPI.title,
                            unit=_KPI.unit,
                            better=_KPI.better,
                            weight=1.0,
                            value=62.5,
                            partial=True,
                            numerator=250,
                            denominator=400,
                            n=400,
                            reason=None,
                            parts=_FIGURE.parts,
                            trend=Trend(_at(8, 31, 22), _at(9, 12, 12), 50.0, 12.5, 25.0, improved=True),
                        )
                    ],
                )
            ],
        )
    ],
)

EXAMPLES = (_BRAND_OUT, _BRAND_PAGE, _KPI, _CATALOGUE, _CURRENT_VALUES, _KPI_READING, _SERIES, _SCORECARD)
"""One of every shape of a whole answer."""
