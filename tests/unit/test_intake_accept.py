"""The table 'Answers of the intake', as far as bytes alone decide it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.http.problems import status_of
from bellwether.domain.errors import BellwetherError, Fault, TooLarge
from bellwether_ingest.accept import Decision, Door, accept, reason_of, verdict
from bellwether_ingest.media import Mode
from tests.support.intake import mention

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
DOOR = Door(tenant="north", may_write={"acme", "globex"}.__contains__, received_at=NOW)
STRUCTURED, BATCH, LINES, BINARY, JSON = Mode.STRUCTURED, Mode.BATCH, Mode.LINES, Mode.BINARY, Mode.JSON


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def with_text(text: str) -> bytes:
    """A mention whose text is this JSON, escapes and all."""
    return dump(mention(data={"text": "@@"})).replace(b'"@@"', text.encode())


def nested(levels: int) -> bytes:
    """A mention whose deepest value lies this deep, the event itself and its data counted."""
    return with_text("[" * (levels - 2) + "]" * (levels - 2)).replace(b'"text"', b'"extra"')


@dataclass(frozen=True)
class Row:
    """A body and its answer: the status, the ids accepted, and the faults told."""

    says: str
    body: bytes
    mode: Mode = STRUCTURED
    status: int = 202
    ids: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # pointers
    headers: tuple[tuple[bytes, bytes], ...] = ()
    atomic: bool = False


GOOD, OTHER = mention("a"), mention("b", "globex")
LATE = mention("late", time=(NOW + timedelta(minutes=10, seconds=1)).isoformat())
CE = tuple(
    (f"ce-{name}".encode(), str(value).encode())
    for name, value in mention("a").items()
    if name in {"specversion", "id", "source", "type", "time"}
)
ROWS = [
    Row("one valid event is accepted", dump(GOOD), ids=["a"]),
    Row("a batch is accepted in its order", dump([GOOD, OTHER]), BATCH, ids=["a", "b"]),
    Row("an empty batch is legal", b"[]", BATCH),
    Row("the same id twice in a batch is no matter of the door", dump([GOOD, GOOD]), BATCH, ids=["a", "a"]),
    Row("lines are a batch", dump(GOOD) + b"\r\n\n" + dump(OTHER) + b"\n", LINES, ids=["a", "b"]),
    Row("plain JSON with an object is one event", b" \n" + dump(GOOD), JSON, ids=["a"]),
    Row("plain JSON with an array is a batch", b"\t" + dump([GOOD]), JSON, ids=["a"]),
    Row("binary mode takes the attributes from headers", dump(GOOD["data"]), BINARY, ids=["a"], headers=CE),
    Row("an event without time is accepted", dump({**GOOD, "time": None}), ids=["a"]),
    Row("an event of 1970 is accepted", dump(mention("a", time="1970-01-01T00:00:00Z")), ids=["a"]),
    Row("what is unknown is no error", dump(mention("a", extra=1, data={"more": [1]})), ids=["a"]),
    Row("32 levels are deep enough", nested(32), ids=["m-1"]),
    Row("a whole surrogate pair is a character", with_text('"\\ud83d\\ude00"'), ids=["m-1"]),
    Row("some bad: the others are accepted", dump([GOOD, LATE, OTHER]), BATCH, ids=["a", "b"], faults=["/1/time"]),
    Row("some bad lines: the others are accepted", dump(GOOD) + b"\n{\n" + dump(OTHER), LINES, 202, ["a", "b"], ["/1"]),
    Row("a NaN spoils its own event only", dump([GOOD, mention(data={"reach": float("nan")})]), BATCH,
        202, ["a"], ["/1"]),
    Row("half a surrogate spoils its own event only", b"[" + with_text('"\\ud800"') + b"," + dump(GOOD) + b"]", BATCH,
        202, ["a"], ["/0"]),
    Row("atomic: one bad event refuses all", dump([GOOD, LATE]), BATCH, 400, faults=["/1/time"], atomic=True),
    Row("atomic: all good is accepted", dump([GOOD, OTHER]), BATCH, 202, ["a", "b"], atomic=True),
    Row("all bad alike is told as that", dump([LATE, LATE]), BATCH, 422, faults=["/0/time", "/1/time"]),
    Row("all bad for several reasons is 422", dump([LATE, mention("x", "initech")]), BATCH, 422,
        faults=["/0/time", "/1/data/brand"]),
    Row("nothing is not JSON", b"", status=400, faults=[""]),
    Row("half an event is not JSON", dump(GOOD)[:-1], status=400, faults=[""]),
    Row("two events are not one", dump(GOOD) + dump(GOOD), status=400, faults=[""]),
    Row("an array that is not closed is not JSON", dump([GOOD])[:-1], BATCH, 400, faults=[""]),
    Row("an array with something after it is not JSON", dump([GOOD]) + b"x", BATCH, 400, faults=[""]),
    Row("an array with a gap is not JSON", b"[" + dump(GOOD) + b",,1]", BATCH, 400, faults=[""]),
    Row("bytes outside UTF-8 are not readable", with_text('"@"').replace(b"@", b"\xff"), status=400, faults=[""]),
    Row("a byte order mark is refused", b"\xef\xbb\xbf" + dump(GOOD), status=400, faults=[""]),
    Row("not a number is not JSON", with_text("NaN"), status=400, faults=[""]),
    Row("infinity is not JSON", with_text("-Infinity"), status=400, faults=[""]),
    Row("an array is no event", b"[]", status=422, faults=[""]),
    Row("an object is no batch", dump(GOOD), BATCH, 422, faults=[""]),
    Row("a number is no event", b"[7]", BATCH, 422, faults=["/0"]),
    Row("an object that is no CloudEvent is refused", b"{}", status=422, faults=["/type"]),
    Row("another specversion is refused", dump({**GOOD, "specversion": "0.3"}), status=422, faults=["/specversion"]),
    Row("an unknown type is refused", dump({**GOOD, "type": "social.nonsense.v1"}), status=422, faults=["/type"]),
    Row("a missing id is refused", dump({k: v for k, v in GOOD.items() if k != "id"}), status=422, faults=["/id"]),
    Row("an id of the wrong type is refused", dump({**GOOD, "id": 1}), status=422, faults=["/id"]),
    Row("a wrong type of field is refused", dump(mention(data={"reach": "many"})), status=422, faults=["/data/reach"]),
    Row("a count below zero is refused", dump(mention(data={"reach": -1})), status=422, faults=["/data/reach"]),
    Row("1e999 is refused", dump(mention(data={"sentiment": 7})).replace(b" 7", b" 1e999"), status=422,
        faults=["/data/sentiment"]),
    Row("a number of 5,000 digits is refused", dump(mention(data={"reach": 7})).replace(b" 7", b" " + b"9" * 5000),
        status=422, faults=["/data/reach"]),
    Row("NUL is refused", with_text('"a\\u0000b"'), status=422, faults=[""]),
    Row("half a surrogate pair is refused", with_text('"\\ud800"'), status=422, faults=[""]),
    Row("a time without offset is refused", dump(mention(time="2026-01-01T00:00:00")), status=422, faults=["/time"]),
    Row("11 minutes ahead is refused", dump(LATE), status=422, faults=["/time"]),
    Row("before 1970 is refused", dump(mention(time="1969-12-31T23:59:59Z")), status=422, faults=["/time"]),
    Row("year 1 is refused", dump(mention(time="0001-01-01T00:00:00+14:00")), status=422, faults=["/time"]),
    Row("another tenant's brand is not there", dump(mention("a", "initech")), status=404, faults=["/data/brand"]),
    Row("a batch for such a brand is not there", dump([mention("a", "initech")]), BATCH, 404, faults=["/0/data/brand"]),
    Row("33 levels are too deep", nested(33), status=413, faults=[""]),
    Row("100,000 levels are too deep", b"[" * 100_000, BATCH, 413, faults=[""]),
    Row("an event over its own limit is too large", dump(mention(extra="x" * 512 * 1024)), status=413, faults=[""]),
    Row("10,001 events are too many", b"[" + b",".join([b"1"] * 10_001) + b"]", BATCH, 413),
    Row("a million values are too many to look at", b"[" + b"1," * 1_000_000 + b"1]", BATCH, 413),
    Row("binary: data that closes its envelope is not JSON", b'{}, "id": "b"', BINARY, 400, faults=[""], headers=CE),
    Row("binary: no data is not JSON", b"", BINARY, 400, faults=[""], headers=CE),
    Row("binary: a missing attribute is refused", dump(GOOD["data"]), BINARY, 422, faults=["/id"],
        headers=tuple(one for one in CE if one[0] != b"ce-id")),
    Row("binary: an attribute outside UTF-8 is refused", dump(GOOD["data"]), BINARY, 422, faults=["/subject"],
        headers=(*CE, (b"ce-subject", b"%ff"))),
    Row("binary: an attribute twice is refused", dump(GOOD["data"]), BINARY, 422, faults=[""], headers=(*CE, CE[0])),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_a_body_gets_its_answer(row: Row) -> None:
    status, decision, faults = judged(row)
    assert (status, [receipt.id for receipt in decision.receipts if status == 202]) == (row.status, row.ids)
    assert [fault.pointer for fault in faults] == row.faults
    if status == 202:
        assert sum(map(len, decision.records.values())) == len(row.ids)


def judged(row: Row) -> tuple[int, Decision, list[Fault]]:
    """The status, what was decided, and the faults told, wherever they are told."""
    decision = Decision()
    try:
        decision = accept(row.body, row.mode, row.headers, DOOR)
        verdict(decision, atomic=row.atomic)
    except BellwetherError as error:
        return status_of(type(error)), decision, list(error.faults)
    told = [Fault(one.pointer, one.detail) for rejected in decision.rejected for one in rejected.problem.errors]
    return 202, decision, told


def test_records_are_the_original_bytes_under_the_key_of_tenant_and_brand() -> None:
    data = b'{"brand":"acme","channel":"x","of":"acme","text":"\\u00e9\xc3\xa9"}'
    first = b'{"specversion" : "1.0","id":"1","source":"/s","type":"social.mention.v1","data":%b}' % data
    second = dump(OTHER)
    decision = accept(b" [ " + first + b" ,\n " + second + b", " + first + b"] ", BATCH, (), DOOR)
    assert decision.records == {b"north/acme": [first, first], b"north/globex": [second]}


def test_a_binary_event_carries_its_data_untouched() -> None:
    data = b'{ "brand":"acme",\n "channel":"x", "of":"acme", "reach": 10 }'
    headers = (*CE, (b"ce-subject", b'"caf%C3%A9 \\"x\\" 100%25"'), (b"ce-partnerid", b"7"), (b"CE-extra", b"1"))
    (value,) = accept(data, BINARY, headers, DOOR).records[b"north/acme"]
    event = json.loads(value)
    assert (event["subject"], event["partnerid"], event["extra"]) == ('café "x" 100%', "7", "1")
    assert event["datacontenttype"] == "application/json"
    assert bytes(msgspec.json.decode(value, type=dict[str, msgspec.Raw])["data"]) == data


def test_a_rejected_event_is_named_as_far_as_it_can_be() -> None:
    decision = accept(dump([LATE, {"id": "x"}, {"id": 3}, 7, {"id": "i" * 257}]), BATCH, (), DOOR)
    assert [(one.index, one.id) for one in decision.rejected] == [
        (0, "late"),
        (1, "x"),
        (2, None),
        (3, None),
        (4, None),
    ]


def test_two_events_on_one_line_are_not_smuggled_past_the_check_of_their_brand() -> None:
    hidden = dump(mention("hidden", "initech"))
    head, tail = dump(mention("b", extra=[1, 2])).split(b"1, 2")
    lines = b"\n".join([dump(GOOD) + b"," + hidden, head + b"1", b"2" + tail])
    decision = accept(lines, LINES, (), DOOR)
    assert (decision.records, len(decision.rejected)) == ({}, 3)


def test_a_refusal_never_repeats_what_was_sent() -> None:
    secret = "hunter2-secret"
    bad = [
        mention(data={"reach": secret}),
        {**GOOD, "type": secret},
        {**GOOD, "time": secret},
        mention(data={"channel": secret}),
    ]
    decision = accept(dump(bad), BATCH, (), DOOR)
    assert len(decision.rejected) == len(bad)
    assert secret not in repr(decision.rejected)


def test_an_event_for_an_unknown_brand_says_that_a_fresher_directory_might_know_it() -> None:
    assert accept(dump([GOOD, mention("x", "initech")]), BATCH, (), DOOR).names_unknown_brands
    assert not accept(dump([GOOD, LATE]), BATCH, (), DOOR).names_unknown_brands


def test_a_batch_of_nothing_but_bad_events_tells_at_most_a_hundred_faults() -> None:
    with pytest.raises(BellwetherError) as refused:
        verdict(accept(dump([LATE] * 500), BATCH, (), DOOR), atomic=False)
    assert len(refused.value.faults) == 100


def test_reasons_are_a_closed_set_of_labels() -> None:
    reasons = {reason_of(error) for row in ROWS if row.mode is not BINARY for error in errors_of(row)}
    assert reasons == {"malformed", "invalid", "unknown_brand", "too_large", "too_deep"}


def errors_of(row: Row) -> list[BellwetherError]:
    try:
        return accept(row.body, row.mode, row.headers, DOOR).errors
    except BellwetherError as error:
        return [error]


@given(st.lists(st.sampled_from(["good", "late", "foreign", "no type", "number", "nan"]), max_size=12))
def test_every_event_of_a_batch_is_either_accepted_or_rejected(kinds: list[str]) -> None:
    makers = {
        "good": dump(GOOD), "late": dump(LATE), "foreign": dump(mention("f", "initech")), "no type": b"{}",
        "number": b"1.5", "nan": b"NaN",
    }  # fmt: skip
    decision = accept(b"[" + b", ".join(makers[kind] for kind in kinds) + b"]", BATCH, (), DOOR)
    accepted = [receipt.index for receipt in decision.receipts]
    assert accepted == [index for index, kind in enumerate(kinds) if kind == "good"]
    assert sorted([*accepted, *(one.index for one in decision.rejected)]) == list(range(len(kinds)))


@given(st.binary(max_size=200), st.sampled_from(list(Mode)))
def test_no_bytes_at_all_make_the_door_fail(body: bytes, mode: Mode) -> None:
    judged(Row("anything", body, mode, headers=CE))


def test_what_is_too_large_is_refused_before_it_is_taken_apart() -> None:
    door = Door(tenant="north", may_write=lambda _: True, received_at=NOW, max_events=2)
    with pytest.raises(TooLarge):
        accept(dump([GOOD] * 3), BATCH, (), door)
    assert len(accept(dump([GOOD] * 2), BATCH, (), door).receipts) == 2
