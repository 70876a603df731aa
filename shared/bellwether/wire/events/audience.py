"""Followers, members and visitors."""

from typing import Annotated

from msgspec import Meta, Struct

from bellwether.wire.events.envelope import Body, Envelope
from bellwether.wire.events.fields import (
    Audience,
    Count,
    Identifier,
    Instant,
    Name,
    Seconds,
    Url,
    check_instant,
)


class AudienceSnapshotData(Body, frozen=True, gc=False, kw_only=True):
    """The size of an audience: absolute, never to be summed."""

    audience: Audience
    count: Count
    observed_at: Annotated[Instant, Meta(description="Missing: the time of the event.")] | None = None

    def __post_init__(self) -> None:
        check_instant("observed_at", self.observed_at)


class AudienceSnapshot(Envelope, frozen=True, gc=False, kw_only=True, tag="social.audience.snapshot.v1"):
    """The size of an audience at one moment. The latest counts."""

    data: AudienceSnapshotData


class MembershipData(Body, frozen=True, gc=False, kw_only=True):
    """One member of one audience, under a pseudonym."""

    audience: Audience
    member_id: Identifier
    invited_by: Identifier | None = None


class AudienceJoinedData(MembershipData, frozen=True, gc=False, kw_only=True):
    """Somebody began to follow, subscribed or became a member."""


class AudienceLeftData(MembershipData, frozen=True, gc=False, kw_only=True):
    """Somebody is no longer a follower, subscriber or member."""


class AudienceJoined(Envelope, frozen=True, gc=False, kw_only=True, tag="social.audience.joined.v1"):
    """Somebody began to follow, subscribed or became a member."""

    data: AudienceJoinedData


class AudienceLeft(Envelope, frozen=True, gc=False, kw_only=True, tag="social.audience.left.v1"):
    """Somebody is no longer a follower, subscriber or member: churn."""

    data: AudienceLeftData


class CommunityVisitData(Body, frozen=True, gc=False, kw_only=True):
    """Somebody looked at the community, member or not."""

    visitor_id: Identifier


class CommunityVisit(Envelope, frozen=True, gc=False, kw_only=True, tag="social.community.visit.v1"):
    """Somebody looked at the community. Visitors are counted once each."""

    data: CommunityVisitData


class Utm(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The campaign parameters of a link, as they stood in it."""

    source: Name | None = None
    medium: Name | None = None
    campaign: Name | None = None
    content: Name | None = None
    term: Name | None = None


class WebSessionData(Body, frozen=True, gc=False, kw_only=True):
    """A finished visit to the brand's site."""

    session_id: Identifier
    visitor_id: Identifier | None = None
    utm: Utm | None = None
    referrer: Url | None = None
    pages: Count
    seconds: Seconds
    bounced: bool
    target: Annotated[bool, Meta(description="The visitor belongs to the target audience.")] | None = None


class WebSession(Envelope, frozen=True, gc=False, kw_only=True, tag="web.session.v1"):
    """A finished visit to the brand's site; social when its UTM or its referrer is."""

    data: WebSessionData
