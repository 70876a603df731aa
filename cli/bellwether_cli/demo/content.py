"""Posts of the brand and of its people, and what they earn."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from bellwether_cli.demo import texts
from bellwether_cli.demo.story import HOUR, Cell, Event

# A content item is fed in one of two ways: these channels tell interactions, the others running totals.
SINGLE_INTERACTIONS = frozenset({"x", "linkedin"})

_KINDS = {
    "instagram": ("post", "reel", "story"),
    "facebook": ("post", "video", "article"),
    "x": ("post",),
    "linkedin": ("post", "article"),
    "youtube": ("video",),
    "tiktok": ("video",),
}
_SNAPSHOT_AGES_H = (1, 2, 4, 8, 16, 24, 48, 96, 168)
_HALF_LIFE_H = 9.0
_OWNERS = ("mira", "jonas", "priya")
_REACTIONS = ("like", "love", "wow")


def content(cell: Cell) -> Iterator[Event]:
    """About six posts a day, each with its life of a week."""
    for published in cell.arrivals(6.0, scaled=False):
        yield from _post(cell, published)


def _post(cell: Cell, published: datetime) -> Iterator[Event]:
    channel, content_id = cell.channel(), cell.new_id()
    kind = cell.rng.choice(_KINDS[channel])
    by_influencer = cell.chance(0.12)
    common: dict[str, object] = {
        "channel": channel,
        "content_id": content_id,
        "content_type": kind,
        "owner": cell.rng.choice(_OWNERS),
        "campaign": "autumn" if cell.chance(0.4) else None,
        "influencer": cell.brand.influencer if by_influencer else None,
    }
    planned = cell.chance(0.8)
    yield cell.event(
        "social.content.published.v1",
        published,
        about=content_id,
        **common,
        kind=kind,
        ugc=False,
        planned=planned,
        planned_at=_planned_at(cell, published) if planned else None,
        text=texts.say(cell.rng, texts.POSTS, brand=cell.brand.name, product=cell.brand.product),
    )
    if cell.chance(0.1):
        yield cell.event(
            "social.content.edited.v1",
            published + timedelta(minutes=cell.rng.randint(2, 90)),
            about=content_id,
            **common,
            kind=kind,
            ugc=False,
            text=texts.say(cell.rng, texts.POSTS, brand=cell.brand.name, product=cell.brand.product),
        )
    if cell.chance(0.02):
        gone = published + timedelta(days=cell.rng.uniform(0.5, 3))
        yield cell.event("social.content.deleted.v1", gone, about=content_id, **common, kind=kind)
    appeal = cell.rng.lognormvariate(-0.1, 0.5) * (1.6 if by_influencer else 1.0)
    if channel in SINGLE_INTERACTIONS:
        yield from _interactions(cell, published, common, appeal)
    else:
        yield from _snapshots(cell, published, common, appeal)


def _planned_at(cell: Cell, published: datetime) -> str:
    slip = timedelta(minutes=cell.rng.choice((0, 0, 0, 5, 10, 300)))
    return (published - slip).isoformat(timespec="seconds")


def _snapshots(cell: Cell, published: datetime, common: dict[str, object], appeal: float) -> Iterator[Event]:
    most = cell.brand.followers[str(common["channel"])] * 0.3 * appeal
    rates = {
        "likes": cell.rng.uniform(0.03, 0.07),
        "comments": cell.rng.uniform(0.002, 0.008),
        "shares": cell.rng.uniform(0.001, 0.006),
        "saves": cell.rng.uniform(0.001, 0.009),
        "clicks": cell.rng.uniform(0.008, 0.025),
    }
    for age in _SNAPSHOT_AGES_H:
        impressions = most * (1 - math.exp(-age * math.log(2) / _HALF_LIFE_H))
        observed = published + age * HOUR + timedelta(seconds=cell.rng.randint(0, 300))
        totals = {"impressions": int(impressions), "reach": int(impressions * 0.74)}
        totals |= {name: int(impressions * rate) for name, rate in rates.items()}
        if common["content_type"] in ("video", "reel"):
            totals["video_views"] = int(impressions * 0.6)
        yield cell.event(
            "social.content.metrics.v1",
            observed,
            about=str(common["content_id"]),
            **common,
            cumulative=totals,
            observed_at=observed.isoformat(timespec="seconds"),
        )


def _interactions(cell: Cell, published: datetime, common: dict[str, object], appeal: float) -> Iterator[Event]:
    count = int(min(120.0, cell.brand.followers[str(common["channel"])] * 0.002 * appeal)) + 5
    for _ in range(count):
        when = published + timedelta(hours=cell.rng.expovariate(math.log(2) / _HALF_LIFE_H))
        yield from interaction(cell, when, common)


def interaction(cell: Cell, when: datetime, common: dict[str, object]) -> Iterator[Event]:
    """One interaction with a content item, now and then taken back; views come in bundles."""
    kind = cell.rng.choices(("view", "reaction", "comment", "share", "save", "click"), (8, 55, 10, 8, 4, 15))[0]
    fields = {
        **common,
        "interaction_id": cell.new_id(),
        "kind": kind,
        "author": {"id": cell.person("member")},
    }
    if kind == "view":
        fields = {name: value for name, value in fields.items() if name != "author"} | {
            "count": cell.rng.randint(60, 400)
        }
    elif kind == "reaction":
        fields["reaction"] = cell.rng.choice(_REACTIONS)
    elif kind == "comment":
        fields["text"] = opinion(cell)
    yield cell.event("social.interaction.v1", when, about=str(common["content_id"]), **fields, op="add")
    if kind == "reaction" and cell.chance(0.04):
        later = when + timedelta(seconds=cell.rng.randint(5, 3600))
        yield cell.event("social.interaction.v1", later, about=str(common["content_id"]), **fields, op="remove")


def opinion(cell: Cell, favour: float | None = None) -> str:
    """A sentence about the brand, well or ill according to how it is spoken of."""
    good = cell.brand.favour if favour is None else favour
    choices = cell.rng.choices((texts.PRAISE, texts.NEUTRAL, texts.COMPLAINT), (good * 0.7, 0.3, (1 - good) * 0.7))[0]
    brand = cell.brand
    return texts.say(cell.rng, choices, brand=brand.name, product=brand.product, rival=brand.competitors[0])


def submissions(cell: Cell) -> Iterator[Event]:
    """What the community publishes itself: about five pieces a day, a fifth of them in praise."""
    for when in cell.arrivals(5.0):
        content_id = cell.new_id()
        kind = cell.rng.choices(("post", "video", "testimonial", "review"), (55, 25, 10, 10))[0]
        yield cell.event(
            "social.content.published.v1",
            when,
            about=content_id,
            channel=cell.channel(),
            content_id=content_id,
            content_type=kind,
            kind=kind,
            ugc=True,
            planned=False,
            author={"id": cell.person("member", 600)},
            text=texts.say(cell.rng, texts.UGC, brand=cell.brand.name, product=cell.brand.product),
        )


def reactions(cell: Cell) -> Iterator[Event]:
    """Interactions with older posts and in the community, about a hundred and twenty a day."""
    for when in cell.arrivals(120.0):
        common: dict[str, object] = {
            "channel": cell.rng.choice(sorted(SINGLE_INTERACTIONS & cell.brand.followers.keys()) or ["discord"]),
            "content_id": f"evergreen-{cell.rng.randint(1, 20)}",
            "content_type": "post",
        }
        yield from interaction(cell, when, common)
