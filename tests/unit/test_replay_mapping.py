"""Mappings of rows to events: the format, its faults, and the two built-in ones against the real files."""

import csv
import statistics
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from bellwether.wire.events import MessageReceived, MessageSent, decode_event
from bellwether.wire.strict import fault
from bellwether_cli.replay import mapping
from bellwether_cli.replay.mapping import Mapped
from bellwether_cli.replay.plan import Plan, choose, time_of
from bellwether_cli.replay.rows import rows
from bellwether_cli.replay.template import MappingError

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def real(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the data set {name} is not in {DATA}")
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def mapped(path: Path, name: str | None = None) -> list[Mapped]:
    return list(Plan(path, choose(path, name)).results())


def data(result: Mapped) -> dict[str, object]:
    assert result.event is not None, result.fault
    found = result.event["data"]
    assert isinstance(found, dict)
    return found


def yaml(rest: str) -> str:
    return "brand: acme\nevents:\n  - type: social.mention.v1\n    data: {channel: x, of: acme}\n" + rest


def one(spec: str, row: dict[str, object]) -> Mapped:
    return next(mapping.parse(spec, "test").events([row], file="test.csv"))


def test_every_airline_row_becomes_a_valid_mention_of_its_airline() -> None:
    path = real("airline.csv")
    results = mapped(path)
    assert len(results) == 7189
    for result, row in zip(results, table(path), strict=True):
        raw = msgspec.json.encode(result.event)
        assert fault(raw) is None
        decode_event(raw)
        assert data(result)["text"] == row["text"]
        assert result.event is not None
        assert result.event["id"] == row["id"]


def test_airline_sentiment_counts_are_those_of_the_file() -> None:
    path = real("airline.csv")
    label = {-1: "negative", 0: "neutral", 1: "positive"}
    counted = Counter((str(data(r)["of"]), label[int(str(data(r)["sentiment"]))]) for r in mapped(path))
    expected = Counter((row["airline"].lower().replace(" ", "-"), row["sentiment"]) for row in table(path))
    assert counted == expected
    assert len({brand for brand, _ in counted}) == 6


def test_support_replies_give_the_known_response_times() -> None:
    events = [decode_event(msgspec.json.encode(r.event)) for r in mapped(real("support_conversations.csv"))]
    received = {e.data.message_id: e for e in events if isinstance(e, MessageReceived)}
    first: dict[str, float] = {}
    for event in events:
        if isinstance(event, MessageSent) and event.data.in_reply_to in received:
            question = received[event.data.in_reply_to]
            assert question.time is not None
            assert event.time is not None
            waited = (event.time - question.time).total_seconds()
            first[question.data.message_id] = min(waited, first.get(question.data.message_id, waited))
    assert (len(events), len(received), len(first)) == (1518, 889, 595)
    assert statistics.median(first.values()) / 60 == pytest.approx(12.7, abs=0.05)


def test_a_support_conversation_is_one_reply_chain_of_one_brand() -> None:
    path = real("support_conversations.csv")
    brands = defaultdict(set)
    answered_by = defaultdict(set)
    for result, row in zip(mapped(path), table(path), strict=True):
        conversation = data(result)["conversation_id"]
        brands[conversation].add(data(result)["brand"])
        if row["inbound"] == "False":
            answered_by[conversation].add(row["author_id"])
    assert len(brands) == 375
    assert all(len(found) == 1 for found in brands.values())
    assert [len(found) for found in answered_by.values() if len(found) > 1] == [4]


def test_the_thread_of_several_brands_belongs_to_the_first_that_answered() -> None:
    results = mapped(real("support_conversations.csv"))
    [brand] = {data(r)["brand"] for r in results if data(r)["conversation_id"] == "7442"}
    assert brand == "aldiuk"


def test_the_mapping_is_guessed_from_the_header() -> None:
    assert mapping.guess(["id", "x"]) is None
    assert mapping.guess([*mapping.load("support").columns, "more"]) == "support"
    assert mapping.guess(mapping.load("airline").columns) == "airline"


def test_a_shifted_file_ends_at_the_moment_asked_for_and_keeps_its_gaps() -> None:
    path = real("airline.csv")
    last = datetime(2026, 3, 1, 12, tzinfo=UTC)
    before = [time_of(r.event) for r in mapped(path) if r.event]
    shifted = [*Plan(path, choose(path, None), rebase_to=last).results()]
    after = [time_of(r.event) for r in shifted if r.event]
    assert max(after) == last
    assert [a - after[0] for a in after] == [b - before[0] for b in before]
    assert {r.event["source"] for r in shifted if r.event} == {"/import/airline?rebased-to=2026-03-01T12:00:00Z"}


def test_the_same_seed_shuffles_alike_and_loses_nothing() -> None:
    path = real("support_conversations.csv")
    chosen = choose(path, None)
    straight = [r.row for r in Plan(path, chosen).results()]
    shuffled = [r.row for r in Plan(path, chosen, shuffle=5).results()]
    assert shuffled == [r.row for r in Plan(path, chosen, shuffle=5).results()]
    assert shuffled != straight
    assert sorted(shuffled) == straight


def test_an_empty_cell_leaves_its_field_out() -> None:
    result = one(yaml('data: {text: "{text}", author: {id: "{who}"}}'), {"text": "", "who": ""})
    assert data(result) == {"brand": "acme", "channel": "x", "of": "acme"}


def test_a_row_without_an_id_is_a_fault_of_that_row_alone() -> None:
    spec = mapping.parse(yaml('id: "{key}"'), "test")
    results = list(spec.events([{"key": ""}, {"key": "7"}], file="t.csv"))
    assert (results[0].fault, results[0].event) == ("id is empty", None)
    assert results[1].event is not None


def test_a_value_that_the_table_does_not_list_is_a_fault_unless_there_is_a_default() -> None:
    strict = "data: {sentiment: {column: s, values: {good: 1}}}"
    lenient = "data: {sentiment: {column: s, values: {good: 1}, default: 0}}"
    assert one(yaml(strict), {"s": "odd"}).fault == "column 's': 'odd' is none of good"
    assert data(one(yaml(lenient), {"s": "odd"}))["sentiment"] == 0


def test_rows_that_no_rule_means_are_skipped_not_faulty() -> None:
    spec = "brand: acme\nevents: [{type: social.mention.v1, when: {kind: [a, b]}, data: {channel: x}}]"
    assert one(spec, {"kind": "c"}) == Mapped(1)
    assert one(spec, {"kind": "b"}).event is not None


def test_a_lone_place_keeps_the_type_that_json_gave_it() -> None:
    result = one(yaml('data: {reach: "{user.followers}", text: "n={user.followers}"}'), {"user": {"followers": 7}})
    assert (data(result)["reach"], data(result)["text"]) == (7, "n=7")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2015-02-17T07:36:00Z", "2015-02-17T07:36:00Z"),
        ("2015-02-17 09:36:00+02:00", "2015-02-17T07:36:00Z"),
        ("2015-02-17 08:36", "2015-02-17T07:36:00Z"),
        ("1424158560", "2015-02-17T07:36:00Z"),
        (1424158560000, "2015-02-17T07:36:00Z"),
    ],
)
def test_times_are_read_in_the_usual_forms(raw: object, expected: str) -> None:
    event = one(yaml('time: "{at}"\ntime_zone: Europe/Berlin'), {"at": raw}).event
    assert event is not None
    assert event["time"] == expected


