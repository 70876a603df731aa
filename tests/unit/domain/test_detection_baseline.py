"""What is usual, what is rare, and what is left out of both."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection import DEFAULTS, Baseline, ChangeKind, History, Interval, Signal
from bellwether.domain.detection.baseline import baseline, rolling
from bellwether.domain.detection.severity import Scale
from tests.unit.domain.detection_streams import CRISIS_AT, MONDAY, Event, burst, merged, regular, told

UTC = ZoneInfo("UTC")
NOW = MONDAY + 10 * DAY_S


def usual(
    events: list[Event],
    zone: ZoneInfo = UTC,
    campaigns: list[Interval] | None = None,
    incidents: list[Interval] | None = None,
) -> Baseline:
    history = History({})
    for at, negative, count in events:
        history.add(at // 300, (count, count * (negative is not None), count * bool(negative)))
    found = baseline(history, NOW, DEFAULTS, zone, campaigns or (), incidents or ())
    assert found is not None
    return found


def test_the_severity_is_minus_the_logarithm_of_the_chance() -> None:
    scale = Scale(0.997)
    assert scale.severity(0.0) == pytest.approx(0.30, abs=0.01)
    assert scale.severity(1.0) == pytest.approx(2.52, abs=0.01)
    assert (scale.severity(-9.0), scale.severity(99.0)) == (0.0, 10.0)
    assert scale.severity(scale.deviation(3.2)) == 3.2


def test_sums_roll_over_the_bins() -> None:
    assert rolling([1, 2, 3, 4], 2) == [1, 3, 5, 7]
    assert rolling([1, 2], 6) == [1, 3]
    assert rolling([], 6) == []


def test_what_is_expected_is_the_median_of_the_span() -> None:
    found = usual(regular(10, 12))
    assert found.volume.expected(100) == pytest.approx(9)
    assert found.negative.expected(100) == pytest.approx(2.25, abs=0.75)
    assert found.share is not None
    assert found.share.share == pytest.approx(0.25, abs=0.01)


def test_few_counts_have_a_floor() -> None:
    assert usual(regular(10, 2)).volume.spread == pytest.approx(DEFAULTS.least_excess * 1.1)


def test_a_young_history_is_given_more_room() -> None:
    old, young = usual(regular(10, 12)), usual(regular(2, 12, start=NOW - 2 * DAY_S))
    assert young.volume.spread == pytest.approx(old.volume.spread / 1.1 * 1.5, rel=0.01)


def test_silence_of_a_busy_brand_is_a_gap_and_not_a_low() -> None:
    gap = (MONDAY + 2 * DAY_S, MONDAY + 8 * DAY_S)
    with_gap = [event for event in regular(10, 60) if not gap[0] <= event[0] < gap[1]]
    assert usual(with_gap).volume.expected(100) == pytest.approx(usual(regular(10, 60)).volume.expected(100), rel=0.02)


def test_silence_of_a_quiet_brand_is_no_gap() -> None:
    seldom: list[Event] = [(MONDAY + day * DAY_S + hour * HOUR_S, None, 1) for day in range(10) for hour in (9, 12, 15)]
    assert usual(seldom).volume.expected(100) == 0


def test_a_past_incident_widens_what_is_rare_by_a_bounded_factor() -> None:
    crisis = (CRISIS_AT, CRISIS_AT + 6 * HOUR_S)
    events = merged(regular(10, 30), burst(crisis[0], 9_000, seconds=6 * HOUR_S))
    calm, known, unknown = usual(regular(10, 30)), usual(events, incidents=[crisis]), usual(events)
    assert calm.volume.spread < known.volume.spread <= 3 * calm.volume.spread * 1.01
    assert unknown.volume.spread > 20 * calm.volume.spread
    assert known.volume.expected(100) == pytest.approx(calm.volume.expected(100), rel=0.02)


def test_campaigns_are_left_out_of_what_is_usual() -> None:
    campaign = (CRISIS_AT, CRISIS_AT + DAY_S)
    events = merged(regular(10, 30), burst(campaign[0], 9_000, seconds=DAY_S, negative=None))
    assert usual(events, campaigns=[campaign]).volume == usual(regular(10, 30)).volume


def by_day(zone: ZoneInfo, start: int, days: int) -> list[Event]:
    """50 an hour from 9 to 21 o'clock local time, and nothing else."""
    hours = range(start, start + days * DAY_S, HOUR_S)
    return [
        (at + minute * 60, None, 1)
        for at in hours
        if 9 <= datetime.fromtimestamp(at, zone).hour < 21
        for minute in range(0, 60, 2)
    ]


