import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.wire.events import decode_event, misplaced, surely_placed
from bellwether.wire.strict import MAX_DEPTH, fault, is_sound, time_fault
from tests.support.intake import mention

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
_EVENT = decode_event(json.dumps(mention()).encode())


def slow_fault(raw: bytes) -> str | None:
    """The same rules, one byte at a time, for documents that are JSON once decoded."""
    if raw[:3] == b"\xef\xbb\xbf":
        return "byte order mark"
    try:
        text = raw.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        return "UTF-8"
    depth, deepest, units, inside, at = 0, 0, [], False, 0
    while at < len(text):
        character = text[at]
        if inside and character == "\\":
            escaped = text[at + 1]
            if escaped == "u":
                units.append(int(text[at + 2 : at + 6], 16))
                at += 6
                continue
            units.append(ord("x"))
            at += 2
            continue
        if character == '"':
            inside = not inside
        elif not inside:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(character, 0)
            deepest = max(deepest, depth)
        units.append(ord("x"))
        at += 1
    if deepest > MAX_DEPTH:
        return "deep"
    return slow_escape_fault(units)


def slow_escape_fault(units: list[int]) -> str | None:
    at = 0
    while at < len(units):
        unit = units[at]
        if unit == 0:
            return "NUL"
        if 0xDC00 <= unit < 0xE000:
            return "surrogate"
        if 0xD800 <= unit < 0xDC00:
            if at + 1 == len(units) or not 0xDC00 <= units[at + 1] < 0xE000:
                return "surrogate"
            at += 1
        at += 1
    return None


# Pieces of the inside of a string, chosen so that every pair of neighbours is a case of its own.
PIECES = st.sampled_from(
    [
        b"a", b"[", b"{", b"]", b"u0000", b"ud800", b"\\\\", b"\\\\\\\\", b'\\"', b"\\n", b"\\/", b"\\u0041",
        b"\\u0000", b"\\uD83D", b"\\ude00", b"\\ud83d\\ude00", b"\\uDBFF\\uDFFF", b"\\ud7ff", b"\\ue000",
        "й".encode(), "😀".encode(), b"\xff", b"\xed\xa0\x80",
    ]
)  # fmt: skip
STRINGS = st.lists(PIECES, max_size=8).map(lambda pieces: b'"' + b"".join(pieces) + b'"')
VALUES = st.recursive(
    STRINGS | st.sampled_from([b"1", b"null", b"[]", b"{}"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: b"[" + b",".join(items) + b"]")
        | st.tuples(STRINGS, inner).map(lambda pair: b"{" + pair[0] + b":" + pair[1] + b"}")
    ),
    max_leaves=8,
)


@given(VALUES, st.integers(0, 40), st.booleans())
def test_it_finds_exactly_what_a_slow_reader_finds(value: bytes, wraps: int, mark: bool) -> None:
    raw = (b"\xef\xbb\xbf" if mark else b"") + b"[" * wraps + value + b"]" * wraps
    expected = slow_fault(raw)
    found = fault(raw)
    assert (found is None) == (expected is None)
    if expected is not None and found is not None:
        assert expected in found


@given(st.binary(max_size=200) | st.text(alphabet='[]{}"\\u0dDcC8,:', max_size=200).map(str.encode))
def test_it_never_raises_whatever_the_bytes(raw: bytes) -> None:
    fault(raw)


