"""Which alert goes to whom, and when."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.alerts import (
    CALLING,
    RETRY_S,
    Alert,
    Errand,
    Kind,
    Quiet,
    Route,
    Told,
    alert_id,
    errands,
    quiet_until,
    retry_in,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = 1_700_000_000  # Tuesday, 23:13:20 in Berlin
NIGHT = Quiet(time(22), time(7))


def _alert(kind: Kind = Kind.OPENED, **fields: Any) -> Alert:
    told: dict[str, Any] = {"brand_id": 1, "incident": "storm", "severity": 6.0, "cut": "", **fields}
    return Alert(id="alr_1", tenant_id=1, kind=kind, at=NOW, title="", **told)


def _told(kind: Kind = Kind.OPENED, **fields: Any) -> Told:
    told: dict[str, Any] = {"endpoint": "a", "route": "r", "incident": "other", "brand_id": 1, "cut": "", **fields}
    return Told(**{"kind": kind, "severity": 6.0, "at": NOW - 10, **told})


def _route(**fields: Any) -> Route:
    return Route(**{"id": "r", "endpoints": ("a",), **fields})


def _go(alert: Alert, *routes: Route, told: tuple[Told, ...] = ()) -> list[Errand]:
    return errands(alert, routes, told, BERLIN, NOW)


def _berlin(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=BERLIN).timestamp())  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("route", "alert", "goes"),
    [
        (_route(), _alert(), True),
        (_route(brand_id=1), _alert(), True),
        (_route(brand_id=2), _alert(), False),
        (_route(min_severity=6.0), _alert(), True),
        (_route(min_severity=6.1), _alert(), False),
        (_route(kinds=(Kind.GREW,)), _alert(), False),
        (_route(kinds=(Kind.GREW,)), _alert(Kind.GREW), True),
        (_route(min_severity=6.1), _alert(Kind.UNDELIVERABLE, incident=""), False),
    ],
)
def test_a_route_takes_alerts_of_its_brand_its_kinds_and_its_severity(route: Route, alert: Alert, goes: bool) -> None:
    assert [one.endpoint for one in _go(alert, route)] == (["a"] if goes else [])


def test_an_endpoint_that_several_routes_name_is_told_once_and_at_the_earliest() -> None:
    assert _go(_alert(), _route(group_s=60), _route(id="s")) == [Errand("a", "s", NOW)]


def test_what_one_route_leaves_out_another_one_sends() -> None:
    routes = _route(cool_down_s=60), _route(id="s")
    assert _go(_alert(), *routes, told=(_told(),)) == [Errand("a", "s", NOW)]


@pytest.mark.parametrize(
    ("told", "severity", "left_out"),
    [
        (_told(), 6.0, "cool_down"),
        (_told(), 6.5, ""),
        (_told(at=NOW - 60), 6.0, ""),
        (_told(cut="channel=x"), 6.0, ""),
        (_told(brand_id=2), 6.0, ""),
        (_told(endpoint="b"), 6.0, ""),
        (_told(left_out="cool_down"), 6.0, ""),
        (_told(Kind.RESOLVED), 6.0, ""),
    ],
)
def test_after_a_call_others_of_the_same_brand_and_cut_are_left_out_unless_they_are_more_severe(
    told: Told, severity: float, left_out: str
) -> None:
    (one,) = _go(_alert(severity=severity), _route(cool_down_s=60), told=(told,))
    assert one.left_out == left_out


def test_a_follow_up_goes_where_the_incident_went_and_not_where_it_was_left_out() -> None:
    told = _told(incident="storm"), _told(incident="storm", endpoint="b", left_out="cool_down"), _told(endpoint="c")
    route = _route(endpoints=("a", "b", "c"), min_severity=9.0)
    assert _go(_alert(Kind.RESOLVED), route, told=told) == [Errand("a", "r", NOW)]


def test_calls_wait_for_the_end_of_the_night_but_those_severe_enough_do_not() -> None:
    route = _route(quiet=(NIGHT,), quiet_below=8.0)
    (waits,) = _go(_alert(), route)
    (rings,) = _go(_alert(severity=8.0), route)
    assert (waits.due, rings.due) == (_berlin(2023, 11, 15, 7), NOW)
    assert waits.group


def test_follow_ups_do_not_wake_anybody_either_way_but_go_at_once() -> None:
    assert _go(_alert(Kind.RESOLVED), _route(quiet=(NIGHT,)), told=(_told(incident="storm"),))[0].due == NOW


def test_who_is_next_is_called_so_long_after_the_first_was() -> None:
    route = _route(quiet=(NIGHT,), escalate_after_s=300, escalate_to=("b",))
    first, second = _go(_alert(), route)
    assert (second.endpoint, second.escalates, second.due - first.due) == ("b", True, 300)


def test_nobody_is_called_after_a_call_that_was_left_out() -> None:
    route = _route(cool_down_s=60, escalate_after_s=300, escalate_to=("b",))
    assert [one.left_out for one in _go(_alert(), route, told=(_told(),))] == ["cool_down"]


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        ((), (2026, 11, 23, 3), None),
        ((NIGHT,), (2026, 11, 23, 12), None),
        ((NIGHT,), (2026, 11, 23, 22), (2026, 11, 24, 7)),
        ((NIGHT,), (2026, 11, 23, 6, 59), (2026, 11, 23, 7)),
        ((NIGHT,), (2026, 11, 23, 7), None),
        ((NIGHT,), (2026, 10, 25, 1), (2026, 10, 25, 7)),  # the night has nine hours and one more
        ((NIGHT,), (2026, 3, 28, 23), (2026, 3, 29, 7)),
        ((Quiet(time(0), time(0), (5,)), Quiet(time(0), time(0), (6,))), (2026, 11, 21, 9), (2026, 11, 23)),
        ((Quiet(time(22), time(7), (4,)),), (2026, 11, 21, 3), (2026, 11, 21, 7)),
        ((Quiet(time(22), time(7), (4,)),), (2026, 11, 22, 3), None),
        ((Quiet(time(22), time(2)), Quiet(time(2), time(6))), (2026, 11, 22, 23), (2026, 11, 23, 6)),
    ],
)
def test_quiet_ends_when_the_clock_on_the_wall_says_so(
    quiet: tuple[Quiet, ...], now: tuple[int, ...], until: tuple[int, ...] | None
) -> None:
    assert quiet_until(quiet, BERLIN, _berlin(*now)) == _berlin(*(until or now))


@given(
    now=st.integers(NOW, NOW + 400 * 86_400),
    quiet=st.lists(st.builds(Quiet, st.times(), st.times(), st.sets(st.integers(0, 6)).map(tuple)), max_size=4),
)
def test_the_end_of_quiet_is_never_in_the_past_and_always_found(now: int, quiet: list[Quiet]) -> None:
    assert 0 <= quiet_until(quiet, BERLIN, now) - now <= 20 * 86_400


@given(attempts=st.integers(1, len(RETRY_S)), jitter=st.floats(0, 1), asked=st.floats(0, 1e9))
def test_the_next_attempt_is_in_half_to_all_of_the_schedules_wait_or_when_the_receiver_asks(
    attempts: int, jitter: float, asked: float
) -> None:
    wait = retry_in(attempts, jitter)
    assert wait is not None
    assert RETRY_S[attempts - 1] / 2 <= wait <= RETRY_S[attempts - 1]
    assert retry_in(attempts, jitter, asked) == max(wait, min(asked, 86_400))


def test_after_the_schedule_there_is_no_next_attempt() -> None:
    assert retry_in(len(RETRY_S) + 1, 0.5) is None
    assert sum(RETRY_S) > 75 * 3600


@given(st.tuples(st.integers(), st.text(), st.sampled_from(Kind), st.integers(), st.text()))
def test_an_alert_has_an_id_of_what_it_tells(told: tuple[int, str, Kind, int, str]) -> None:
    assert alert_id(*told) == alert_id(*told)
    brand, incident, kind, at, about = told
    others = (
        (brand + 1, incident, kind, at, about),
        (brand, incident + "x", kind, at, about),
        (brand, incident, kind, at + 1, about),
    )
    assert alert_id(*told) not in [alert_id(*other) for other in others]


def test_every_kind_is_routed_in_exactly_one_way() -> None:
    assert {kind for kind in Kind if _go(_alert(kind), _route())} >= CALLING