def test_the_profile_is_that_of_the_local_hour() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    profile = usual(by_day(zone, MONDAY, 10), zone).profile
    assert max(profile[:8] + profile[22:]) < 100 < min(profile[9:21])


def test_the_profile_stands_still_when_the_clocks_change() -> None:
    zone = ZoneInfo("Europe/Berlin")
    changed = int(datetime.fromisoformat("2026-03-29T01:00:00+00:00").timestamp())
    history = History({})
    for at, _, count in by_day(zone, changed - 8 * DAY_S, 16):
        history.add(at // 300, (count, 0, 0))
    before, after = (baseline(history, changed + days * DAY_S, DEFAULTS, zone) for days in (0, 6))
    assert before is not None
    assert after is not None
    assert before.profile[9:21] == pytest.approx(after.profile[9:21], abs=6)
    assert before.profile[:8] == pytest.approx(after.profile[:8], abs=6)


CAMPAIGN = (CRISIS_AT, CRISIS_AT + 6 * HOUR_S)


def test_welcome_volume_in_a_declared_campaign_is_no_crisis() -> None:
    stream = merged(regular(6, 30), burst(CAMPAIGN[0], 1_800, seconds=6 * HOUR_S, negative=False))
    assert told(stream)
    assert told(stream, campaigns=(CAMPAIGN,)) == []


def test_a_late_event_makes_no_crisis_of_a_campaign_or_of_what_comes_after_a_gap() -> None:
    welcome = burst(CRISIS_AT, 300, seconds=1_500, negative=False)
    late = (CRISIS_AT, False, 1)
    assert told([*merged(regular(3.5, 30), welcome), late], campaigns=(CAMPAIGN,)) == []
    gap = (CRISIS_AT - 6 * HOUR_S, CRISIS_AT)
    before = [event for event in regular(3.5, 30) if event[0] < gap[0]]
    backlog = [(at, place % 3 == 0, 1) for place, (at, _, _) in enumerate(welcome)]
    assert told([*before, *backlog, late]) == []
    assert told([*before, *merged(regular(0.3, 30, start=gap[0]), backlog), late])


def test_anger_in_a_declared_campaign_is_a_crisis() -> None:
    stream = merged(regular(6, 30), burst(CAMPAIGN[0], 1_800, seconds=6 * HOUR_S, negative=True))
    changes = told(stream, campaigns=(CAMPAIGN,))
    assert changes[0].reading.signal is not Signal.VOLUME
    assert changes[0].at < CAMPAIGN[0] + HOUR_S


def test_what_comes_at_once_after_a_gap_is_no_crisis() -> None:
    gap = (MONDAY + 4 * DAY_S, MONDAY + 4 * DAY_S + 6 * HOUR_S)
    stream = [event for event in regular(6, 60) if not gap[0] <= event[0] < gap[1]]
    backlog = burst(gap[1], 150, seconds=1_200, negative=None)
    assert told(merged(stream, backlog)) == []
    assert told(merged(regular(6, 60), backlog))


def test_an_outage_after_all_does_not_hide_the_crisis_that_follows_it() -> None:
    gap = (MONDAY + 4 * DAY_S, MONDAY + 4 * DAY_S + 6 * HOUR_S)
    stream = [event for event in regular(6, 60) if not gap[0] <= event[0] < gap[1]]
    (opening, *_) = told(merged(stream, burst(gap[1] + 2 * HOUR_S, 300)))
    assert opening.kind is ChangeKind.OPENED
    assert opening.at - gap[1] - 2 * HOUR_S < 900


def test_without_a_floor_a_single_remark_would_be_a_crisis() -> None:
    """The floor is what keeps quiet brands quiet: with almost none of it they would never be."""
    stream = merged(regular(6, 1), burst(CRISIS_AT + 1800, 4))
    assert told(stream) == []
    assert told(stream, msgspec.structs.replace(DEFAULTS, least_excess=0.5))
