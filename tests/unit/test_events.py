import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.wire.events import (
    EVENT_TYPES,
    NETWORKS,
    UNREADABLE,
    Author,
    Conversion,
    FieldError,
    Mention,
    MentionData,
    decode_event,
    decode_events,
    encode_event,
    explain,
)
from tests.contract.examples import merge

MENTION: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/x/search/acme",
    "type": "social.mention.v1",
    "data": {"brand": "acme-coffee", "channel": "x", "of": "acme-coffee"},
}
CONVERSION: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "sales.conversion.v1",
    "data": {
        "brand": "acme-coffee",
        "channel": "x",
        "conversion_id": "c",
        "kind": "sale",
        "attribution": "paid",
        "currency": "EUR",
    },
}


def raw(change: dict[str, Any] | None = None, event: dict[str, Any] = MENTION) -> bytes:
    return json.dumps(merge(event, change or {})).encode()


def why_not(document: bytes) -> FieldError:
    with pytest.raises(UNREADABLE) as caught:
        decode_event(document)
    (error,) = explain(caught.value)
    return error


slugs = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
channels = st.sampled_from(NETWORKS) | slugs.map("other:{}".format)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=offsets)  # noqa: DTZ001
counts = st.integers(0, 2**53 - 1)
authors = st.builds(Author, id=names, followers=st.none() | counts, created_at=st.none() | instants)
mentions = st.builds(
    Mention,
    specversion=st.just("1.0"),
    id=names,
    source=st.from_regex(r"/[a-z0-9/]{0,40}", fullmatch=True),
    time=st.none() | instants,
    data=st.builds(
        MentionData,
        brand=slugs,
        channel=channels,
        of=slugs,
        author=st.none() | authors,
        labels=st.none() | st.dictionaries(st.text("abc", min_size=1), names, max_size=3),
        sentiment=st.none() | st.floats(-1, 1),
        reach=st.none() | counts,
        text=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    ),
)


@given(mentions)
def test_what_is_encoded_is_decoded_again(mention: Mention) -> None:
    assert decode_event(encode_event(mention)) == mention


@given(st.decimals(-(10**15), 10**15, allow_nan=False, places=18), st.booleans())
def test_money_is_read_to_the_last_digit_from_a_string_and_from_a_number(amount: Decimal, quoted: bool) -> None:
    written = f'"{amount:f}"' if quoted else f"{amount:f}"
    document = raw({"data": {"value": 0}}, CONVERSION).replace(b'"value": 0', f'"value": {written}'.encode())
    conversion = decode_event(document)
    assert isinstance(conversion, Conversion)
    assert conversion.data.value == amount


@pytest.mark.parametrize(
    "number", ["1e999", "1e400000", "-1e16", '"NaN"', '"sNaN"', '"-Infinity"', '"1e-19"', "true", '""', '"1,5"']
)
def test_money_that_no_ledger_could_hold_is_refused(number: str) -> None:
    document = raw({"data": {"value": 0}}, CONVERSION).replace(b'"value": 0', f'"value": {number}'.encode())
    assert why_not(document).pointer == "/data/value"


@pytest.mark.parametrize("number", ["1e999", "-1e999", "2", '"0.5"', "true"])
def test_a_sentiment_that_is_no_number_in_its_range_is_refused(number: str) -> None:
    document = raw({"data": {"sentiment": 0}}).replace(b'"sentiment": 0', f'"sentiment": {number}'.encode())
    assert why_not(document).pointer == "/data/sentiment"


@pytest.mark.parametrize("number", ["9" * 5_000, "9223372036854775808", "9007199254740992", "-1", "1.0", "1e3", "true"])
def test_a_count_that_is_no_whole_number_up_to_2_to_53_is_refused(number: str) -> None:
    document = raw({"data": {"reach": 0}}).replace(b'"reach": 0', f'"reach": {number}'.encode())
    assert why_not(document).pointer == "/data/reach"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e", "01", "'1'"])
