"""What the crisis detector tells depends on the order of events alone, and on nothing around it."""

from __future__ import annotations

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.domain.clock import DAY_S, HOUR_S, MINUTE_S
from bellwether.domain.detection import (
    DEFAULTS,
    Change,
    ChangeKind,
    Detector,
    DetectorSettings,
    History,
    HistoryNotLoaded,
    Live,
    Signal,
)
from tests.unit.domain.detection_streams import CRISIS_AT, MONDAY, Event, Shelf, burst, merged, regular, told

KINDS = (ChangeKind.OPENED, ChangeKind.GREW, ChangeKind.CLOSED)
CALM = regular(6, 12)
STREAM = merged(CALM, burst(CRISIS_AT, 120, seconds=1800), burst(CRISIS_AT + 2 * DAY_S, 60))


def late_ones(events: list[Event], seed: int) -> list[Event]:
    """The same events, some of which come up to three hours late."""
    chance = random.Random(seed)
    when = [(event[0] + (chance.randrange(3 * HOUR_S) if chance.random() < 0.1 else 0), event) for event in events]
    return [event for _, event in sorted(when, key=lambda one: one[0])]


def kinds(changes: list[Change]) -> list[ChangeKind]:
    return [change.kind for change in changes]


def only(changes: list[Change], kind: ChangeKind = ChangeKind.OPENED) -> Change:
    (found,) = [change for change in changes if change.kind is kind]
    return found


def test_a_crisis_opens_grows_and_closes_once() -> None:
    changes = told(merged(CALM, burst(CRISIS_AT, 120, seconds=1800)))
    assert kinds(changes)[0] is ChangeKind.OPENED
    assert kinds(changes)[-1] is ChangeKind.CLOSED
    assert set(kinds(changes)[1:-1]) == {ChangeKind.GREW}
    assert {change.opened_at for change in changes} == {changes[0].at}


def test_what_is_told_explains_itself() -> None:
    opening = told(merged(CALM, burst(CRISIS_AT, 120, seconds=1800)))[0]
    reading = opening.reading
    assert opening.severity == reading.severity >= DEFAULTS.open_severity
    assert reading.seen >= reading.bound > reading.expected
    assert 0 <= opening.at - CRISIS_AT < 10 * MINUTE_S
    assert abs(opening.onset - CRISIS_AT) <= 5 * MINUTE_S


def test_it_opens_with_the_very_event_that_reaches_the_bound() -> None:
    events = merged(CALM, burst(CRISIS_AT, 120, seconds=1800, negative=None))
    opening = told(events)[0]
    assert opening.reading.seen == opening.reading.bound
    place = next(n for n, event in enumerate(events) if event[0] == opening.at and event[1] is None)
    assert told(events[:place]) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_size_of_batches_and_restarts_change_nothing(seed: int) -> None:
    chance, events = random.Random(seed), late_ones(STREAM, seed)
    cuts = [0, *sorted(chance.sample(range(1, len(events)), 200)), len(events)]
    shelf = Shelf()
    in_batches = [change for first, last in pairwise(cuts) for change in shelf.batch(events[first:last])]
    assert in_batches == told(events)
    assert kinds(in_batches).count(ChangeKind.OPENED) == 2


def test_one_event_a_batch_around_the_crisis_changes_nothing() -> None:
    near = [n for n, event in enumerate(STREAM) if abs(event[0] - CRISIS_AT) < HOUR_S]
    first, last = near[0], near[-1] + 1
    shelf = Shelf()
    changes = shelf.batch(STREAM[:first])
    for event in STREAM[first:last]:
        changes += shelf.batch([event])
    assert changes + shelf.batch(STREAM[last:]) == told(STREAM)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40 * HOUR_S), st.booleans() | st.none()), max_size=60), st.data())
def test_any_order_of_events_gives_the_same_in_any_batches(
    found: list[tuple[int, bool | None]], data: st.DataObject
) -> None:
    start = MONDAY + 2 * DAY_S
    events = [*regular(2, 12), *((start + at, negative, 1 + at % 9) for at, negative in found)]
    cut = data.draw(st.integers(0, len(events)))
    shelf = Shelf()
    assert shelf.batch(events[:cut]) + shelf.batch(events[cut:]) == told(events)


@pytest.mark.parametrize("later", [0, MINUTE_S, 30 * DAY_S])
def test_it_closes_at_the_same_moment_whether_noticed_early_or_late(later: int) -> None:
    detector = Detector(Live(), History({}))
    for event in merged(regular(3.5, 12), burst(CRISIS_AT, 60)):
        detector.observe(*event)
    closes_at = detector.closes_at
    assert closes_at is not None
    assert detector.advance(closes_at - 1) == ()
    (closing,) = detector.advance(closes_at + later)
    assert (closing.kind, closing.at) == (ChangeKind.CLOSED, closes_at)
    assert detector.advance(closes_at + later) == ()


def test_the_next_event_closes_as_going_forward_would_have() -> None:
    events = merged(regular(3.5, 12), burst(CRISIS_AT, 60))
    detectors = [Detector(Live(), History({})) for _ in range(2)]
    for event in events:
        for detector in detectors:
            detector.observe(*event)
    by_time, by_event = detectors
    later = CRISIS_AT + DAY_S
    assert [*by_time.advance(later), *by_time.observe(later)] == list(by_event.observe(later))
    assert by_time.save() == by_event.save()


