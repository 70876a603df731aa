"""The screen: what each rule marks, what it narrowly does not, and that order of arrival changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.catalogue.screen import RULES, Rule, Tally
from bellwether_compute.integrity import SIGHTINGS_KEPT, VISITS_KEPT, Sighting, earliest, judge, put, side_of
from bellwether_compute.sightings import text_key
from tests.unit.compute.folding import envelope, iso
from tests.unit.compute.screening import T0, Event, Screening, interaction, membership

NEW = {"followers": 12, "created_at": iso(T0 - 86_400)}
EMPTY: dict[str, Any] = {"followers": 0}
GROWN = {"followers": 3, "created_at": iso(T0 - 400 * 86_400)}
COPIED = "Win a free phone at my page today!"


def marked(events: Iterable[Event]) -> dict[str, set[str]]:
    screening = Screening()
    screening.apply(events)
    return screening.marked()


def burst(size: int, step: float = 5, account: dict[str, Any] = EMPTY, item: str = "post") -> list[Event]:
    """Likes of one item, each by another account."""
    return [interaction(f"like-{n}", T0 + int(n * step), f"user-{n}", item, account=account) for n in range(size)]


@pytest.mark.parametrize("account", [NEW, EMPTY])
def test_ten_new_or_empty_accounts_on_one_item_within_a_minute_are_marked(account: dict[str, Any]) -> None:
    assert marked(burst(10, account=account)) == {f"like-{n}": {"burst"} for n in range(10)}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(burst(9), id="nine accounts"),
        pytest.param(burst(10, step=7), id="63 seconds"),
        pytest.param(burst(30, step=1, account=GROWN), id="grown accounts"),
        pytest.param(burst(30, step=1, account={}), id="nothing known of the accounts"),
        pytest.param([*burst(9), interaction("again", T0 + 44, "user-1", account=EMPTY)], id="one of nine twice"),
        pytest.param([*burst(9), interaction("x", T0 + 44, "y", "else", account=EMPTY)], id="another item"),
        pytest.param([interaction(str(n), T0 + n, f"u{n}", kind="view", account=EMPTY) for n in range(30)], id="views"),
    ],
)
def test_what_narrowly_is_no_burst_is_not_marked(events: list[Event]) -> None:
    assert marked(events) == {}


def test_an_account_of_exactly_seven_days_is_not_new() -> None:
    assert marked(burst(10, step=0, account={"created_at": iso(T0 - 7 * 86_400)})) == {}
    assert len(marked(burst(10, step=0, account={"created_at": iso(T0 - 7 * 86_400 + 1)}))) == 10


def test_a_burst_of_joins_is_marked_as_joins() -> None:
    screening = Screening()
    screening.apply(membership(f"j{n}", T0 + n, f"m{n}", author={"id": f"m{n}", "followers": 0}) for n in range(12))
    assert screening.marked() == {f"j{n}": {"join_burst"} for n in range(12)}
    assert screening.total("channel=instagram") == {"suspect_joins": 12}


def test_one_account_on_ten_items_within_ten_seconds_is_marked() -> None:
    spree = [interaction(f"like-{n}", T0 + n, "bot", f"post-{n}", account=GROWN) for n in range(10)]
    assert marked(spree) == {f"like-{n}": {"spree"} for n in range(10)}


@pytest.mark.parametrize(("items", "step"), [(9, 1), (10, 1.2)], ids=["nine items", "ten items within eleven seconds"])
def test_what_narrowly_is_no_spree_is_not_marked(items: int, step: float) -> None:
    assert marked(interaction(f"l{n}", T0 + round(n * step), "fan", f"post-{n}") for n in range(items)) == {}


def test_ten_interactions_with_one_item_are_no_spree() -> None:
    assert marked(interaction(f"l{n}", T0 + n, "fan", "post") for n in range(10)) == {}


def churn(*days: float) -> list[Event]:
    """Joining and leaving in turn, at these days."""
    kinds = ("joined", "left")
    return [membership(f"m{n}", T0 - int((7 - day) * 86_400), "mia", kinds[n % 2]) for n, day in enumerate(days)]


def test_joining_and_leaving_twice_within_a_week_marks_the_joins() -> None:
    screening = Screening()
    screening.apply(churn(0, 1, 2, 7))
    assert screening.marked() == {"m0": {"churn"}, "m2": {"churn"}}
    assert screening.total() == {"suspect_joins": 2}


@pytest.mark.parametrize("days", [(0, 1, 2), (0, 1, 2, 7.001)], ids=["stayed the second time", "over a week"])
def test_a_change_of_mind_is_no_churn(days: tuple[float, ...]) -> None:
    assert marked(churn(*days)) == {}


def test_members_of_two_audiences_are_not_confused() -> None:
    both = [
        *churn(0, 1),
        membership("other", T0, "mia", channel="x"),
        membership("gone", T0 + 1, "mia", "left", channel="x"),
    ]
    assert marked(both) == {}


def comments(size: int, text: str = COPIED, step: int = 600, authors: int = 100) -> list[Event]:
    return [
        interaction(f"c{n}", T0 + n * step, f"u{n % authors}", f"post-{n % 2}", kind="comment", text=text)
        for n in range(size)
    ]


@pytest.mark.parametrize("authors", [5, 1], ids=["by five accounts", "by one account"])
def test_the_same_comment_five_times_within_an_hour_is_marked(authors: int) -> None:
    assert marked(comments(5, authors=authors)) == {f"c{n}": {"same_text"} for n in range(5)}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(comments(4), id="four times"),
        pytest.param(comments(5, step=901), id="over an hour"),
        pytest.param(comments(40, text="Congratulations!!! 🎉🎉🎉", step=60), id="short by nature"),
        pytest.param([*comments(4), *comments(5, text="What a lovely day it is!", step=1)[4:]], id="another text"),
    ],
)
def test_what_narrowly_is_not_the_same_text_is_not_marked(events: list[Event]) -> None:
    assert marked(events) == {}


def test_case_spacing_punctuation_and_emoji_do_not_tell_texts_apart() -> None:
    assert text_key(COPIED) == text_key("WIN a   free phone, at my page TODAY 🎁")
    assert text_key(COPIED) != text_key(COPIED.replace("phone", "laptop"))
    assert text_key("ａｌｌ　ｗｉｄｅ letters of some length") == text_key("all wide letters of some length")


def pod(items: int, delay: int = 600, visitors: tuple[str, str] = ("ann", "bob")) -> list[Event]:
    """Two accounts who like each other's posts, so long after publication."""
    events = []
    for n in range(items):
        for author, other in (visitors, visitors[::-1]):
            at, name = T0 - n * 3600 - (author < other) * 1800, f"{author}-{n}"
            body = {"content_id": name, "ugc": True, "author": {"id": author}}
            events.append(envelope("social.content.published.v1", f"pub-{name}", at, **body))
            events.append(interaction(f"like-{name}", at + delay, other, name))
    return events


