"""What all events have in common: the CloudEvents 1.0 envelope and the head of every body."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bellwether.wire.events.fields import (
    Channel,
    Count,
    Identifier,
    Instant,
    Labels,
    Name,
    Slug,
    Source,
    Term,
    check_address,
    check_instant,
)


class Author(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Who wrote or did it, under the platform's own id or a pseudonym of it."""

    id: Identifier
    name: Name | None = None
    followers: Count | None = None
    created_at: Instant | None = None
    verified: bool | None = None

    def __post_init__(self) -> None:
        if self.created_at is not None:
            check_instant("created_at", self.created_at)


class Body(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The head of every `data`. The tenant is not in it: that comes from the caller's key."""

    brand: Slug
    channel: Channel
    campaign: Identifier | None = None
    content_type: Term | None = None
    owner: Identifier | None = None
    influencer: Identifier | None = None
    team: Identifier | None = None
    author: Author | None = None
    labels: Labels | None = None


class Envelope(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="type"):
    """A CloudEvent in structured JSON mode. (tenant, brand, source, id) is its identity.

    A missing `time` stands for the time of receipt. `recordedtime` is the intake's to set; a sender's own is
    not used.
    Attributes and body fields that no type knows are legal and stay in the original bytes.
    """

    specversion: Literal["1.0"]
    id: Annotated[Identifier, Meta(description="Unique within the source: what comes twice counts once.")]
    source: Source
    subject: Annotated[str, Meta(min_length=1, max_length=1024)] | None = None
    time: Instant | None = None
    recordedtime: Instant | None = None
    datacontenttype: Literal["application/json"] | None = None
    data: Body

    def __post_init__(self) -> None:
        # Here and not in Body: one call and one cache for the three checks of every event.
        check_address(self.source, self.data.brand, self.data.channel)