def test_what_is_no_json_is_refused_even_in_a_field_that_nobody_reads(word: str) -> None:
    document = raw({"data": {"unknown": 0}}).replace(b'"unknown": 0', f'"unknown": {word}'.encode())
    assert why_not(document).pointer == ""


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        pytest.param({"id": None}, "/id", id="no id"),
        pytest.param({"id": ""}, "/id", id="an empty id"),
        pytest.param({"id": "x" * 257}, "/id", id="an id that outgrows an index"),
        pytest.param({"id": 7}, "/id", id="a number as id"),
        pytest.param({"source": None}, "/source", id="no source"),
        pytest.param({"source": ""}, "/source", id="an empty source"),
        pytest.param({"source": "/a b"}, "/source", id="a space in the source"),
        pytest.param({"source": "/a\n"}, "/source", id="a line break after the source"),
        pytest.param({"source": "/кофе"}, "/source", id="a source that is not ASCII"),
        pytest.param({"source": "/100%"}, "/source", id="a broken percent escape in the source"),
        pytest.param({"source": "/" + "x" * 1024}, "/source", id="a source that outgrows an index"),
        pytest.param({"specversion": None}, "/specversion", id="no version"),
        pytest.param({"specversion": "0.3"}, "/specversion", id="another version"),
        pytest.param({"specversion": 1.0}, "/specversion", id="a number as version"),
        pytest.param({"type": None}, "/type", id="no type"),
        pytest.param({"type": 3}, "/type", id="a number as type"),
        pytest.param({"time": "2026-11-02T07:36:00"}, "/time", id="a time without an offset"),
        pytest.param({"time": "yesterday"}, "/time", id="a word as time"),
        pytest.param({"time": 1762070000}, "/time", id="a number as time"),
        pytest.param({"time": "2026-02-30T00:00:00Z"}, "/time", id="a day that is not in the calendar"),
        pytest.param({"recordedtime": "now"}, "/recordedtime", id="a word as recordedtime"),
        pytest.param({"subject": ""}, "/subject", id="an empty subject"),
        pytest.param({"datacontenttype": "text/xml"}, "/datacontenttype", id="another content type"),
        pytest.param({"data": "e30="}, "/data", id="a string as body"),
        pytest.param({"data": {"brand": "acme-coffee\n"}}, "/data/brand", id="a line break after the brand"),
        pytest.param({"data": {"brand": "-acme"}}, "/data/brand", id="a brand that begins with a hyphen"),
        pytest.param({"data": {"brand": "a" * 64}}, "/data/brand", id="a brand that is too long"),
        pytest.param({"data": {"channel": "X"}}, "/data/channel", id="a channel in capitals"),
        pytest.param({"data": {"channel": "other:"}}, "/data/channel", id="another channel without a name"),
        pytest.param({"data": {"channel": "x\n"}}, "/data/channel", id="a line break after the channel"),
        pytest.param({"data": {"of": "Acme"}}, "/data/of", id="a mention of no slug"),
        pytest.param({"data": {"text": "x" * 65537}}, "/data/text", id="a text that is too long"),
        pytest.param({"data": {"labels": {"x" * 65: "y"}}}, "/data/labels", id="a label's name that is too long"),
        pytest.param({"data": {"labels": {"x": "y" * 257}}}, "/data/labels", id="a label that is too long"),
        pytest.param({"data": {"labels": ["x"]}}, "/data/labels", id="labels in a list"),
    ],
)
def test_a_bad_envelope_or_head_is_refused_with_a_pointer(change: dict[str, Any], pointer: str) -> None:
    assert why_not(raw(change)).pointer == pointer


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"time": None, "subject": None, "datacontenttype": None}, id="null stands for absent"),
        pytest.param({"datacontenttype": "application/json"}, id="the content type of JSON"),
        pytest.param({"partitionkey": "x:1", "traceparent": "00-1-1-01"}, id="extension attributes"),
        pytest.param({"data": {"raw": {"deep": [1, {"er": 10**400}]}}}, id="unknown fields of the body"),
        pytest.param({"source": "https://acme.example/a?b=c%20d#e"}, id="a whole URI as source"),
        pytest.param({"source": "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"}, id="a URN as source"),
        pytest.param({"data": {"channel": "other:threads"}}, id="a network without a name here"),
        pytest.param({"id": "й" * 256}, id="a long id in another script"),
    ],
)
def test_what_the_contract_allows_is_accepted(change: dict[str, Any]) -> None:
    decode_event(raw(change))


def test_nulls_are_absent() -> None:
    event = decode_event(raw().replace(b'"id": "1"', b'"id": "1", "time": null, "subject": null'))
    assert event.time is None
    assert event.subject is None


def test_of_equal_keys_the_last_wins() -> None:
    assert decode_event(raw().replace(b'"id": "1"', b'"id": "1", "id": "2"')).id == "2"


def test_times_are_aware_and_keep_their_instant() -> None:
    event = decode_event(raw({"time": "2026-11-02T09:36:00+02:00"}))
    assert event.time == datetime(2026, 11, 2, 7, 36, tzinfo=UTC)


def test_an_unknown_type_is_told_what_is_known() -> None:
    error = why_not(raw({"type": "social.applause.v1"}))
    assert error.pointer == "/type"
    assert all(name in error.detail for name in EVENT_TYPES)


def test_another_major_version_is_told_which_one_is_known() -> None:
    error = why_not(raw({"type": "social.mention.v2"}))
    assert error.detail == "this version of social.mention is not known; known is social.mention.v1"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "s3cret"},
        {"specversion": "s3cret"},
        {"source": "s3cret s3cret"},
        {"data": {"brand": "S3cret s3cret"}},
        {"data": {"channel": "s3cret"}},
        {"data": {"of": "S3cret s3cret"}},
        {"data": {"labels": {"s3cret": 1}}},
        {"data": {"sentiment": "s3cret"}},
    ],
)
def test_no_refusal_repeats_what_was_sent(change: dict[str, Any]) -> None:
    error = why_not(raw(change))
    assert "s3cret" not in (error.pointer + error.detail).lower()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "Expected"),
        (b"null", "Expected"),
        (b"hello", "malformed"),
        (b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested"),
        (b'{"type":"social.mention.v1","id":"\xff"}', "UTF-8"),
    ],
)
def test_what_is_no_event_at_all_is_refused_as_a_whole(document: bytes, words: str) -> None:
    error = why_not(document)
    assert error.pointer == ""
    assert words in error.detail


def test_many_events_are_decoded_in_order() -> None:
    events = decode_events([raw({"id": str(number)}) for number in range(100)])
    assert [event.id for event in events] == [str(number) for number in range(100)]


def test_two_halves_of_a_document_are_not_one_event() -> None:
    first, second = raw().split(b', "type"')
    with pytest.raises(UNREADABLE):
        decode_events([first, b'"type"' + second])


def test_events_of_one_wire_type_share_no_name_with_another() -> None:
    assert len(EVENT_TYPES) == 29
    assert all(name.endswith(".v1") for name in EVENT_TYPES)


def test_a_struct_built_in_code_is_held_to_the_same_rules() -> None:
    body = MentionData(brand="Acme", channel="x", of="acme")
    with pytest.raises(ValueError, match="brand"):
        Mention(specversion="1.0", id="1", source="/x", data=body)