def test_two_accounts_who_promptly_like_five_items_of_each_other_are_a_pod() -> None:
    assert marked(pod(5)) == {f"like-{who}-{n}": {"pod"} for who in ("ann", "bob") for n in range(5)}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(pod(4), id="four items each"),
        pytest.param(pod(5, delay=601), id="not prompt"),
        pytest.param([e for e in pod(9) if not e["id"].startswith("like-bob")], id="one way"),
        pytest.param(pod(9, visitors=("ann", "ann")), id="own items"),
    ],
)
def test_what_narrowly_is_no_pod_is_not_marked(events: list[Event]) -> None:
    assert marked(events) == {}


def test_an_interaction_with_an_item_that_is_told_of_twice_is_seen_once() -> None:
    screening, events = Screening(), pod(5, delay=300)
    earlier = [
        {**each, "id": f"{each['id']} again", "time": iso(datetime.fromisoformat(each["time"]).timestamp() - 1)}
        for each in events
        if each["id"].startswith("pub")
    ]
    screening.apply(events)
    screening.apply(earlier)
    (trace,) = (trace for key, trace in screening.brand.traces.items() if key.rule == "pod")
    assert len(trace) == 10
    assert screening.total() == {"suspect_interactions": 10}


def test_items_of_the_brand_itself_make_no_pod() -> None:
    events = pod(5)
    for event in events:
        event["data"].pop("ugc", None)
    assert marked(events) == {}


def test_a_lively_crowd_of_real_accounts_is_not_marked() -> None:
    rng, events = Random(3), list[Event]()
    for n in range(2000):
        fan = rng.randrange(400)
        account: dict[str, Any] = {
            "followers": rng.randrange(1, 900),
            "created_at": iso(T0 - rng.randrange(8, 3000) * 86_400),
        }
        if fan % 25 == 0:
            account = EMPTY
        kind = rng.choice(("reaction", "reaction", "share", "comment"))
        text = (
            rng.choice(("So good!", "Love this", f"I have waited for this, number {n}")) if kind == "comment" else None
        )
        at = T0 + rng.randrange(3600)
        events.append(
            interaction(str(n), at, f"fan-{fan}", f"post-{rng.randrange(4)}", kind=kind, text=text, account=account)
        )
    events += [membership(f"j{n}", T0 + n, f"m{n}", author={"id": f"m{n}", "followers": n % 7}) for n in range(60)]
    assert marked(events) == {}


def test_an_event_that_two_rules_mark_counts_once_and_names_both() -> None:
    screening = Screening()
    events = [
        interaction(f"c{n}", T0 + n, f"u{n}", kind="comment", text=COPIED, account=EMPTY, count=2) for n in range(10)
    ]
    for event in events:
        screening.apply([event])
    assert set(map(frozenset, screening.marked().values())) == {frozenset({"burst", "same_text"})}
    assert screening.total() == {"suspect_interactions": 20}


