"""One example of every answer, as OpenAPI shows it."""

from datetime import UTC, date, datetime

from bellwether.domain.business_hours import WEEKDAYS, ClosedAnswer
from bellwether.domain.windows import Window
from bellwether_api.alert_shapes import ALERT_EXAMPLES
from bellwether_api.backtest_shapes import BACKTEST_EXAMPLE
from bellwether_api.buckets import SeriesGrain
from bellwether_api.campaign_shapes import CAMPAIGN_EXAMPLES
from bellwether_api.card_examples import CARD_EXAMPLES
from bellwether_api.definitions import DEFINITIONS
from bellwether_api.incident_shapes import INCIDENT_EXAMPLES
from bellwether_api.integrity_shapes import INTEGRITY_EXAMPLES
from bellwether_api.label_examples import LABEL_EXAMPLE
from bellwether_api.own_shapes import OWN_EXAMPLE
from bellwether_api.receipt_shapes import RECEIPTS_EXAMPLE
from bellwether_api.shapes import (
    BrandOut,
    BrandPage,
    Catalogue,
    CurrentValues,
    CutValues,
    Figure,
    HolidayOut,
    KpiCut,
    KpiReading,
    Series,
    SeriesCut,
)
from bellwether_api.target_examples import TARGET_EXAMPLES

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
    business_hours={day: [] if day in ("sat", "sun") else ["09:00-17:00"] for day in WEEKDAYS},
    holidays=[HolidayOut(date(2026, 12, 25), [])],
    closed_answer_policy=ClosedAnswer.ZERO,
    response_target_s=1800,
    thread_gap_s=604_800,
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
EXAMPLES = (
    *(_BRAND_OUT, _BRAND_PAGE, _KPI, _CATALOGUE, _CURRENT_VALUES, _KPI_READING, _SERIES),
    *CARD_EXAMPLES,
    LABEL_EXAMPLE,
    RECEIPTS_EXAMPLE,
    *INTEGRITY_EXAMPLES,
    *INCIDENT_EXAMPLES,
    *ALERT_EXAMPLES,
    BACKTEST_EXAMPLE,
    *CAMPAIGN_EXAMPLES,
    OWN_EXAMPLE,
    *TARGET_EXAMPLES,
)
"""One of every shape of a whole answer."""
