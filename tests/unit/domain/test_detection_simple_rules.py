"""The rules that the detector is compared with: what they alert at, how they are written, and what a backtest tells."""

from __future__ import annotations

import pytest

from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection import (
    Counts,
    Detector,
    History,
    Live,
    Signal,
    SimpleRule,
    Threshold,
    ZScore,
    backtest_simple,
    parse_rule,
)
from bellwether.domain.detection.simple_rules import alerts, far_above, more_than
from tests.unit.domain.detection_streams import CRISIS_AT, MONDAY, burst, merged, regular

STREAM = merged(regular(8, 12), burst(CRISIS_AT, 60), burst(CRISIS_AT + 2 * DAY_S, 60))
KNOWN = [(CRISIS_AT, CRISIS_AT + HOUR_S), (MONDAY + 7 * DAY_S, MONDAY + 7 * DAY_S + HOUR_S)]


@pytest.fixture(scope="module")
def stored() -> dict[int, Counts]:
    history = History({})
    detector = Detector(Live(), history)
    for event in STREAM:
        detector.observe(*event)
    detector.save()
    return history.take_added()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("zscore", ZScore(6, 3, 24)),
        ("zscore:z=4.5", ZScore(4.5, 3, 24)),
        ("zscore:days=7,quiet_hours=12", ZScore(6, 7, 12)),
        ("volume>100/h", Threshold(Signal.VOLUME, 100, 24)),
        ("negative_volume>0/h,quiet_hours=6", Threshold(Signal.NEGATIVE_VOLUME, 0, 6)),
    ],
)
def test_a_rule_is_read_as_people_write_it(text: str, rule: SimpleRule) -> None:
    assert parse_rule(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "", "z", "zscore:", "zscore:z", "zscore:z=0", "zscore:z=nan", "zscore:days=29", "zscore:speed=1",
        "zscore:kind=threshold", "volume>100", "volume>-1/h", "negative_share>1/h", "volume>100/h,quiet_hours=0",
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="rule") as refused:
        parse_rule(text)
    assert not text or "29" not in str(refused.value)


def test_a_count_is_far_above_the_ones_before_it_and_not_above_itself() -> None:
    counts = [1, 3, 1, 3, 8, 2]
    assert list(far_above(counts, 6, 4)) == [False, False, False, False, True, False]
    assert list(far_above(counts, 6.1, 4)) == [False] * 6


def test_more_than_a_bound_is_counted_over_an_hour_and_not_beyond() -> None:
    assert list(more_than([2, 2, 2, 0, 0, 3], 5, 3)) == [False, False, True, False, False, False]


def test_after_an_alert_there_is_quiet() -> None:
    assert list(alerts([True] * 7, 2)) == [0, 3, 6]


def test_the_z_score_tells_both_bursts_and_which_known_crisis_it_catches(stored: dict[int, Counts]) -> None:
    found = backtest_simple(stored, ZScore(), "America/New_York", known=KNOWN, until=MONDAY + 8 * DAY_S)
    assert [(one.opened_at, one.signal, one.severity, one.caught) for one in found.fired] == [
        (CRISIS_AT, Signal.VOLUME, None, (0,)),
        (CRISIS_AT + 2 * DAY_S, Signal.VOLUME, None, ()),
    ]
    assert [one.closed_at for one in found.fired] == [one.opened_at + DAY_S for one in found.fired]
    assert found.missed == (1,)
    assert found.judged_from == MONDAY + 3 * DAY_S
    assert found.weeks == pytest.approx(5 / 7, abs=0.001)
    assert (found.by_hour[7], sum(found.by_hour)) == (2, 2)


def test_a_bound_is_passed_when_an_hour_has_more_than_it(stored: dict[int, Counts]) -> None:
    usual = max(sum(row[:12]) for hour, row in stored.items() if hour + HOUR_S < CRISIS_AT)
    rules = [Threshold(Signal.VOLUME, bound) for bound in (0, usual + 12, 1000)]
    fired = [len(backtest_simple(stored, rule, until=MONDAY + 8 * DAY_S).fired) for rule in rules]
    assert fired[1:] == [2, 0]
    assert fired[0] == 8, "one each quiet day"


def test_what_was_before_the_stretch_is_not_told(stored: dict[int, Counts]) -> None:
    late = backtest_simple(stored, ZScore(), since=CRISIS_AT + DAY_S, until=MONDAY + 8 * DAY_S)
    assert [one.opened_at for one in late.fired] == [CRISIS_AT + 2 * DAY_S]
    assert late.judged_from == CRISIS_AT + DAY_S


def test_a_past_too_short_to_be_judged_has_no_rate(stored: dict[int, Counts]) -> None:
    first = dict(sorted(stored.items())[:24])
    for past in (first, {}):
        found = backtest_simple(past, ZScore())
        assert (found.fired, found.weeks, found.per_week, found.judged_from) == ((), 0, None, None)
