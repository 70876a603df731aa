"""What callers send, parsed: moments, periods, cuts, cursors, keys, ETags and the moment that is read at."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bellwether.adapters.postgres.rollups import EVER
from bellwether.domain.clock import LocalClock, day_of
from bellwether.domain.errors import Invalid, StaleVersion
from bellwether.domain.windows import Window
from bellwether_api.brands import cursor, parse_cursor
from bellwether_api.conditional import require_match
from bellwether_api.cuts import Cut, parse_cut
from bellwether_api.idempotency import parse_key
from bellwether_api.moments import moment_at, parse_moment
from bellwether_api.periods import Period, parse_period
from bellwether_api.requests import time_zones
from bellwether_api.viewpoint import viewpoint

BERLIN = LocalClock("Europe/Berlin")


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


NOW = _seconds("2026-10-13T12:00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-01T12:00:00Z",
        "2026-10-01t12:00:00z",
        "2026-10-01T14:00:00+02:00",
        "2026-10-01T14:00:00 02:00",  # an unescaped + in a query string
        "2026-10-01T08:30:00-03:30",
        "2026-10-01T11:59:59.000000001Z",
    ],
)
def test_moments_with_an_offset_are_read_up_to_the_next_whole_second(text: str) -> None:
    assert moment_at(parse_moment(text)) == datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-10-01", "2026-10-01T12:00:00", "2026-10-01 12:00:00Z", "2026-10-01T12:00Z",
        "2026-13-01T12:00:00Z", "2026-10-01T24:00:01Z", "2026-10-01T12:00:60Z", "2026-10-01T12:00:00+24:00",
        "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
        "1760356800", "２026-10-01T12:00:00Z", "2026-10-01T12:00:00Z\n",
    ],
)  # fmt: skip
def test_anything_else_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("text", "window", "first"),
    [
        ("2026", Window.YEAR, date(2026, 1, 1)),
        ("2026-Q1", Window.QUARTER, date(2026, 1, 1)),
        ("2026-Q4", Window.QUARTER, date(2026, 10, 1)),
        ("2026-10", Window.MONTH, date(2026, 10, 1)),
        ("2026-W45", Window.WEEK, date(2026, 11, 2)),
        ("2026-W01", Window.WEEK, date(2025, 12, 29)),
        ("2026-W53", Window.WEEK, date(2026, 12, 28)),
        ("2026-10-31", Window.DAY, date(2026, 10, 31)),
        ("2024-02-29", Window.DAY, date(2024, 2, 29)),
    ],
)
def test_periods_have_names_that_are_read_back(text: str, window: Window, first: date) -> None:
    period = parse_period(text)
    assert period == Period(window, first)
    assert period.name == text


@pytest.mark.parametrize(
    "text",
    ["", "26", "2026-1", "2026-00", "2026-13", "2026-Q0", "2026-Q5", "2026-W00", "2025-W53", "2026-02-29",
     "2026-10-32", "1969", "2200-01", "2026-w45", "２０２６", "2026-10\n", "today"],
)  # fmt: skip
def test_what_names_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_period(text)


def test_a_cut_is_one_value_of_a_dimension_or_all_of_them() -> None:
    assert parse_cut("channel") == Cut("channel", None)
    assert parse_cut("channel=instagram") == Cut("channel", "instagram")
    assert parse_cut("channel=other:forum-7") == Cut("channel", "other:forum-7")
    assert parse_cut("campaign=Spring Sale, 2026") == Cut("campaign", "Spring Sale, 2026")
    for text in ("", "=", "channel=", "team=x", "Channel=x", "channel=a\x00", "channel=" + "a" * 257):
        with pytest.raises(ValueError, match="must"):
            parse_cut(text)


def test_only_cursors_that_were_given_out_are_taken_back() -> None:
    assert parse_cursor(cursor("acme-coffee")) == "acme-coffee"
    for text in ("acme-coffee", "!", "YWNtZS1jb2ZmZWU=", "w6k", "", "AAAA", cursor("a") + "A", "é"):
        with pytest.raises(ValueError, match="must"):
            parse_cursor(text)


def test_an_idempotency_key_is_taken_with_and_without_quotation_marks() -> None:
    assert parse_key(None) is None
    assert parse_key('"8e03978e"') == parse_key(" 8e03978e ") == "8e03978e"
    for header in ("", '""', "a" * 256, "ключ", "a\tb"):
        with pytest.raises(Invalid) as refused:
            parse_key(header)
        assert refused.value.faults[0].pointer == "/Idempotency-Key"


def test_if_match_names_the_version_any_or_nothing() -> None:
    for header in (None, '"3"', 'W/"3"', '"2", "3"', "*"):
        require_match(header, 3)
    for stale in ('"2"', "3", '""', ""):
        with pytest.raises(StaleVersion):
            require_match(stale, 3)


def test_without_moments_the_present_is_read_with_all_that_is_known() -> None:
    view = viewpoint(None, None, BERLIN, NOW)
    assert (view.as_of, view.known_on) == (NOW, EVER)


def test_a_clock_that_is_a_little_ahead_reads_the_present() -> None:
    assert viewpoint(NOW + 60, None, BERLIN, NOW).as_of == NOW
    with pytest.raises(Invalid):
        viewpoint(NOW + 61, None, BERLIN, NOW)


def test_known_at_is_read_to_the_end_of_its_local_day() -> None:
    view = viewpoint(None, _seconds("2026-10-09T22:30:00Z"), BERLIN, NOW)
    assert view.as_of == _seconds("2026-10-09T22:30:00Z")
    assert view.known_on == day_of(date(2026, 10, 10))
    assert view.known_before == _seconds("2026-10-10T22:00:00Z")


def test_nobody_knew_on_a_day_what_happened_after_it() -> None:
    known_at, midnight = _seconds("2026-10-10T08:00:00Z"), _seconds("2026-10-10T22:00:00Z")
    assert viewpoint(midnight, known_at, BERLIN, NOW).as_of == midnight
    with pytest.raises(Invalid) as refused:
        viewpoint(midnight + 1, known_at, BERLIN, NOW)
    assert refused.value.faults[0].pointer == "/as_of"


def test_time_zones_are_the_names_of_the_tz_database() -> None:
    assert {"UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Argentina/Buenos_Aires"} <= time_zones()
    assert not {"Factory", "localtime", "", "posix/UTC", "../UTC"} & time_zones()
    for zone in time_zones():
        LocalClock(zone)