def test_it_stays_open_while_it_flares_up_again_within_the_quiet_hours() -> None:
    flares = [burst(CRISIS_AT + hours * HOUR_S, 60) for hours in (0, 10, 20, 30)]
    changes = told(merged(CALM, *flares))
    assert kinds(changes).count(ChangeKind.OPENED) == 1
    closing = only(changes, ChangeKind.CLOSED)
    assert closing.at > CRISIS_AT + (30 + DEFAULTS.quiet_hours) * HOUR_S


def test_it_is_told_again_only_when_it_is_worse_by_a_step() -> None:
    changes = told(merged(CALM, burst(CRISIS_AT, 300, seconds=3000)))
    severities = [change.severity for change in changes if change.kind is not ChangeKind.CLOSED]
    assert len(severities) > 2
    assert all(later >= earlier + DEFAULTS.grow_step for earlier, later in pairwise(severities))
    assert only(changes, ChangeKind.CLOSED).severity == 10.0


def test_a_late_event_counts_where_it_happened() -> None:
    ready = merged(regular(3.5, 12), burst(CRISIS_AT, 9, seconds=240, negative=None))
    assert told(ready) == []
    in_window, before_window = CRISIS_AT - 300, CRISIS_AT - 3 * HOUR_S
    assert told([*ready, (in_window, None, 20)])[0].at == ready[-1][0]
    assert told([*ready, (before_window, None, 20)]) == []
    shelf = Shelf()
    shelf.batch(ready)
    assert shelf.batch([(in_window, None, 20)]) == told([*ready, (in_window, None, 20)])


def test_late_events_correct_what_is_usual() -> None:
    busy = [(MONDAY + hour * HOUR_S, None, 60) for hour in range(24, 72)]
    crisis = burst(CRISIS_AT, 30, negative=None)
    assert told(merged(regular(3.5, 12), crisis))
    assert told([*regular(3.2, 12), *busy, *merged(regular(0.3, 12, start=MONDAY + int(3.2 * DAY_S)), crisis)]) == []


def test_what_is_older_than_the_history_is_left_out() -> None:
    history = History({})
    detector = Detector(Live(), history)
    detector.observe(MONDAY + 30 * DAY_S)
    assert detector.observe(MONDAY) == ()
    detector.save()
    assert list(history.take_added()) == [MONDAY + 30 * DAY_S]


def test_a_history_that_is_needed_and_was_not_loaded_is_no_silent_ignorance() -> None:
    detector = Detector(Live(), History({}))
    detector.observe(MONDAY)
    live = detector.save()
    Detector(live, History()).observe(live.renews_at - 1)
    with pytest.raises(HistoryNotLoaded):
        Detector(live, History()).observe(live.renews_at)


def test_the_live_row_of_a_quiet_brand_is_a_few_hundred_bytes() -> None:
    detector = Detector(Live(), History({}))
    for event in regular(20, 2):
        detector.observe(*event)
    assert len(msgspec.msgpack.encode(detector.save())) < 400


def test_nothing_is_judged_before_a_day_is_known() -> None:
    young = merged(regular(0.9, 12), burst(MONDAY + 20 * HOUR_S, 500))
    assert told(young) == []
    assert told(merged(regular(1.2, 12), burst(MONDAY + 26 * HOUR_S, 500)))


def test_a_brand_of_which_almost_nothing_is_known_has_no_crisis_when_collection_begins() -> None:
    strays = [(MONDAY + hour * HOUR_S, None, 1) for hour in (0, 30, 50, 70)]
    begun = regular(1, 120, start=MONDAY + 5 * DAY_S)
    assert told([*strays, *begun]) == []


def test_a_brand_that_is_almost_never_spoken_of_can_have_a_crisis() -> None:
    rare = [(MONDAY + day * DAY_S, False, 1) for day in range(16)]
    assert only(told([*rare, *burst(MONDAY + 16 * DAY_S, 30)])).at < MONDAY + 16 * DAY_S + 10 * MINUTE_S


def test_more_of_them_negative_is_a_crisis_though_they_are_no_more() -> None:
    turned = MONDAY + 4 * DAY_S
    changes = told([*regular(4, 12), *regular(1, 12, negative_every=1, start=turned)])
    opening = only(changes)
    assert opening.reading.signal is Signal.NEGATIVE_SHARE
    assert 0 < opening.at - turned < 3 * HOUR_S
    assert opening.reading.expected == pytest.approx(0.25, abs=0.01)
    assert abs(opening.onset - turned) <= HOUR_S


def test_without_sentiment_nothing_is_negative() -> None:
    changes = told([(at, None, count) for at, _, count in STREAM])
    assert {change.reading.signal for change in changes} == {Signal.VOLUME}


@pytest.mark.parametrize(
    "change",
    [
        {"close_severity": 4.0},
        {"open_severity": 10.5},
        {"span_minutes": 7},
        {"span_minutes": 300},
        {"quiet_hours": 0},
        {"grow_step": 0.0},
        {"rare": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_settings_that_contradict_each_other_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="settings of the crisis detector"):
        msgspec.convert({**msgspec.to_builtins(DEFAULTS), **change}, DetectorSettings)