def test_a_mark_counts_at_the_minute_and_in_the_cuts_of_its_own_event() -> None:
    screening = Screening()
    events = burst(10, step=6)
    events[0]["data"]["campaign"] = "spring"
    screening.apply(events)
    assert screening.total("campaign=spring") == {"suspect_interactions": 1}
    minutes = [totals for (grain, cut, _), totals in screening.everything()["rollups"].items() if not (grain or cut)]  # type: ignore[attr-defined]
    assert minutes == [{"suspect_interactions": 5}, {"suspect_interactions": 5}]


def test_a_trace_that_forgets_its_oldest_counts_nothing_twice() -> None:
    screening = Screening()
    events = [
        membership(f"j{n}", T0 + n // 20, f"m{n}", author={"id": f"m{n}", **EMPTY}) for n in range(2 * SIGHTINGS_KEPT)
    ]
    for start in range(0, len(events), 50):
        screening.apply(events[start : start + 50])
    assert screening.total() == {"suspect_joins": 2 * SIGHTINGS_KEPT}
    (trace,) = (trace for key, trace in screening.brand.traces.items() if key.rule == "join_burst")
    assert len(trace) == SIGHTINGS_KEPT


def test_only_the_earliest_visits_to_an_item_are_looked_at() -> None:
    visits = [
        Sighting(moment, f"{moment:04}", "", "post", "ann", 1, ("",)) for moment in Random(1).sample(range(1000), 200)
    ]
    assert earliest([*visits, *visits[:50]]) == sorted(visits, key=lambda visit: visit.moment)[:VISITS_KEPT]


_TALLIES: dict[Tally, Callable[[list[str]], int]] = {
    Tally.EVENTS: len,
    Tally.DISTINCT: lambda whats: len(set(whats)),
    Tally.ROUNDS: lambda whats: min(
        len({what for what in whats if what.startswith("a")}), len({what for what in whats if what.startswith("b")})
    ),
}


@given(
    st.sampled_from(Tally),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from("ab"), st.sampled_from("xyz")), max_size=30),
    st.randoms(use_true_random=False),
    st.integers(1, 7),
)
def test_what_is_marked_since_when_follows_from_the_definition_in_any_order(
    tally: Tally, drawn: list[tuple[int, str, str]], random: Random, size: int
) -> None:
    rule = Rule(name="r", words="", marks="suspect_joins", tally=tally, within_s=10, least=3)
    sightings = [
        Sighting(moment, f"{n:03}", side_of(side, thing), "", "", 1, ("",))
        for n, (moment, side, thing) in enumerate(drawn)
    ]
    shuffled, trace = list(sightings), list[Sighting]()
    random.shuffle(shuffled)
    for start in range(0, len(shuffled), size):
        for sighting in shuffled[start : start + size]:
            put(trace, sighting)
        judge(rule, trace)
    assert {s.mark_id: (s.formed, s.seen) for s in trace if s.formed is not None} == _by_definition(rule, sightings)


def _by_definition(rule: Rule, sightings: list[Sighting]) -> dict[str, tuple[int, int]]:
    """Of all windows that are full the earliest-ending one that holds a sighting."""
    found: dict[str, tuple[int, int]] = {}
    for end in sorted({s.moment for s in sightings}, reverse=True):
        inside = [s for s in sightings if end - rule.within_s <= s.moment <= end]
        if (seen := _TALLIES[rule.tally]([s.what for s in inside])) >= rule.least:
            found |= {s.mark_id: (end, seen) for s in inside}
    return found


_SCENES = st.lists(st.sampled_from(("burst", "spree", "churn", "copy", "pod", "joins")), min_size=1, max_size=3)


@given(_SCENES, st.randoms(use_true_random=False), st.integers(1, 40))
def test_order_and_batches_of_arrival_change_no_mark_and_no_number(
    scenes: list[str], random: Random, size: int
) -> None:
    makers: dict[str, Callable[[], list[Event]]] = {
        "burst": lambda: burst(random.randrange(8, 14)),
        "spree": lambda: [interaction(f"s{n}", T0 + n, "bot", f"p{n}") for n in range(random.randrange(8, 14))],
        "churn": lambda: churn(*range(random.randrange(2, 7))),
        "copy": lambda: comments(random.randrange(3, 8)),
        "pod": lambda: pod(random.randrange(4, 7)),
        "joins": lambda: [membership(f"b{n}", T0 + n, f"m{n}", author={"id": "a", **EMPTY}) for n in range(12)],
    }
    events = {event["id"]: event for scene in scenes for event in makers[scene]()}
    ordered = sorted(events.values(), key=lambda event: event["time"])
    shuffled = list(ordered)
    random.shuffle(shuffled)
    one, other = Screening(), Screening()
    one.apply(ordered)
    for start in range(0, len(shuffled), size):
        other.apply(shuffled[start : start + size])
    assert one.everything() == other.everything()


def test_every_rule_is_told_in_words_that_hold_its_thresholds() -> None:
    for rule in RULES.values():
        assert str(rule.least) in rule.words.replace("twice", "2")
