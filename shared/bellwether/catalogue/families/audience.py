"""Audiences: how they grow, who stays, and how many who come by become members."""

from __future__ import annotations

from bellwether.catalogue.areas import AUDIENCE, COMMUNITY_ENGAGEMENT, COMMUNITY_GROWTH, PLATFORMS
from bellwether.catalogue.formula import (
    Latest,
    LevelGrowth,
    NetChange,
    PerLevel,
    Ratio,
    Retention,
    less,
    total,
)
from bellwether.catalogue.kpi import Direction, Kind, Kpi, Unit
from bellwether.domain.windows import Window

_CONNECTED = "Accounts that were connected within the window are left out: they have not gained all since."

GROWTH = (
    Kpi(
        key="community_growth_rate",
        title="Community growth",
        meaning=f"Net new members and followers per one at the start of the window. {_CONNECTED}",
        formula=LevelGrowth(("members", "followers")),
        unit=Unit.PERCENT,
        kra=COMMUNITY_ENGAGEMENT,
        also_shown=("joined", "left", "suspect_joins"),
        home=Window.MONTH,
    ),
    Kpi(
        key="membership_growth",
        title="Membership growth",
        meaning=f"Net new members per member at the start of the window. {_CONNECTED}",
        formula=LevelGrowth(("members",)),
        unit=Unit.PERCENT,
        kra=COMMUNITY_GROWTH,
        also_shown=("joined_members", "left_members"),
        home=Window.MONTH,
    ),
    Kpi(
        key="follower_growth_rate",
        title="Follower growth",
        meaning=f"Net new followers and subscribers per one at the start of the window. {_CONNECTED}",
        formula=LevelGrowth(("followers", "subscribers")),
        unit=Unit.PERCENT,
        kra=COMMUNITY_GROWTH,
        also_shown=("joined_followers", "left_followers", "joined_subscribers", "left_subscribers"),
        home=Window.MONTH,
    ),
    Kpi(
        key="platform_follower_growth_rate",
        title="Follower growth of a platform",
        meaning="Net new followers per follower at the start of the window, read in a cut by channel; the total is "
        f"that of all channels together. {_CONNECTED}",
        formula=LevelGrowth(("followers",)),
        unit=Unit.PERCENT,
        kra=PLATFORMS,
        also_shown=("joined_followers", "left_followers"),
        home=Window.MONTH,
    ),
    Kpi(
        key="subscriber_growth",
        title="Net new subscribers",
        meaning=f"Subscribers at the end less subscribers at the start of the window. {_CONNECTED}",
        formula=NetChange(("subscribers",)),
        unit=Unit.COUNT,
        kra=AUDIENCE,
        also_shown=("joined_subscribers", "left_subscribers"),
        home=Window.MONTH,
    ),
    Kpi(
        key="subscriber_growth.rate",
        title="Subscriber growth",
        meaning=f"Net new subscribers per subscriber at the start of the window. {_CONNECTED}",
        formula=LevelGrowth(("subscribers",)),
        unit=Unit.PERCENT,
        kra=AUDIENCE,
        also_shown=("joined_subscribers", "left_subscribers"),
        home=Window.MONTH,
    ),
    Kpi(
        key="subscribers",
        title="Subscribers",
        meaning="Subscribers at the end of the window, of all accounts together: a size, never a sum over time.",
        formula=Latest(("subscribers",)),
        unit=Unit.COUNT,
        kra=AUDIENCE,
        also_shown=("joined_subscribers", "left_subscribers"),
        home=Window.MONTH,
    ),
)

STAYING = (
    Kpi(
        key="community_retention_rate",
        title="Retention of members",
        meaning="Members at the end of the window who did not join within it, per member at its start.",
        formula=Retention("members", "joined_members"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=COMMUNITY_GROWTH,
        also_shown=("left_members",),
        home=Window.MONTH,
    ),
    Kpi(
        key="audience_retention_rate",
        title="Retention of subscribers",
        meaning="Subscribers at the end of the window who did not subscribe within it, per subscriber at its start.",
        formula=Retention("subscribers", "joined_subscribers"),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=AUDIENCE,
        also_shown=("left_subscribers",),
        home=Window.MONTH,
    ),
    Kpi(
        key="audience_churn_rate",
        title="Churn of subscribers",
        meaning="Subscribers who left within the window, per subscriber at its start. Who came and left within it "
        "counts as having left.",
        formula=PerLevel(total("left_subscribers"), ("subscribers",), at="start"),
        unit=Unit.PERCENT,
        better=Direction.DOWN,
        kind=Kind.LAGGING,
        kra=AUDIENCE,
        also_shown=("joined_subscribers",),
        home=Window.MONTH,
    ),
)

REACHING = (
    Kpi(
        key="visitor_conversion_rate",
        title="Visitors who join",
        meaning="Joins of the window, per different visitor of the community in it. Read it in the cut of the "
        "community's own channel where other channels report joins, too. Visitors are counted by sketches with an "
        "error of about 2 %.",
        formula=Ratio(total("joined"), total("community_visitors")),
        screened=Ratio(less("joined", "suspect_joins"), total("community_visitors")),
        unit=Unit.PERCENT,
        kra=COMMUNITY_GROWTH,
        also_shown=("visits",),
        home=Window.MONTH,
    ),
    Kpi(
        key="view_engagement_rate",
        title="Views per subscriber",
        meaning="Views of publications in the window, per subscriber at its end.",
        formula=PerLevel(total("views"), ("subscribers",), at="end"),
        unit=Unit.PERCENT,
        kra=AUDIENCE,
        also_shown=("video_views",),
        home=Window.MONTH,
    ),
)

KPIS = (*GROWTH, *STAYING, *REACHING)
