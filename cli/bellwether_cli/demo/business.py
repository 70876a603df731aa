"""Visits to the site that social brings, what comes of them, what ads cost, and what people judge and do."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bellwether_cli.demo.story import HOUR, Cell, Event

_ACTIVITIES = (
    ("workshop", "Short video workshop"),
    ("tool_adopted", "New scheduling tool"),
    ("report", "Weekly engagement report"),
    ("trend", "Refill stations"),
    ("initiative", "Answer templates by topic"),
    ("recommendation", "Post reels before noon"),
    ("partner_event", "Tasting with a partner"),
)
_SURVEYS = ("csat", "csat", "perception", "trust")
_JUDGED = ("brand_voice", "tone", "consistency", "integration", "alignment")
_CPC = 0.4
_MONDAY = 0
_COLLABORATION_DAYS = 5


def traffic(cell: Cell) -> Iterator[Event]:
    """About a hundred and sixty sessions a day from social, with the leads and sales that follow."""
    for when in cell.arrivals(160.0):
        yield from _session(cell, when)


def _session(cell: Cell, when: datetime) -> Iterator[Event]:
    visitor, channel = cell.person("visitor", 9000), cell.channel()
    bounced = cell.chance(0.42)
    yield cell.event(
        "web.session.v1",
        when,
        channel=channel,
        session_id=cell.new_id(),
        visitor_id=visitor,
        utm={"source": channel, "medium": "social", "campaign": "autumn"},
        referrer=f"https://{channel}.example/",
        pages=1 if bounced else cell.rng.randint(2, 9),
        seconds=cell.rng.randint(2, 15) if bounced else cell.rng.randint(20, 900),
        bounced=bounced,
        target=cell.chance(0.55),
    )
    if not bounced and cell.chance(0.06):
        yield from _lead(cell, when + timedelta(minutes=cell.rng.uniform(1, 10)), channel)
    if not bounced and cell.chance(0.05):
        yield from _sale(cell, when + timedelta(minutes=cell.rng.uniform(2, 40)), channel)


def _lead(cell: Cell, when: datetime, channel: str) -> Iterator[Event]:
    lead = cell.new_id()
    yield cell.event("sales.lead.created.v1", when, about=lead, channel=channel, campaign="autumn", lead_id=lead)
    if cell.chance(0.4):
        later = when + timedelta(hours=cell.rng.uniform(1, 48))
        yield cell.event("sales.lead.qualified.v1", later, about=lead, channel=channel, lead_id=lead)


def _sale(cell: Cell, when: datetime, channel: str) -> Iterator[Event]:
    conversion = cell.new_id()
    yield cell.event(
        "sales.conversion.v1",
        when,
        about=conversion,
        channel=channel,
        campaign="autumn",
        conversion_id=conversion,
        kind=cell.rng.choice(("sale", "sale", "signup", "download")),
        value=f"{cell.rng.lognormvariate(3.4, 0.6):.2f}",
        currency=cell.brand.currency,
        attribution=cell.rng.choices(("organic", "paid", "influencer"), (6, 3, 1))[0],
    )


def ads(cell: Cell) -> Iterator[Event]:
    """One report of the running campaign's last hour, from eight to eleven at night, and a weekly fee."""
    if 8 <= cell.local(cell.hour).hour <= 22:  # noqa: PLR2004 - the hours in which the campaign runs
        impressions = cell.rng.randint(900, 2400)
        clicks = int(impressions * cell.rng.uniform(0.008, 0.02))
        yield cell.event(
            "ads.delivery.v1",
            cell.hour + timedelta(minutes=1),
            about="autumn",
            channel="facebook",
            campaign="autumn",
            **{"from": _iso(cell.hour - HOUR), "to": _iso(cell.hour)},
            spend=f"{clicks * _CPC:.2f}",
            currency=cell.brand.currency,
            impressions=impressions,
            clicks=clicks,
            engagements=int(impressions * cell.rng.uniform(0.01, 0.04)),
            conversions=cell.rng.randint(0, 2),
            revenue=f"{cell.rng.uniform(0, 60):.2f}",
        )
    if cell.local(cell.hour).weekday() == _MONDAY:
        for when in cell.once_at(9):
            yield cell.event(
                "finance.cost.v1",
                when,
                channel="web",
                amount="350.00",
                currency=cell.brand.currency,
                reason="agency",
            )


def collaborations(cell: Cell) -> Iterator[Event]:
    """One with the brand's influencer each week, from Monday to Saturday."""
    if cell.local(cell.hour).weekday() != _MONDAY:
        return
    for when in cell.once_at(10):
        collaboration = cell.new_id()
        for phase, days in (("started", 0), ("ended", _COLLABORATION_DAYS)):
            yield cell.event(
                "social.collaboration.v1",
                when + timedelta(days=days),
                about=collaboration,
                channel="instagram",
                influencer=cell.brand.influencer,
                collaboration_id=collaboration,
                phase=phase,
            )


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="seconds")


def team(cell: Cell) -> Iterator[Event]:
    """What people answer in surveys, judge, do, and settle: a few events a day."""
    for when in cell.arrivals(6.0):
        yield cell.event(
            "survey.response.v1",
            when,
            channel="email",
            survey=cell.rng.choice(_SURVEYS),
            score=max(1, min(5, round(cell.rng.gauss(2 + 3 * cell.brand.favour, 1)))),
            scale_min=1,
            scale_max=5,
            respondent=cell.person("customer"),
        )
    for when in cell.once_at(11, 20):
        yield _judgement(cell, when)
        activity, title = cell.rng.choice(_ACTIVITIES)
        yield cell.event(
            "activity.recorded.v1",
            when,
            channel="web",
            activity=activity,
            title=title,
            people=cell.rng.randint(1, 6),
        )
    for when in cell.once_at(7):
        yield _interest(cell, when)
    for when in cell.arrivals(0.6, scaled=False):
        yield from _case(cell, when)


def _judgement(cell: Cell, when: datetime) -> Event:
    return cell.event(
        "assessment.recorded.v1",
        when,
        channel="web",
        subject=cell.rng.choice(_JUDGED),
        score=cell.rng.randint(3, 5),
        scale_min=1,
        scale_max=5,
        assessor="jonas",
    )


def _interest(cell: Cell, when: datetime) -> Event:
    return cell.event(
        "search.interest.v1",
        when,
        channel="web",
        term=cell.brand.name.lower(),
        count=int(cell.rng.gauss(900, 90) * cell.brand.size),
        **{"from": _iso(when - timedelta(days=1)), "to": _iso(when)},
    )


def _case(cell: Cell, when: datetime) -> Iterator[Event]:
    case, conflict = cell.new_id(), cell.new_id()
    for phase, hours in (("violation", 0.0), ("addressed", cell.rng.uniform(0.2, 6))):
        at = when + timedelta(hours=hours)
        yield cell.event("community.moderation.v1", at, channel="discord", case_id=case, phase=phase, rule="civility")
    for phase, hours in (("opened", 0.1), ("resolved", cell.rng.uniform(1, 20))):
        at = when + timedelta(hours=hours)
        yield cell.event("community.conflict.v1", at, channel="discord", conflict_id=conflict, phase=phase)