@given(VALUES)
def test_what_it_lets_pass_and_the_decoder_reads_is_text_that_a_database_takes(value: bytes) -> None:
    if fault(value) is not None:
        return
    document = json.loads(value)
    assert msgspec.json.decode(value) == document
    stored = json.dumps(document, ensure_ascii=False)
    assert "\x00" not in stored.encode().decode()
    assert "\\u0000" not in stored.replace("\\\\", "")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(b'\xef\xbb\xbf{"a":1}', "byte order mark", id="a byte order mark"),
        pytest.param(b'{"unknown":"\xff"}', "UTF-8", id="bad UTF-8 in a field that nobody reads"),
        pytest.param(b'{"unknown":"\xed\xa0\x80"}', "UTF-8", id="a surrogate written as UTF-8"),
        pytest.param(b'{"a":"\\u0000"}', "NUL", id="NUL in a value"),
        pytest.param(b'{"\\u0000":1}', "NUL", id="NUL in a key"),
        pytest.param(b'{"a":"\\ud800"}', "surrogate", id="a high half alone"),
        pytest.param(b'{"a":"\\uDC00"}', "surrogate", id="a low half alone"),
        pytest.param(b'{"a":"\\ud83d\\ud83d\\ude00"}', "surrogate", id="two high halves"),
        pytest.param(b'{"a":"\\\\ud83d\\ude00"}', "surrogate", id="a low half after an escaped backslash and ud83d"),
        pytest.param(b"[" * 33 + b"]" * 33, "nested", id="one level too deep"),
        pytest.param(b"[" * 100_000, "nested", id="deep and never closed"),
    ],
)
def test_a_fault_is_named(raw: bytes, words: str) -> None:
    assert words in str(fault(raw))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"[" * 32 + b"]" * 32, id="as deep as allowed"),
        pytest.param(b"[" + b"{}," * 5_000 + b"{}]", id="wide but not deep"),
        pytest.param(b'{"a":"' + b"[{" * 500 + b'"}', id="brackets in a string"),
        pytest.param(b'{"a":"\\"' + b"[{" * 500 + b'"}', id="brackets after an escaped quotation mark"),
        pytest.param(b'{"a":"\\\\u0000 \\\\ud800"}', id="escaped backslashes before u0000 and ud800"),
        pytest.param(b'{"a":"\\ud83d\\ude00\\uD83D\\uDE00"}', id="whole pairs"),
        pytest.param('{"a":"Привет 😀"}'.encode(), id="UTF-8"),
    ],
)
def test_sound_input_passes(raw: bytes) -> None:
    assert fault(raw) is None


def test_a_backslash_in_five_megabytes_of_escapes_is_read_in_linear_time() -> None:
    raw = b'{"a":"' + b"\\u0041" * 800_000 + b'\\ud83d"}'
    assert "surrogate" in str(fault(raw))


_PARTS = st.lists(
    st.sampled_from(
        [
            b'{"a":"b"}',
            b'{"a":[1,[2]]}',
            b'{"a":"\\u0041\\\\u0000"}',
            b'{"a":"\\ud83d\\ude00"}',
            b'{"a":"\\ud83d"}',
            b'{"a":"\\u0000"}',
            '{"a":"\ufeffé"}'.encode(),
            '\ufeff{"a":1}'.encode(),
            b'{"a":"\xe9"}',
            b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH,
            b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
            b'{"a":"' + b"{[" * MAX_DEPTH + b'"}',
        ]
    ),
    max_size=5,
)


@given(_PARTS)
def test_of_all_at_once_it_is_told_what_is_told_of_each(parts: list[bytes]) -> None:
    for whole in (b"[" + b",".join(parts) + b"]", b"\n".join(parts)):
        assert is_sound(parts, whole) == (not any(map(fault, parts)))


@pytest.mark.parametrize(
    ("time", "words"),
    [
        pytest.param(None, None, id="missing: the time of receipt stands for it"),
        pytest.param(NOW, None, id="now"),
        pytest.param(NOW + timedelta(minutes=10), None, id="as far ahead as clocks may differ"),
        pytest.param(NOW + timedelta(minutes=10, microseconds=1), "future", id="further ahead"),
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), None, id="the first moment"),
        pytest.param(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "1970", id="before it"),
    ],
)
def test_the_time_of_an_event_is_bounded(time: datetime | None, words: str | None) -> None:
    found = time_fault(time, NOW)
    assert found is None if words is None else words in str(found)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_time_at_the_edge_of_the_calendar_is_refused_and_not_overflowed(text: str) -> None:
    assert time_fault(datetime.fromisoformat(text), NOW) is not None


@given(st.integers(-86_400, int(NOW.timestamp()) + 86_400) | st.none(), st.integers(-24 * 60 + 1, 24 * 60 - 1))
def test_what_is_surely_placed_has_no_misplaced_moment(moment: int | None, offset_min: int) -> None:
    zone = timezone(timedelta(minutes=offset_min))
    time = None if moment is None else datetime.fromtimestamp(moment, zone)
    event = msgspec.structs.replace(_EVENT, time=time)
    placed = surely_placed(NOW)(event)
    assert not placed or misplaced(event, NOW) is None
    assert placed == (time is not None and misplaced(event, NOW) is None)
