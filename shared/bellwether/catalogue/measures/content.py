"""Measures of content and of what it earns."""

from __future__ import annotations

from bellwether.catalogue.measures.event_types import DELETED, EDITED, INTERACTION, METRICS, PUBLISHED, SNAPSHOT
from bellwether.catalogue.measures.measure import Fold, Measure, Where, counted, distinct, joined, summed

CONTENT_COUNTERS = (
    "impressions",
    "reach",
    "views",
    "video_views",
    "reactions",
    "comments",
    "shares",
    "saves",
    "clicks",
    "votes",
)
"""What a content item earns. Likes are counted under reactions, which hold them."""

INTERACTION_COUNTERS = ("reactions", "comments", "shares", "saves", "clicks", "votes")
"""The counters that are interactions; impressions, reach and views are displays."""

_EARNED = (METRICS, INTERACTION)
_OF_ITEMS = (PUBLISHED, METRICS, INTERACTION)
_OF_FOLLOWED_ITEMS = (*_OF_ITEMS, SNAPSHOT)
_OWN = Where("ugc", (False,))
_UGC = Where("ugc", (True,))
_PLANNED = Where("planned", (True,))
_ADDED = Where("op", ("add",))

_PUBLICATIONS = (
    counted("content_published", "Content published", PUBLISHED, _OWN),
    counted("planned_content", "Content of the plan that was published", PUBLISHED, _OWN, _PLANNED),
    counted(
        "content_on_plan",
        "Content published within 24 h of the moment planned",
        PUBLISHED,
        _OWN,
        _PLANNED,
        Where("@on_plan", (True,)),
    ),
    counted("content_edited", "Edits of content", EDITED),
    counted("content_deleted", "Content taken down", DELETED),
    counted("ugc_submissions", "User-generated content", PUBLISHED, _UGC),
    distinct("ugc_authors", "Authors of user-generated content", PUBLISHED, _UGC),
    counted("testimonials", "Testimonials and reviews", PUBLISHED, Where("kind", ("testimonial", "review"))),
)

_EARNINGS = (
    *(joined(key, key.replace("_", " ").capitalize(), _EARNED) for key in CONTENT_COUNTERS),
    joined("interactions", "Interactions", _EARNED),
    joined("suspect_interactions", "Interactions marked as inauthentic", INTERACTION),
    distinct(
        "interacting_members",
        "Members who interacted",
        INTERACTION,
        _ADDED,
        Where("kind", ("reaction", "comment", "share", "save", "click", "vote")),
    ),
    summed("community_comments", "Comments written", INTERACTION, "count", _ADDED, Where("kind", ("comment",))),
)

_BY_PUBLICATION = (
    joined("items", "Content items published, by publication", PUBLISHED),
    joined("item_interactions", "Interactions earned so far, by publication", _OF_ITEMS),
    joined("item_reach", "Reach earned so far, by publication", _OF_ITEMS),
    joined("item_impressions", "Impressions earned so far, by publication", _OF_ITEMS),
    joined("item_views", "Views earned so far, by publication", _OF_ITEMS),
    joined("item_interactions_reached", "Interactions of items whose reach is reported", _OF_ITEMS),
    joined("item_interactions_displayed", "Interactions of items whose impressions are reported", _OF_ITEMS),
    joined("item_interactions_viewed", "Interactions of items whose views are reported", _OF_ITEMS),
    joined("item_followers", "Followers of the channel at the time of posting", (PUBLISHED, SNAPSHOT)),
    joined("item_interactions_followed", "Interactions of items whose followers are known", _OF_FOLLOWED_ITEMS),
    joined(
        "item_rate",
        "Engagement rates of single items, in ten-thousandths of a percent",
        _OF_FOLLOWED_ITEMS,
        Fold.HISTOGRAM,
    ),
    joined("item_rate_sum", "Sum of engagement rates of items, in ten-thousandths of a percent", _OF_FOLLOWED_ITEMS),
    joined("item_rate_n", "Items that have an engagement rate", _OF_FOLLOWED_ITEMS),
    joined(
        "item_partnered_interactions_followed",
        "Interactions of items of campaigns with a partner team whose followers are known",
        _OF_FOLLOWED_ITEMS,
    ),
    joined(
        "item_partnered_followers",
        "Followers at the time of posting, of items of campaigns with a partner team",
        (PUBLISHED, SNAPSHOT),
    ),
)

_INFLUENCERS = (
    joined("influencer_reach", "Reach of influencer content", _EARNED),
    joined("influencer_impressions", "Impressions of influencer content", _EARNED),
    joined("influencer_interactions", "Interactions with influencer content", _EARNED),
    joined("influencer_clicks", "Clicks on influencer content", _EARNED),
)

MEASURES: tuple[Measure, ...] = (*_PUBLICATIONS, *_EARNINGS, *_BY_PUBLICATION, *_INFLUENCERS)