def test_a_time_that_is_none_is_a_fault_of_its_row() -> None:
    fault_told = one(yaml('time: "{at}"'), {"at": "yesterday"}).fault
    assert fault_told == "time: 'yesterday' is neither ISO 8601 nor seconds since 1970"


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ("[]", "test: expected an object"),
        ("events: []", "test: events: expected a list of at least 1"),
        ("events: [{when: {a: b}}]", r"test: events\[0\].type"),
        (yaml("colour: red"), "colour is not known here"),
        (yaml('id: "{a|shout}"'), "test: id: no filter 'shout'"),
        (yaml('id: "{a"'), "a brace in '{a' belongs to no"),
        (yaml("time_zone: Mars/Olympus"), "test: time_zone"),
        ("a: [", "test: while parsing"),
    ],
)
def test_a_mapping_that_cannot_be_understood_names_the_place(spec: str, place: str) -> None:
    with pytest.raises(MappingError, match=place):
        mapping.parse(spec, "test")


def test_json_lines_of_events_pass_as_they_are(tmp_path: Path) -> None:
    event: dict[str, object] = {"specversion": "1.0", "id": "1", "source": "/a", "type": "social.mention.v1",
             "time": "2026-01-01T00:00:00Z", "data": {"brand": "a", "channel": "x", "of": "a"}}  # fmt: skip
    path = tmp_path / "events.jsonl"
    path.write_bytes(msgspec.json.encode(event) + b"\n\n")
    assert mapped(path) == [Mapped(1, event)]
    replaced = next(Plan(path, choose(path, None), brand="b").results())
    assert data(replaced)["brand"] == "b"


def test_a_byte_order_mark_does_not_hide_the_first_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbfid,text\n1,"two\nlines"\n')
    assert list(rows(path)) == [{"id": "1", "text": "two\nlines"}]


def test_rows_are_sent_in_the_order_of_time_when_they_are_to_be_paced(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("at\n2026-01-02\n2026-01-01\n")
    spec = mapping.parse(yaml('time: "{at}"'), "test")
    times = [time_of(r.event) for r in Plan(path, spec, in_time_order=True).results() if r.event]
    assert times[1] - times[0] == timedelta(days=1)
