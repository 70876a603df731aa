"""Content, its counters, and what people do with it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import astuple

from bellwether.wire.events.envelope import Body, Envelope
from bellwether.wire.events.fields import (
    Count,
    Identifier,
    Instant,
    Language,
    Positive,
    Sentiment,
    Slug,
    Term,
    Text,
    Url,
    any_of,
    check_instant,
    check_one_of,
    check_slug,
)


class ContentData(Body, frozen=True, gc=False, kw_only=True):
    """One piece of content: a post, video, story, reel, article, testimonial, review or the like."""

    content_id: Identifier
    kind: Term = "post"
    ugc: Annotated[bool, Meta(description="Made by a user, not by the brand.")] = False
    planned: Annotated[bool, Meta(description="Stood in the content plan.")] = False
    planned_at: Instant | None = None
    text: Text | None = None

    def __post_init__(self) -> None:
        check_instant("planned_at", self.planned_at)


class ContentPublishedData(ContentData, frozen=True, gc=False, kw_only=True):
    """A piece of content went public."""


class ContentEditedData(ContentData, frozen=True, gc=False, kw_only=True):
    """A piece of content was changed; the fields are those after the change."""


class ContentDeletedData(ContentData, frozen=True, gc=False, kw_only=True):
    """A piece of content was taken down. What it earned stays."""


class ContentPublished(Envelope, frozen=True, gc=False, kw_only=True, tag="social.content.published.v1"):
    """A piece of content went public. Counts as content, as user-generated content and against the plan."""

    data: ContentPublishedData


class ContentEdited(Envelope, frozen=True, gc=False, kw_only=True, tag="social.content.edited.v1"):
    """A piece of content was changed."""

    data: ContentEditedData


class ContentDeleted(Envelope, frozen=True, gc=False, kw_only=True, tag="social.content.deleted.v1"):
    """A piece of content was taken down. The deletion counts as such, what was earned stays."""

    data: ContentDeletedData


class Counters(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Totals since publication as the platform shows them. A missing one was not measured: it is not zero."""

    impressions: Count | None = None
    reach: Count | None = None
    views: Count | None = None
    video_views: Count | None = None
    likes: Count | None = None
    comments: Count | None = None
    shares: Count | None = None
    saves: Count | None = None
    clicks: Count | None = None
    reactions: Count | None = None

    def __post_init__(self) -> None:
        fields = self.__struct_fields__
        check_one_of(*fields, given=astuple(self).count(None) < len(fields))


class ContentMetricsData(Body, frozen=True, gc=False, kw_only=True):
    """A snapshot of one piece of content: absolute, never to be summed."""

    content_id: Identifier
    cumulative: Annotated[Counters, any_of(*Counters.__struct_fields__)]
    observed_at: Instant

    def __post_init__(self) -> None:
        check_instant("observed_at", self.observed_at)


class ContentMetrics(Envelope, frozen=True, gc=False, kw_only=True, tag="social.content.metrics.v1"):
    """The counters of one piece of content at one moment.

    What counts is the difference to the last snapshot of the same content; a fall is a correction, not a
    negative interaction.
    """

    data: ContentMetricsData


class InteractionData(Body, frozen=True, gc=False, kw_only=True):
    """Somebody did something with a piece of content, `count` times."""

    content_id: Identifier | None = None
    interaction_id: Identifier | None = None
    parent_id: Identifier | None = None
    kind: Literal["reaction", "comment", "share", "save", "click", "view", "vote"]
    op: Literal["add", "edit", "remove"] = "add"
    reaction: Term | None = None
    text: Text | None = None
    sentiment: Sentiment | None = None
    language: Language | None = None
    count: Positive = 1


class Interaction(Envelope, frozen=True, gc=False, kw_only=True, tag="social.interaction.v1"):
    """A reaction, comment, share, save, click, view or vote. A removal subtracts."""

    data: InteractionData


class MentionData(Body, frozen=True, gc=False, kw_only=True):
    """A text that names the brand or one of its competitors."""

    of: Annotated[Slug, Meta(description="Who is mentioned: the brand itself or one of its competitors.")]
    text: Text | None = None
    url: Url | None = None
    reach: Count | None = None
    sentiment: Sentiment | None = None
    language: Language | None = None


class Mention(Envelope, frozen=True, gc=False, kw_only=True, tag="social.mention.v1"):
    """A mention of the brand or a competitor: volume, sentiment, share of voice."""

    data: MentionData

    def __post_init__(self) -> None:
        super().__post_init__()
        check_slug("data.of", self.data.of)
