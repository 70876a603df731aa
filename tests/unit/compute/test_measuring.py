"""Every declared measure on one event that it counts and on ones that it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from bellwether.catalogue.measures import Fold, Measure, Where
from bellwether.wire.events import decode_event
from bellwether_compute.groups import Group
from bellwether_compute.measuring import DECISIONS_KEPT, POINTS, compile_measures, derive, label_of
from tests.unit.compute.folding import COUNTS, NOW, Folding, envelope

ANN = {"id": "ann"}
MENTION, RECEIVED = "social.mention.v1", "social.message.received.v1"
PUBLISHED, INTERACTION = "social.content.published.v1", "social.interaction.v1"


def counted(kind: str, score: Callable[[str], float] = len, /, **data: Any) -> dict[str, int]:
    """What one event adds to the measures that read single events."""
    event = decode_event(json.dumps(envelope(kind, "e", NOW, **data)).encode())
    group = Group()
    derived = derive(event, score, NOW)
    for count in COUNTS.get(kind, ()):
        count(event.data, derived, group)
    return {**group.sums, **{key: len(people) for key, people in group.people.items()}}


def test_a_mention_of_the_brand() -> None:
    assert counted(MENTION, of="aurora", author=ANN, sentiment=0.5) == {
        "mentions": 1, "mention_authors": 1, "sentiment_n": 1, "positive_n": 1, "sentiment_sum": 5_000,
    }  # fmt: skip


def test_a_mention_of_a_competitor_has_no_say_in_the_brands_mood() -> None:
    assert counted(MENTION, of="rival", author=ANN, sentiment=-1.0, text="awful") == {"competitor_mentions": 1}


def test_a_mention_without_a_text_or_an_author_is_a_mention() -> None:
    assert counted(MENTION, of="aurora") == {"mentions": 1}


def test_the_sentiment_that_the_source_gives_wins_over_our_own() -> None:
    def delighted(_: str) -> float:
        return 1.0

    assert counted(MENTION, delighted, of="aurora", text="meh", sentiment=-0.25)["sentiment_sum"] == -2_500
    assert counted(MENTION, delighted, of="aurora", text="meh", sentiment=0.0)["sentiment_sum"] == 0
    assert counted(MENTION, delighted, of="aurora", text="meh")["sentiment_sum"] == POINTS
    assert "sentiment_sum" not in counted(MENTION, delighted, of="aurora", text="")


@pytest.mark.parametrize(
    ("sentiment", "label"),
    [(1.0, "positive"), (0.05, "positive"), (0.0499, "neutral"), (0.0, "neutral"), (-0.0499, "neutral"),
     (-0.05, "negative"), (-1.0, "negative")],
)  # fmt: skip
def test_texts_are_positive_neutral_or_negative(sentiment: float, label: str) -> None:
    found = counted(MENTION, of="aurora", sentiment=sentiment)
    assert found[f"{label}_n"] == found["sentiment_n"] == 1
    assert sum(found.get(f"{other}_n", 0) for other in ("positive", "neutral", "negative")) == 1
    assert label_of(round(sentiment * POINTS)) == label


def test_a_message_is_received_and_a_query_is_one_too() -> None:
    ids = {"conversation_id": "c", "message_id": "m"}
    assert counted(RECEIVED, **ids, kind="complaint") == {"messages_received": 1}
    assert counted(RECEIVED, **ids, kind="query", sentiment=0.0) == {
        "messages_received": 1, "queries_received": 1, "sentiment_n": 1, "neutral_n": 1, "sentiment_sum": 0,
    }  # fmt: skip


def test_what_the_brand_sends_itself_has_no_say_in_its_mood() -> None:
    assert counted("social.message.sent.v1", conversation_id="c", message_id="m", text="sorry", sentiment=-1.0) == {}


def test_content_of_the_brand_and_of_its_users_is_told_apart() -> None:
    assert counted(PUBLISHED, content_id="p", author=ANN) == {"content_published": 1}
    assert counted(PUBLISHED, content_id="p", author=ANN, ugc=True) == {"ugc_submissions": 1, "ugc_authors": 1}


@pytest.mark.parametrize("kind", ["reaction", "comment", "share", "save", "click", "vote"])
def test_who_interacts_is_a_member_who_interacted(kind: str) -> None:
    assert counted(INTERACTION, content_id="p", kind=kind, author=ANN)["interacting_members"] == 1


def test_a_comment_is_a_post_of_the_community_and_nothing_else_is() -> None:
    assert counted(INTERACTION, kind="comment", count=3) == {"community_comments": 3}
    assert counted(INTERACTION, kind="comment", op="remove") == counted(INTERACTION, kind="share") == {}


def test_who_only_looks_or_takes_back_is_no_member_who_interacted() -> None:
    assert counted(INTERACTION, content_id="p", kind="view", author=ANN) == {}
    assert counted(INTERACTION, content_id="p", kind="reaction", op="remove", author=ANN) == {}


def test_only_a_comment_that_is_added_has_a_mood() -> None:
    assert counted(INTERACTION, kind="comment", sentiment=-1.0)["negative_n"] == 1
    assert counted(INTERACTION, kind="comment", op="remove", sentiment=-1.0) == {}
    assert counted(INTERACTION, kind="reaction", sentiment=-1.0) == {}


KINDS = {
    "reaction": "reactions",
    "comment": "comments",
    "share": "shares",
    "save": "saves",
    "click": "clicks",
    "vote": "votes",
}


def day_totals(*events: dict[str, Any]) -> dict[str, Any]:
    """What events of one day make of it in the total."""
    folding = Folding()
    folding.apply(events)
    return {
        key: value
        for (grain, cut, _), totals in folding.rollups().items()
        if (grain.name, cut) == ("DAY", "")
        for key, value in totals.items()
    }


@pytest.mark.parametrize(("kind", "counter"), KINDS.items())
def test_every_kind_of_interaction_counts_as_itself_and_a_removal_subtracts(kind: str, counter: str) -> None:
    added = envelope(INTERACTION, "a", NOW - 60, content_id="p", kind=kind, count=3)
    removed = envelope(INTERACTION, "b", NOW - 30, content_id="p", kind=kind, op="remove", count=2)
    edited = envelope(INTERACTION, "c", NOW - 20, content_id="p", kind=kind, op="edit")
    written = {"community_comments": 3} if kind == "comment" else {}
    assert day_totals(added, edited) == {counter: 3, "interactions": 3, **written}
    assert day_totals(added, removed, edited) == {counter: 1, "interactions": 1, **written}


def test_a_view_is_a_display_and_no_interaction() -> None:
    assert day_totals(envelope(INTERACTION, "a", NOW - 60, content_id="p", kind="view")) == {"views": 1}


def test_an_interaction_without_an_item_counts_for_the_brand() -> None:
    found = day_totals(envelope(INTERACTION, "a", NOW - 60, kind="click"))
    assert found == {"clicks": 1, "interactions": 1}


def test_likes_stand_for_reactions_where_those_are_not_told() -> None:
    def shown(**counters: int) -> dict[str, Any]:
        observed = envelope("social.content.metrics.v1", "s", NOW, content_id="p", cumulative=counters)
        observed["data"]["observed_at"] = observed["time"]
        return day_totals(envelope(PUBLISHED, "p", NOW - 60, content_id="p"), observed)

    assert shown(likes=5)["reactions"] == 5
    assert shown(likes=5, reactions=8)["reactions"] == 8


def test_an_answered_query_counts_where_it_was_received() -> None:
    ids = {"conversation_id": "c"}
    asked = envelope(RECEIVED, "a", NOW - 3_000, **ids, message_id="m", kind="query")
    answered = envelope("social.message.sent.v1", "b", NOW - 600, **ids, message_id="r", in_reply_to="m")
    assert day_totals(asked, answered) == {
        "messages_received": 1, "queries_received": 1, "messages_answered": 1, "queries_answered": 1,
        "query_response_seconds": 2_400, "response_time": {2_400: 1}, "query_response_time": {2_400: 1},
        "answered_business": 1, "answered_within_target": 1, "response_time_business": {2_400: 1},
        "query_response_time_business": {2_400: 1},
    }  # fmt: skip


def test_a_measure_over_a_field_that_its_events_do_not_have_is_refused() -> None:
    for faulty in (
        Measure(key="m", title="M", fold=Fold.SUM, events=(MENTION,), field="reech"),
        Measure(key="m", title="M", fold=Fold.COUNT, events=(MENTION,), where=(Where("ugc", (True,)),)),
        Measure(key="m", title="M", fold=Fold.DISTINCT, events=(MENTION,), field="@nobody"),
        Measure(key="m", title="M", fold=Fold.COUNT, events=("social.mansion.v1",)),
        Measure(key="m", title="M", fold=Fold.DISTINCT, events=(MENTION,)),
        Measure(key="m", title="M", fold=Fold.COUNT, events=(MENTION,), where=(Where("@social", (True,)),)),
        Measure(key="m", title="M", fold=Fold.SUM, events=(MENTION,), field="@score"),
    ):
        with pytest.raises(ValueError, match="no such"):
            compile_measures((faulty,))


def test_a_measure_may_sum_a_field_of_the_body() -> None:
    reach = Measure(key="mention_reach", title="Reach", fold=Fold.SUM, events=(MENTION,), field="reach")
    group = Group()
    for body in ({"of": "aurora", "reach": 30}, {"of": "aurora"}, {"of": "aurora", "reach": 12}):
        event = decode_event(json.dumps(envelope(MENTION, "e", NOW, **body)).encode())
        for count in compile_measures((reach,))[MENTION]:
            count(event.data, derive(event, len, NOW), group)
    assert group.sums == {"mention_reach": 42}


def test_a_measure_counts_what_its_condition_says_however_many_values_a_field_has() -> None:
    where = Where("campaign", ("spring", "autumn"))
    measure = Measure(key="m", title="M", fold=Fold.COUNT, events=(MENTION,), where=(where,))
    by_channel = Measure(key="c", title="C", fold=Fold.COUNT, events=(MENTION,), by="channel")
    (count,) = compile_measures((measure, by_channel))[MENTION]
    campaigns = ["spring", *(f"c{number}" for number in range(DECISIONS_KEPT + 10)), "spring", "autumn"]
    event, group = decode_event(json.dumps(envelope(MENTION, "e", NOW, of="aurora")).encode()), Group()
    for campaign in campaigns:
        body = structs.replace(event.data, campaign=campaign)
        count(body, derive(event, len, NOW), group)
    assert group.sums == {"m": 3, "c": len(campaigns), "c@instagram": len(campaigns)}
