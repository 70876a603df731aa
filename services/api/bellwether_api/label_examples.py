"""An example of a label, as OpenAPI shows it."""

from datetime import UTC, datetime

from bellwether.domain.windows import Window
from bellwether_api.definitions import DEFINITIONS
from bellwether_api.label import SENTIMENT_METHOD
from bellwether_api.label_shapes import (
    ChannelCoverage,
    Coverage,
    Freshness,
    Gap,
    Label,
    Screening,
    Sentiment,
    TimeQuality,
    Unconverted,
    Unknown,
)
from bellwether_api.shapes import Figure


def _at(day: int, hour: int) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


LABEL_EXAMPLE = Label(
    brand="acme-coffee",
    time_zone="Europe/Berlin",
    kpi=DEFINITIONS["community_sentiment"],
    cut=None,
    window=Window.DAY_24H,
    as_of=_at(13, 12),
    figure=Figure(
        value=37.5,
        start=_at(12, 12),
        end=_at(13, 12),
        partial=False,
        numerator=150,
        denominator=400,
        n=400,
        reason=None,
        parts={"positive_n": 210, "negative_n": 60, "sentiment_n": 400, "neutral_n": 130},
    ),
    coverage=Coverage(
        share=0.875,
        reason=None,
        since=_at(1, 6),
        hours=24,
        hours_with_events=21,
        longest_gap=Gap(_at(13, 0), _at(13, 3)),
        channels=[ChannelCoverage("instagram", 21, 0.875), ChannelCoverage("x", 12, 0.5)],
    ),
    freshness=Freshness(_at(13, 12), 0.0, None),
    time_quality=TimeQuality(None, Unknown.NOT_RECORDED),
    screening=Screening(share=None, suspect=None, all=None, screened_value=None, reason=Unknown.NOT_APPLICABLE),
    sentiment=Sentiment(SENTIMENT_METHOD, None),
    unconverted=Unconverted(None, Unknown.NOT_APPLICABLE),
)
"""A label of a KPI made of sentiment."""
