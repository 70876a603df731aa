"""Generated events of what a brand has going on, drawn from few moments, names and currencies, so that they meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.compute.brand_events import DAY, Drawn
from tests.unit.compute.folding import NOW, envelope, iso

MOMENTS = st.one_of(
    st.sampled_from([NOW - 5, NOW - 4, NOW - 3, NOW - 2, NOW - 1]),  # many of one second
    st.integers(0, 600).map(lambda ago: NOW - ago),
    st.integers(DAY - 3_600, DAY + 3_600).map(lambda ago: NOW - ago),
    st.sampled_from([NOW - 16 * DAY, NOW - 400 * DAY]),
)
NAMES = st.sampled_from(["one", "two"])
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY"])
AMOUNTS = st.sampled_from(["0", "1", "0.0000005", "-12.50", "199.99", "1e9"])
MAYBE = st.sampled_from([None, "autumn"])


def _event(kind: str, /, **data: st.SearchStrategy[Any]) -> st.SearchStrategy[Drawn]:
    fields = st.fixed_dictionaries({"channel": st.sampled_from(["instagram", "x"]), **data}).map(
        lambda drawn: {name: value for name, value in drawn.items() if value is not None}
    )
    return st.builds(lambda moment, data: envelope(kind, "", moment, **data), MOMENTS, fields)


_STEP: dict[str, st.SearchStrategy[Any]] = {
    "incident_id": NAMES,
    "severity": st.just("critical"),
    "by": st.sampled_from(["ann", "bob"]),
    "campaign": MAYBE,
}
_OPEN = ["opened", "opened", "acknowledged", "responded", "stable", "reopened", "escalated", "split", "noted"]
INCIDENT = st.one_of(
    _event("crisis.incident.v1", phase=st.sampled_from(_OPEN), **_STEP),
    _event(
        "crisis.incident.v1",
        phase=st.just("resolved"),
        reason=st.sampled_from([None, "real", "benign", "false"]),
        **_STEP,
    ),
    _event("crisis.incident.v1", phase=st.just("merged"), into=st.just("three"), **_STEP),
)
REPLY = _event(
    "social.message.sent.v1", conversation_id=NAMES, message_id=NAMES, public=st.booleans(), kind=st.just("comment")
)
CONFLICT = _event(
    "community.conflict.v1", conflict_id=NAMES, phase=st.sampled_from(["opened", "escalated", "resolved"])
)
MODERATION = _event("community.moderation.v1", case_id=NAMES, phase=st.sampled_from(["violation", "addressed"]))
COLLABORATION = _event(
    "social.collaboration.v1",
    collaboration_id=NAMES,
    phase=st.sampled_from(["started", "ended"]),
    partner=st.just("agency"),
    influencer=st.sampled_from([None, "lena"]),
    cost=st.one_of(st.none(), AMOUNTS),
    currency=CURRENCIES,
)
CONVERSION = _event(
    "sales.conversion.v1",
    conversion_id=NAMES,
    kind=st.sampled_from(["sale", "signup"]),
    attribution=st.just("organic"),
    value=st.one_of(st.none(), AMOUNTS),
    currency=CURRENCIES,
    campaign=MAYBE,
)
COST = _event("finance.cost.v1", amount=AMOUNTS, currency=CURRENCIES, reason=st.just("tools"))
RATE = _event(
    "finance.rate.v1",
    base=st.just("EUR"),
    quote=st.sampled_from(["USD", "JPY"]),
    rate=st.sampled_from(["1.1", "0.9", "3", "160"]),
    valid_from=st.one_of(st.none(), MOMENTS.map(iso)),
)
INVERSE = _event(
    "finance.rate.v1", base=st.just("USD"), quote=st.sampled_from(["EUR", "JPY"]), rate=st.sampled_from(["0.91", "7"])
)
ACTIVITY = _event(
    "activity.recorded.v1",
    activity=st.sampled_from(["training", "partner_event", "platform_change", "report"]),
    title=st.just("a title"),
)
# What an item is of is true from its publication on, whenever that is told: so each is of one campaign throughout.
CAMPAIGN = st.one_of(
    _event("social.content.published.v1", content_id=st.just("one"), ugc=st.booleans(), campaign=st.just("autumn")),
    _event("social.content.published.v1", content_id=st.just("two"), ugc=st.booleans()),
)


def _delivered(start: int, length: int, event: Drawn) -> Drawn:
    return {**event, "data": {**event["data"], "from": iso(start), "to": iso(start + length)}}


def _ads(is_cumulative: st.SearchStrategy[bool]) -> st.SearchStrategy[Drawn]:
    count = st.one_of(st.none(), st.integers(0, 9))
    figures = {"impressions": count, "clicks": count, "conversions": st.sampled_from([None, 0.5, 2.25])}
    ads = _event(
        "ads.delivery.v1",
        campaign=st.just("autumn"),
        cumulative=is_cumulative,
        spend=st.sampled_from(["0", "1", "7.77"]),
        revenue=st.one_of(st.none(), AMOUNTS),
        currency=CURRENCIES,
        **figures,
    )
    return st.builds(_delivered, st.sampled_from([NOW - DAY, NOW - 60]), st.sampled_from([0, 30, 60, 2 * DAY]), ads)


ADS = _ads(st.booleans())
MONEY = st.one_of(CONVERSION, COST, COLLABORATION, RATE, INVERSE, ADS)
AFFAIRS = st.one_of(INCIDENT, INCIDENT, REPLY, CONFLICT, MODERATION, ACTIVITY, CAMPAIGN, MONEY)
DATED = st.one_of(INCIDENT, INCIDENT, REPLY, CONFLICT, MODERATION, ACTIVITY, CAMPAIGN, CONVERSION, COST, COLLABORATION)
"""What counts at its own moment, and nothing of it later."""
