"""What of the log can be used, and why the rest cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether_compute.state import BrandState
from bellwether_compute.taking import LeftOut, Reason, Taken, take
from tests.unit.compute.folding import NOW, StoredRecord, brand_state, envelope

KEY = b"acme/aurora"
BRAND = brand_state()
GOOD = envelope("social.mention.v1", "e1", NOW - 60, of="aurora")


def find_brand(key: bytes) -> BrandState | None:
    return BRAND if key == KEY else None


def record(value: bytes | None, key: bytes | None = KEY, offset: int = 5) -> StoredRecord:
    return StoredRecord(0, offset, NOW * 1000 + 250, key, value)


def encoded(event: dict[str, Any], **changed: Any) -> bytes:
    return json.dumps({**event, **changed}).encode()


def told(moment: float, at: float, **data: Any) -> bytes:
    """A snapshot of content that was observed at another moment than the event happened."""
    observed = envelope("", "", at)["time"]
    body = {"content_id": "p", "cumulative": {"reach": 5}, "observed_at": observed, **data}
    return encoded(envelope("social.content.metrics.v1", "s", moment, **body))


def test_an_event_is_taken_with_its_brand_and_the_second_in_which_it_happened() -> None:
    (taken,), left_out = take([record(encoded(GOOD))], find_brand)
    assert (taken.brand, taken.event.id, taken.time, left_out) == (BRAND, "e1", NOW - 60, [])


def test_an_event_without_a_time_happened_when_it_was_recorded() -> None:
    timeless = {name: value for name, value in GOOD.items() if name != "time"}
    (taken,), _ = take([record(encoded(timeless))], find_brand)
    assert taken.time == NOW


def test_fractions_of_a_second_are_cut_off() -> None:
    (taken,), _ = take([record(encoded(GOOD, time="2026-03-20T12:00:29.999Z"))], find_brand)
    assert taken.time == NOW - 1


UNUSABLE: list[tuple[Reason, bytes | None, bytes | None]] = [
    (Reason.EMPTY, None, KEY),
    (Reason.EMPTY, b"", KEY),
    (Reason.UNKNOWN_BRAND, encoded(GOOD), None),
    (Reason.UNKNOWN_BRAND, encoded(GOOD), b""),
    (Reason.UNKNOWN_BRAND, encoded(GOOD), b"acme/nobody"),
    (Reason.UNKNOWN_BRAND, encoded(GOOD), b"\xff/aurora"),
    (Reason.MALFORMED, b"not json", KEY),
    (Reason.MALFORMED, encoded(GOOD)[:-1], KEY),
    (Reason.MALFORMED, b"\xef\xbb\xbf" + encoded(GOOD), KEY),
    (Reason.MALFORMED, encoded(GOOD).replace(b"e1", b"\xff"), KEY),
    (Reason.MALFORMED, encoded(GOOD, subject="\0"), KEY),
    (Reason.MALFORMED, encoded(GOOD, subject="\ud800"), KEY),
    (Reason.MALFORMED, encoded(GOOD, deep=json.loads("[" * 40 + "]" * 40)), KEY),
    (Reason.INVALID, b"{}", KEY),
    (Reason.INVALID, b"[]", KEY),
    (Reason.INVALID, encoded(GOOD, type="social.mention.v9"), KEY),
    (Reason.INVALID, encoded(envelope("social.mention.v1", "e1", NOW, of="aurora", sentiment=2)), KEY),
    (Reason.INVALID, encoded(GOOD, time="2026-03-20T12:00:29"), KEY),
    (Reason.WRONG_KEY, encoded(envelope("social.mention.v1", "e1", NOW, of="aurora", brand="borealis")), KEY),
    (Reason.WRONG_TIME, encoded(GOOD, time="2026-03-20T12:10:31Z"), KEY),
    (Reason.WRONG_TIME, encoded(GOOD, time="1969-12-31T23:59:59Z"), KEY),
    (Reason.WRONG_TIME, told(NOW, NOW + 601), KEY),
    (Reason.WRONG_TIME, encoded(envelope("social.audience.snapshot.v1", "e1", NOW, audience="members", count=1,
                                         observed_at="2199-01-01T00:00:00Z")), KEY),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "value", "key"), UNUSABLE)
def test_what_cannot_be_used_is_left_out_with_its_reason(
    reason: Reason, value: bytes | None, key: bytes | None
) -> None:
    taken, (left_out,) = take([record(value, key)], find_brand)
    assert taken == []
    assert left_out.reason is reason
    assert left_out.detail
    assert left_out.record.value == value
    assert left_out.tenant_id == (BRAND.brand.tenant_id if key == KEY else None)


def test_a_clock_may_be_ten_minutes_ahead_and_what_it_dates_ahead_happened_when_it_was_taken() -> None:
    (taken,), _ = take([record(encoded(GOOD, time="2026-03-20T12:10:30.250Z"))], find_brand)
    assert taken.time == NOW
    assert take([record(told(NOW, NOW + 600))], find_brand)[1] == []


def test_how_far_an_event_may_lie_ahead_is_told_of_each_record_by_its_own_time() -> None:
    ahead = encoded(GOOD, time="2026-03-20T12:10:35Z")
    early, late = record(ahead), StoredRecord(0, 6, (NOW + 5) * 1000, KEY, ahead)
    for records in ([early, late], [late, early], [late, early, late]):
        taken, (left_out,) = take(records, find_brand)
        assert (left_out.record, left_out.reason) == (early, Reason.WRONG_TIME)
        assert [t.record for t in taken] == [r for r in records if r is late]


def test_a_record_that_postgres_refused_is_left_out_whatever_is_in_it() -> None:
    records = [record(encoded(GOOD), offset=5), record(encoded(GOOD, id="e2"), offset=6)]
    taken, (left_out,) = take(records, find_brand, condemned=[5])
    assert [t.record.offset for t in taken] == [6]
    assert (left_out.reason, left_out.record.offset) == (Reason.UNWRITABLE, 5)


def test_the_detail_names_the_field_and_repeats_nothing_of_the_input() -> None:
    secret = encoded(envelope("social.mention.v1", "e1", NOW, of="aurora", reach="my secret"))
    _, (left_out,) = take([record(secret)], find_brand)
    assert left_out.detail.startswith("/data/reach: ")
    assert "secret" not in left_out.detail


@given(st.lists(st.sampled_from([*UNUSABLE, (None, encoded(GOOD), KEY)]), max_size=8))
def test_every_record_of_a_batch_is_taken_or_left_out_and_bad_ones_spoil_no_good_one(
    drawn: list[tuple[Reason | None, bytes | None, bytes | None]],
) -> None:
    records = [record(value, key, offset) for offset, (_, value, key) in enumerate(drawn)]
    taken, left_out = take(records, find_brand)
    outcomes: dict[int, Taken | LeftOut] = {event.record.offset: event for event in taken}
    outcomes |= {out.record.offset: out for out in left_out}
    assert len(outcomes) == len(taken) + len(left_out) == len(records)
    assert [t.record.offset for t in taken] == [n for n, (reason, _, _) in enumerate(drawn) if reason is None]
    for offset, (reason, _, _) in enumerate(drawn):
        outcome = outcomes[offset]
        assert reason == (outcome.reason if isinstance(outcome, LeftOut) else None)


def test_a_closed_set_of_reasons_stands_in_the_schema_and_the_metrics() -> None:
    from_cases = {reason for reason, _, _ in UNUSABLE}
    assert from_cases | {Reason.CONFLICTING, Reason.UNWRITABLE} == set(Reason)
