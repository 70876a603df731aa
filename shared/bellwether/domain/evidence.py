"""What a crisis is made of: the texts of an episode told in short, against those of the day before it.

All of it follows from the set of texts, whatever the order in which they were read. What is kept of a text is an
excerpt and its terms, never the whole of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta, Struct

from bellwether.domain.clock import DAY_S
from bellwether.domain.terms import Term, telling_terms

EXCERPT: Final = 280
"""Most characters that are kept of a text."""
BASELINE_S: Final = DAY_S
"""The baseline is so long, and ends where the episode begins: each hour of the day is in it once."""
POSTS, TERMS, AUTHORS, CHANNELS = 10, 20, 10, 20
"""Most posts, terms, authors and channels in an evidence."""
Label = Literal["negative", "neutral", "positive"]
NoNet = Literal["no_texts", "no_scored_texts"]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339, in UTC.")]
Share = Annotated[float, Meta(ge=0, le=1, description="Of all texts of the episode.")]


class Text(NamedTuple):
    """What is kept of a mention or of a message to the brand.

    source, event_id: of its event; offset: of its record, which is how repeats are told apart
    at: when it happened, UTC seconds
    public: whether all may read it; of other texts nothing is shown
    author, name: '' where nobody said; followers, reach: None where nobody said
    label, score: of its sentiment, −1 to 1; None where it has none
    excerpt: its beginning; terms: what `terms_of` finds in all of it
    """

    source: str
    event_id: str
    offset: int
    at: int
    channel: str
    public: bool
    author: str
    name: str
    followers: int | None
    reach: int | None
    url: str
    label: Label | None
    score: float | None
    excerpt: str
    terms: tuple[str, ...]


class Post(Struct, frozen=True):
    """A public text of the episode."""

    at: Moment
    channel: str
    source: Annotated[str, Meta(description="`source` of its event.")]
    event_id: Annotated[str, Meta(description="`id` of its event.")]
    url: str | None
    author: Annotated[str | None, Meta(description="Id of the account.")]
    name: Annotated[str | None, Meta(description="Name of the account.")]
    reach: Annotated[int | None, Meta(description="Whom it reached as told, else the author's followers.")]
    label: Annotated[Label | None, Meta(description="Its sentiment.")]
    score: Annotated[float | None, Meta(description="Its sentiment from -1 to 1.")]
    excerpt: Annotated[str, Meta(description=f"Its first {EXCERPT} characters at most.")]
    copies: Annotated[int, Meta(description="How many public texts of the episode begin so; at least 1.")]


class TermShare(Struct, frozen=True):
    """A word or hashtag that stands in a larger share of the texts than in the baseline."""

    term: str
    texts: Annotated[int, Meta(description="Texts of the episode with it.")]
    usual: Annotated[int, Meta(description="Texts of the baseline with it.")]
    g2: Annotated[
        float | None,
        Meta(
            description="Log-likelihood ratio G² (Dunning 1993), from 10.83 on p < 0.001; null without a baseline, "
            "where the terms of most texts are told."
        ),
    ]


class ChannelShare(Struct, frozen=True):
    """A channel, of all that was said to and about the brand."""

    channel: str
    texts: int
    share: Share
    usual: Annotated[float | None, Meta(description="Its share of the baseline; null without one.")]


class AuthorShare(Struct, frozen=True):
    """An account and what it said in public."""

    author: Annotated[str, Meta(description="Id of the account.")]
    name: str | None
    channel: str
    followers: Annotated[int | None, Meta(description="The most that was told of; null where nobody said.")]
    texts: int
    negative: int


class TextSentiment(Struct, frozen=True):
    """How texts sound."""

    texts: int
    scored: Annotated[int, Meta(description="Texts with a sentiment.")]
    negative: int
    neutral: int
    positive: int
    net: Annotated[
        float | None, Meta(description="Positive less negative texts per scored text, -100 to 100, as in the KPI.")
    ]
    reason: Annotated[NoNet | None, Meta(description="Why `net` is null.")]


class IncidentEvidence(Struct, frozen=True, kw_only=True):
    """What a crisis was made of at a moment."""

    as_of: Annotated[datetime, Meta(description="The moment of the step: what happened later is not in it.")]
    since: Annotated[datetime, Meta(description="Where the episode begins: the onset as told, else an hour before.")]
    baseline_since: Annotated[datetime, Meta(description="The baseline goes from here to `since`.")]
    channel: Annotated[str | None, Meta(description="The only channel that is looked at; null for all.")]
    complete: Annotated[
        bool, Meta(description="Whether all texts were read; else the latest ones and samples of what was before.")
    ]
    records: Annotated[int, Meta(description="Records of the log that were read.")]
    posts: Annotated[list[Post], Meta(description="Public texts, the widest reach first.")]
    terms: Annotated[list[TermShare], Meta(description="The most telling ones first.")]
    channels: Annotated[list[ChannelShare], Meta(description="All channels of the brand, the loudest first.")]
    authors: Annotated[list[AuthorShare], Meta(description="By followers, then by texts.")]
    sentiment: Annotated[TextSentiment, Meta(description="Of the episode.")]
    sentiment_before: Annotated[TextSentiment, Meta(description="Of the baseline.")]


class Span(NamedTuple):
    """An episode from its onset to a moment, both within it, in UTC seconds; channel: '' for all."""

    since: int
    at: int
    channel: str = ""

    @property
    def baseline_since(self) -> int:
        """Where its baseline begins, UTC seconds."""
        return max(0, self.since - BASELINE_S)


class Reading(NamedTuple):
    """How many records were read for it, and whether that was all there is."""

    records: int
    complete: bool


def tell(span: Span, texts: Iterable[Text], reading: Reading) -> IncidentEvidence:
    """The evidence of an episode from all texts since its baseline begins, in any order and with any repeats.

    Of texts with one identity the first of the log counts. What lies outside the span and its baseline is left out.
    """
    known = [text for text in _each_once(texts) if span.baseline_since <= text.at <= span.at]
    heard = [text for text in known if text.at >= span.since]
    usual = [text for text in known if text.at < span.since]
    here, before = (list(_within(span.channel, some)) for some in (heard, usual))
    return IncidentEvidence(
        as_of=_moment(span.at),
        since=_moment(span.since),
        baseline_since=_moment(span.baseline_since),
        channel=span.channel or None,
        complete=reading.complete,
        records=reading.records,
        posts=_posts(here),
        terms=_terms(telling_terms((text.terms for text in here), (text.terms for text in before), TERMS)),
        channels=_channels(heard, usual),
        authors=_authors(here),
        sentiment=_sentiment(here),
        sentiment_before=_sentiment(before),
    )


def _each_once(texts: Iterable[Text]) -> Iterable[Text]:
    first: dict[tuple[str, str], Text] = {}
    for text in texts:
        key = text.source, text.event_id
        if (known := first.get(key)) is None or text.offset < known.offset:
            first[key] = text
    return first.values()


def _within(channel: str, texts: Iterable[Text]) -> Iterable[Text]:
    return (text for text in texts if channel in ("", text.channel))


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _reach(text: Text) -> int:
    """Whom a text may have reached; -1 where nobody said."""
    return next((told for told in (text.reach, text.followers) if told is not None), -1)


def _posts(texts: Iterable[Text]) -> list[Post]:
    """One of all that begin alike: the one that reached most."""
    alike: dict[str, list[Text]] = defaultdict(list)
    for text in texts:
        if text.public and text.excerpt:
            alike[" ".join(text.excerpt.casefold().split())].append(text)
    best = sorted(((min(some, key=_place), len(some)) for some in alike.values()), key=lambda one: _place(one[0]))
    return [_post(text, copies) for text, copies in best[:POSTS]]


def _place(text: Text) -> tuple[object, ...]:
    """The widest reach first; of equals the more negative, then the earlier."""
    return -_reach(text), 0.0 if text.score is None else text.score, text.at, text.source, text.event_id


def _post(text: Text, copies: int) -> Post:
    return Post(
        at=_moment(text.at),
        channel=text.channel,
        source=text.source,
        event_id=text.event_id,
        url=text.url or None,
        author=text.author or None,
        name=text.name or None,
        reach=reach if (reach := _reach(text)) >= 0 else None,
        label=text.label,
        score=text.score,
        excerpt=text.excerpt,
        copies=copies,
    )


def _terms(found: Iterable[Term]) -> list[TermShare]:
    return [TermShare(*one) for one in found]


def _channels(heard: Sequence[Text], usual: Sequence[Text]) -> list[ChannelShare]:
    counts, before = (Counter(text.channel for text in texts) for texts in (heard, usual))
    loudest = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:CHANNELS]
    return [
        ChannelShare(channel, count, _share(count, len(heard)), _share(before[channel], len(usual)) if usual else None)
        for channel, count in loudest
    ]


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4)


def _authors(texts: Iterable[Text]) -> list[AuthorShare]:
    said: dict[tuple[str, str], list[Text]] = defaultdict(list)
    for text in texts:
        if text.public and text.author:
            said[text.channel, text.author].append(text)
    found = [_author(channel, author, some) for (channel, author), some in said.items()]
    return sorted(found, key=_standing)[:AUTHORS]


def _standing(one: AuthorShare) -> tuple[object, ...]:
    return -1 if one.followers is None else -one.followers - 2, -one.texts, one.channel, one.author


def _author(channel: str, author: str, texts: Sequence[Text]) -> AuthorShare:
    latest = max((text for text in texts), key=lambda text: (bool(text.name), text.at, text.name))
    followers = max((text.followers for text in texts if text.followers is not None), default=None)
    negative = sum(text.label == "negative" for text in texts)
    return AuthorShare(author, latest.name or None, channel, followers, len(texts), negative)


def _sentiment(texts: Sequence[Text]) -> TextSentiment:
    counts = Counter(text.label for text in texts if text.label is not None)
    scored = counts.total()
    negative, neutral, positive = (counts[label] for label in ("negative", "neutral", "positive"))
    if scored:
        net = round(100 * (positive - negative) / scored, 2)
        return TextSentiment(len(texts), scored, negative, neutral, positive, net, None)
    return TextSentiment(len(texts), 0, 0, 0, 0, None, "no_scored_texts" if texts else "no_texts")
