"""The demo's stream: valid, ordered, repeatable, and telling all that the KPIs need."""

import statistics
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from bellwether.wire.events import decode_event
from bellwether.wire.strict import fault
from bellwether_cli.demo.counted import read
from bellwether_cli.demo.live import going_on
from bellwether_cli.demo.scorecard import drawn, duration, figure
from bellwether_cli.demo.story import BRANDS, Event
from bellwether_cli.demo.stream import CROWD, stream

END = datetime(2026, 3, 18, 15, 20, tzinfo=UTC)
START = END.replace(minute=0) - timedelta(days=10)
CRISIS = datetime(2026, 3, 16, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(stream(7, START, END, (replace(BRANDS[0], crisis_at=CRISIS), *BRANDS[1:])))


def data(event: Event) -> dict[str, Any]:
    found = event["data"]
    assert isinstance(found, dict)
    return found


def test_every_event_keeps_the_contract(events: list[Event]) -> None:
    for event in events:
        raw = msgspec.json.encode(event)
        assert fault(raw) is None
        decode_event(raw)


def test_events_come_in_the_order_of_time_inside_the_range(events: list[Event]) -> None:
    times = [datetime.fromisoformat(str(event["time"])) for event in events]
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert times[0] >= START
    assert times[-1] < END


def test_no_identity_comes_twice(events: list[Event]) -> None:
    identities = Counter((data(event)["brand"], event["source"], event["id"]) for event in events)
    assert identities.most_common(1)[0][1] == 1


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    def told(seed: int) -> list[Event]:
        return list(stream(seed, START, START + timedelta(days=1)))

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_streams_of_one_seed_agree_where_they_overlap() -> None:
    middle = START + timedelta(days=2, minutes=13)
    whole = {event["id"]: event for event in stream(3, START, START + timedelta(days=4), BRANDS[:1])}
    later = list(stream(3, middle, START + timedelta(days=4), BRANDS[:1]))
    assert later
    assert all(whole[event["id"]] == event for event in later)


def test_all_that_the_kpis_are_made_of_happens_to_every_brand(events: list[Event]) -> None:
    kinds = {(data(event)["brand"], event["type"]) for event in events}
    for brand in BRANDS:
        for kind in (
            "social.content.published.v1", "social.content.metrics.v1", "social.interaction.v1", "social.mention.v1",
            "social.message.received.v1", "social.message.sent.v1", "social.audience.snapshot.v1",
            "social.audience.joined.v1", "social.audience.left.v1", "social.community.visit.v1", "web.session.v1",
            "sales.lead.created.v1", "sales.conversion.v1", "ads.delivery.v1", "finance.cost.v1",
            "survey.response.v1", "assessment.recorded.v1", "activity.recorded.v1", "search.interest.v1",
        ):  # fmt: skip
            assert (brand.slug, kind) in kinds


def test_counters_of_a_content_item_never_fall(events: list[Event]) -> None:
    last: dict[tuple[object, object], dict[str, int]] = {}
    for event in events:
        if event["type"] == "social.content.metrics.v1":
            now, item = data(event)["cumulative"], (data(event)["brand"], data(event)["content_id"])
            before = last.get(item, {})
            assert all(now[name] >= value for name, value in before.items())
            last[item] = now


def test_an_item_is_fed_by_snapshots_or_by_interactions_never_by_both(events: list[Event]) -> None:
    fed: dict[str, set[object]] = {"social.content.metrics.v1": set(), "social.interaction.v1": set()}
    for event in events:
        if event["type"] in fed:
            fed[str(event["type"])].add((data(event)["brand"], data(event)["content_id"]))
    assert not fed["social.content.metrics.v1"] & fed["social.interaction.v1"]


def test_answers_name_the_message_they_answer_and_some_messages_get_none(events: list[Event]) -> None:
    def name(event: Event, message: object) -> tuple[object, object]:
        return data(event)["brand"], message

    received = [event for event in events if event["type"] == "social.message.received.v1"]
    sent = [event for event in events if event["type"] == "social.message.sent.v1"]
    answered = {name(event, data(event)["in_reply_to"]) for event in sent}
    assert answered <= {name(event, event["id"]) for event in received}
    questions = {name(event, event["id"]) for event in received if "in_reply_to" not in data(event)}
    assert 0.9 < len(answered) / len(questions) < 0.99


def test_evenings_are_busier_than_nights(events: list[Event]) -> None:
    brand = BRANDS[0]
    hours = Counter(
        datetime.fromisoformat(str(event["time"])).hour
        for event in events
        if event["type"] == "social.mention.v1" and data(event)["brand"] == brand.slug
    )
    night, evening = sum(hours[h] for h in range(1, 5)), sum(hours[h] for h in range(17, 21))
    assert evening > 3 * night


def test_the_crisis_is_a_burst_of_mentions_of_one_brand(events: list[Event]) -> None:
    def mentions(slug: str, hour: datetime) -> int:
        return sum(
            event["type"] == "social.mention.v1"
            and data(event)["brand"] == slug
            and hour <= datetime.fromisoformat(str(event["time"])) < hour + timedelta(hours=1)
            for event in events
        )

    usual = statistics.median(mentions(BRANDS[0].slug, CRISIS - timedelta(days=n)) for n in range(1, 7))
    assert mentions(BRANDS[0].slug, CRISIS) > 5 * usual
    assert mentions(BRANDS[1].slug, CRISIS) < 20


def test_the_crowd_grows_with_the_intensity() -> None:
    hour = datetime(2026, 3, 11, 12, tzinfo=UTC)
    events = list(stream(7, hour, hour + timedelta(hours=1), intensity=100, strands=CROWD, source="/load"))
    assert 5_000 < len(events) < 20_000
    assert {event["source"] for event in events} == {"/load"}


def test_the_live_part_goes_on_without_a_gap_or_a_repeat() -> None:
    now = START + timedelta(hours=5, minutes=20)
    history = stream(7, now, END)
    live = [event for event, _ in zip(going_on(7, history, now, 20.0), range(500), strict=False)]
    assert [str(e["time"]) for e in live] == sorted(str(e["time"]) for e in live)
    assert str(live[0]["time"])[:19] >= now.isoformat()[:19]


def test_what_compute_has_settled_is_read_from_its_metrics() -> None:
    text = (
        "# TYPE bellwether_events_applied_total counter\nbellwether_events_applied_total 90.0\n"
        "# TYPE bellwether_events_left_out_total counter\n"
        'bellwether_events_left_out_total{reason="duplicate"} 8.0\n'
        'bellwether_events_left_out_total{reason="conflict"} 2.0\n'
        '# TYPE bellwether_lag_records gauge\nbellwether_lag_records{partition="3"} 4.0\n'
    )
    assert read(text) == (100.0, 4.0)
    assert read("") == (0.0, 0.0)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (12345, "count", "12,345"),
        (3.14159, "percent", "3.1 %"),
        (1234.5, "percent", "1,234 %"),
        (-12.34, "net_sentiment", "-12.3"),
        (41, "net_sentiment", "+41.0"),
        (762, "seconds", "12.7 min"),
    ],
)
def test_figures_are_written_as_people_write_them(value: float, unit: str, expected: str) -> None:
    assert figure(value, unit) == expected


def test_durations_take_the_unit_that_reads_best() -> None:
    assert [duration(s) for s in (12, 90, 7200)] == ["12 s", "1.5 min", "2.0 h"]


def test_the_scorecard_shows_every_brand_and_says_why_a_value_is_missing() -> None:
    def card(brand: str, **line: object) -> dict[str, Any]:
        lines = [{"kpi": "k", "title": "Answers", "unit": "count", **line}]
        cut = {"cut": None, "areas": [{"title": "Area", "lines": lines}]}
        head = {"title": "Card", "period": "2026-W11", "partial": True, "as_of": "2026-03-18T15:20:00Z"}
        return {"brand": brand, **head, "cuts": [cut]}

    trend = {"change_percent": 12.4, "improved": True}
    table = drawn([card("a", value=7, trend=trend), card("b", value=None, reason="no_data", trend={})])
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    assert cells == [["Area", "  Answers"], ["", "7  ▲    12 %"], ["", "no data"]]
