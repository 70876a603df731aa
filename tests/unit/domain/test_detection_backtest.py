"""A backtest tells what the detector would have done."""

from __future__ import annotations

import msgspec
import pytest

from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection import DEFAULTS, Counts, Detector, History, Live, Signal, backtest
from tests.unit.domain.detection_streams import CRISIS_AT, MONDAY, burst, merged, regular

STREAM = merged(regular(8, 12), burst(CRISIS_AT, 60), burst(CRISIS_AT + 2 * DAY_S, 60))
KNOWN = [(CRISIS_AT, CRISIS_AT + HOUR_S), (MONDAY + 7 * DAY_S, MONDAY + 7 * DAY_S + HOUR_S)]


def stored() -> dict[int, Counts]:
    history = History({})
    detector = Detector(Live(), history)
    for event in STREAM:
        detector.observe(*event)
    detector.save()
    return history.take_added()


def test_it_names_what_would_have_opened_and_which_known_incidents_that_catches() -> None:
    found = backtest(STREAM, known=KNOWN)
    assert [one.caught for one in found.fired] == [(0,), ()]
    assert found.missed == (1,)
    first = found.fired[0]
    assert CRISIS_AT <= first.opened_at < CRISIS_AT + 600
    assert first.closed_at is not None
    assert first.severity is not None
    assert first.severity >= DEFAULTS.open_severity
    assert first.signal in Signal


def test_it_tells_how_often_a_week_and_at_which_local_hours() -> None:
    found = backtest(STREAM, time_zone="America/New_York", known=KNOWN)
    assert found.weeks == pytest.approx(1, abs=0.05)
    assert found.per_week == pytest.approx(2 / found.weeks, rel=0.01)
    assert found.false_alarms_per_week == pytest.approx(1 / found.weeks, rel=0.01)
    assert found.by_hour[7] == 2
    assert sum(found.by_hour) == 2


def test_the_stored_hours_tell_the_same_incidents_as_the_events() -> None:
    by_events, by_hours = backtest(STREAM), backtest(stored())
    assert len(by_hours.fired) == len(by_events.fired) == 2
    for one, other in zip(by_events.fired, by_hours.fired, strict=True):
        assert abs(one.opened_at - other.opened_at) <= 300


def test_stricter_settings_fire_less() -> None:
    strict = msgspec.structs.replace(DEFAULTS, open_severity=9.9, least_excess=60.0)
    assert backtest(STREAM, strict).fired == ()
    assert backtest(STREAM, strict).per_week == 0


def test_a_past_too_short_to_be_judged_has_no_rate() -> None:
    found = backtest(regular(0.5, 12))
    assert (found.weeks, found.per_week, found.false_alarms_per_week) == (0, None, None)


def test_an_incident_that_goes_on_is_not_closed() -> None:
    found = backtest(merged(regular(3.5, 12), burst(CRISIS_AT, 60)))
    assert [one.closed_at for one in found.fired] == [None]


def test_a_bin_is_judged_with_all_that_is_in_it_whatever_came_first() -> None:
    crowd = [(CRISIS_AT + second, second % 4 == 0, 1) for second in range(200)]
    history = History({})
    detector = Detector(Live(), history)
    for event in merged(regular(8, 12), crowd):
        detector.observe(*event)
    detector.save()
    assert [one.signal for one in backtest(history.take_added()).fired] == [Signal.VOLUME]


def test_what_opened_before_the_stretch_makes_what_is_usual_and_is_not_told() -> None:
    whole, end = stored(), MONDAY + 8 * DAY_S
    late = backtest(whole, since=CRISIS_AT + DAY_S, until=end)
    assert late.fired == backtest(whole, until=end).fired[1:]
    assert late.judged_from == CRISIS_AT + DAY_S
    assert late.weeks == pytest.approx(0.5, abs=0.001)
    assert late.by_weekday == (0, 0, 0, 0, 0, 1, 0)


def test_silence_up_to_the_end_of_the_stretch_closes_what_is_open() -> None:
    stream = merged(regular(3.5, 12), burst(CRISIS_AT, 60))
    assert [one.closed_at is None for one in backtest(stream, until=CRISIS_AT + DAY_S).fired] == [False]
