"""Generated events of one brand, drawn from few moments, items, people and conversations, so that they meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.compute.folding import NOW, envelope, iso

DAY = 86_400
Drawn = dict[str, Any]

# Some minutes of this hour, yesterday, longer ago than minutes are kept, and a little ahead.
MOMENTS = st.one_of(
    st.integers(0, 600).map(lambda ago: NOW - ago),
    st.integers(DAY - 3_600, DAY + 3_600).map(lambda ago: NOW - ago),
    st.sampled_from([NOW - 16 * DAY, NOW - 16 * DAY + 61, NOW - 400 * DAY, NOW + 300]),
)
CHANNELS = st.sampled_from(["instagram", "x"])
ITEMS = st.sampled_from(["post-1", "post-2"])
PEOPLE = st.sampled_from(["ann", "bob", "eve"]).map(lambda name: {"id": name})
SENTIMENTS = st.sampled_from([None, -1.0, -0.05, 0.0, 0.049, 0.3333, 1.0])
COUNTERS = st.dictionaries(
    st.sampled_from(["impressions", "reach", "likes", "reactions", "comments", "clicks"]),
    st.integers(0, 30),
    min_size=1,
)


_DIMENSIONS = {
    "campaign": st.sampled_from([None, None, "spring", "autumn"]),
    "owner": st.sampled_from([None, None, "eve"]),
    "influencer": st.sampled_from([None, None, None, "ann"]),
    "team": st.sampled_from([None, None, "sales"]),
}


def _event(kind: str, /, **data: st.SearchStrategy[Any]) -> st.SearchStrategy[Drawn]:
    fields = st.fixed_dictionaries({"channel": CHANNELS, **_DIMENSIONS, **data}).map(
        lambda drawn: {name: value for name, value in drawn.items() if value is not None}
    )
    return st.builds(lambda moment, data: envelope(kind, "", moment, **data), MOMENTS, fields)


def _observed(event: Drawn, offset: int) -> Drawn:
    moment = iso(NOW - DAY + offset)
    return {**event, "data": {**event["data"], "observed_at": moment}}


MENTION = _event(
    "social.mention.v1",
    of=st.sampled_from(["aurora", "aurora", "rival"]),
    author=PEOPLE,
    sentiment=SENTIMENTS,
    text=st.sampled_from([None, "fine"]),
)
INTERACTION = _event(
    "social.interaction.v1",
    content_id=st.one_of(st.none(), ITEMS),
    kind=st.sampled_from(["reaction", "comment", "share", "save", "click", "view", "vote"]),
    op=st.sampled_from(["add", "add", "add", "edit", "remove"]),
    count=st.integers(1, 3),
    author=PEOPLE,
    sentiment=SENTIMENTS,
)
PUBLISHED = _event("social.content.published.v1", content_id=ITEMS, ugc=st.booleans(), author=PEOPLE)
METRICS = st.builds(
    _observed, _event("social.content.metrics.v1", content_id=ITEMS, cumulative=COUNTERS), st.integers(0, DAY + 600)
)
RECEIVED = _event(
    "social.message.received.v1",
    conversation_id=st.sampled_from(["c1", "c2"]),
    message_id=st.sampled_from(["m1", "m2", "m3"]),
    kind=st.sampled_from(["query", "direct", "feedback"]),
    author=st.one_of(st.none(), PEOPLE),
)
SENT = _event(
    "social.message.sent.v1",
    conversation_id=st.sampled_from(["c1", "c2"]),
    message_id=st.sampled_from(["r1", "r2"]),
    in_reply_to=st.sampled_from([None, "m1", "m2", "r1", "lost"]),
    agent=st.sampled_from([None, "ann", "bot:hello"]),
)
SNAPSHOT = _event(
    "social.audience.snapshot.v1",
    audience=st.sampled_from(["followers", "subscribers", "members"]),
    count=st.integers(0, 1_000),
)
ANY = st.one_of(MENTION, INTERACTION, PUBLISHED, METRICS, RECEIVED, SENT, SNAPSHOT)


ABOUT_ONE_ITEM = st.one_of(
    _event("social.interaction.v1", content_id=st.just("post"), kind=st.sampled_from(["reaction", "comment"])),
    st.builds(
        _observed,
        _event(
            "social.content.metrics.v1",
            content_id=st.just("post"),
            cumulative=st.dictionaries(st.sampled_from(["likes", "comments"]), st.integers(0, 30), min_size=1),
        ),
        st.integers(0, DAY),
    ),
    _event("social.content.published.v1", content_id=st.just("post")),
    _event("social.audience.snapshot.v1", audience=st.just("followers"), count=st.integers(0, 1_000)),
).map(lambda event: {**event, "data": {**event["data"], "channel": "x"}})
"""What happens to a single item, so that much of it meets."""


def _numbered(drawn: list[Drawn]) -> list[Drawn]:
    return [{**event, "id": f"e{number}"} for number, event in enumerate(drawn)]


def streams(kinds: st.SearchStrategy[Drawn] = ANY, most: int = 14) -> st.SearchStrategy[list[Drawn]]:
    """Different events, each with an id of its own."""
    return st.lists(kinds, max_size=most).map(_numbered)
