"""Laws that operators keep, whatever the numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.catalogue.formula import (
    Average,
    Blend,
    Contrast,
    DuringCrises,
    Facts,
    Formula,
    Growth,
    LevelGrowth,
    Levels,
    Lowest,
    PerLevel,
    Ratio,
    RatioFall,
    RatioGrowth,
    Reason,
    Recovered,
    RecoveryTime,
    Regained,
    Retention,
    Sum,
    TrendCoverage,
    Uplift,
    less,
    total,
)
from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.incidents import Interval
from bellwether.domain.totals import Totals, merged
from tests.unit.catalogue.facts import FOUR_WEEKS, around, facts

AMOUNTS = st.integers(0, 10**9)
POSITIVE = st.integers(1, 10**9)
TOTALS = st.dictionaries(st.sampled_from("abcd"), st.integers(-(10**6), 10**9))
NET, TEXTS = less("a", "b"), total("c")
EVERY: tuple[Formula, ...] = (
    Sum(NET), Sum(NET, unit=7), Ratio(NET, TEXTS), Ratio(NET, TEXTS, 1, 10**6, 10**3), Average("a", "c"), Growth(NET),
    RatioGrowth(NET, TEXTS), RatioFall(NET, TEXTS), Contrast(total("a"), total("c"), less("b", "a"), less("d", "c")),
    Contrast(NET, TEXTS, total("b"), total("d"), points=True), Lowest("a", "c"), TrendCoverage((("a", "b"), ("c",))),
    PerLevel(NET, ("members",), "start"), PerLevel(NET, ("members",), "end"), Retention("members", "a"),
    Uplift(NET, None, "m"), Uplift(NET, TEXTS, "m"), Uplift(NET, TEXTS, "m", points=True), Recovered(NET, "m"),
    DuringCrises(NET, TEXTS), Regained(NET, TEXTS), RecoveryTime(NET, TEXTS),
    Blend((Ratio(NET, TEXTS), Average("d", "b"), Uplift(NET, None, "m"))),
)  # fmt: skip
HOURS = st.dictionaries(st.integers(-10 * 24, 28 * 24 - 1), TOTALS, max_size=20)
MARKERS = st.lists(st.integers(-20 * DAY_S, 27 * DAY_S), max_size=5).map(sorted)
CRISES = st.lists(
    st.builds(
        lambda opened, lasts: Interval(opened, None if lasts is None else opened + lasts),
        st.integers(-5 * DAY_S, 27 * DAY_S),
        st.none() | st.integers(0, 3 * DAY_S),
    ),
    max_size=4,
).map(lambda crises: sorted(crises, key=lambda one: one.opened))


def check_sound(formula: Formula, read_over: Facts) -> None:
    reading = formula.read(read_over)
    assert (reading.value is None) == (reading.reason is not None)
    assert reading.value is None or math.isfinite(reading.value)
    assert isinstance(reading.n, int)
    assert reading.n >= 0 or isinstance(formula, Sum | Growth)


@given(TOTALS, TOTALS, st.dictionaries(st.sampled_from("xy"), AMOUNTS), st.dictionaries(st.sampled_from("xy"), AMOUNTS))
def test_a_reading_is_a_finite_value_or_a_reason(
    now: Totals, before: Totals, start: dict[str, int], end: dict[str, int]
) -> None:
    read_over = facts(now, before, {"members": Levels(start, end)})
    for formula in EVERY:
        check_sound(formula, read_over)


@given(HOURS, MARKERS, CRISES)
def test_a_reading_around_markers_and_crises_is_a_finite_value_or_a_reason(
    hours: dict[int, Totals], markers: list[int], crises: list[Interval]
) -> None:
    read_over = around(hours, {"m": markers}, crises)
    for formula in EVERY:
        check_sound(formula, read_over)


@given(st.lists(TOTALS, min_size=1, max_size=5))
def test_a_ratio_of_sums_does_not_depend_on_how_time_is_divided(parts: list[dict[str, int]]) -> None:
    whole: dict[str, int] = {}
    for part in parts:
        for measure, amount in part.items():
            whole[measure] = whole.get(measure, 0) + amount
    assert Ratio(NET, TEXTS).read(facts(merged(parts))) == Ratio(NET, TEXTS).read(facts(dict(whole)))
    assert Ratio(NET, TEXTS).read(facts(merged(reversed(parts)))) == Ratio(NET, TEXTS).read(facts(merged(parts)))


@given(AMOUNTS, POSITIVE, st.sampled_from([1, 7, 10**6]))
def test_a_ratio_in_the_same_unit_above_and_below_is_the_ratio(top: int, bottom: int, unit: int) -> None:
    plain, money = Ratio(total("a"), total("c")), Ratio(total("a"), total("c"), 100, unit, unit)
    assert money.read(facts({"a": top, "c": bottom})).value == plain.read(facts({"a": top, "c": bottom})).value


@given(POSITIVE, POSITIVE)
def test_growth_there_and_back_again_is_no_growth(first: int, second: int) -> None:
    there = Growth(total("a")).read(facts({"a": second}, {"a": first})).value
    back = Growth(total("a")).read(facts({"a": first}, {"a": second})).value
    assert there is not None
    assert back is not None
    assert (1 + there / 100) * (1 + back / 100) == pytest.approx(1)
    assert (there > 0) == (back < 0)


@given(AMOUNTS, POSITIVE, AMOUNTS, POSITIVE)
def test_a_fall_is_the_other_way_round_when_windows_change_places(a: int, b: int, c: int, d: int) -> None:
    now, before = {"a": a, "c": b}, {"a": c, "c": d}
    fall = RatioFall(total("a"), total("c"))
    there, back = fall.read(facts({**now}, {**before})).value, fall.read(facts({**before}, {**now})).value
    assert there is not None
    assert back is not None
    assert there == -back


@given(POSITIVE, POSITIVE, st.integers(1, 1000))
def test_a_ratio_that_is_the_same_has_not_grown_however_much_more_there_is(a: int, b: int, times: int) -> None:
    read_over = facts({"a": a * times, "c": b * times}, {"a": a, "c": b})
    assert RatioGrowth(total("a"), total("c")).read(read_over).value == 0
    assert RatioFall(total("a"), total("c")).read(read_over).value == 0


@given(POSITIVE, POSITIVE, POSITIVE, POSITIVE)
def test_a_contrast_in_points_is_the_other_way_round_seen_from_outside(a: int, b: int, c: int, d: int) -> None:
    sums = facts({"a": a, "b": b, "c": c, "d": d})
    inside = Contrast(total("a"), total("b"), total("c"), total("d"), points=True).read(sums).value
    outside = Contrast(total("c"), total("d"), total("a"), total("b"), points=True).read(sums).value
    assert inside is not None
    assert outside is not None
    assert inside == -outside


@given(POSITIVE, POSITIVE, st.integers(1, 1000))
def test_a_segment_like_the_rest_has_no_contrast(a: int, b: int, times: int) -> None:
    sums = facts({"a": a, "b": b, "c": a * times, "d": b * times})
    assert Contrast(total("a"), total("b"), total("c"), total("d")).read(sums).value == 0


@given(st.integers(1, 1000), st.lists(st.integers(-6, 20), min_size=1, max_size=4, unique=True).map(sorted))
def test_a_constant_stream_has_no_uplift_and_is_always_recovered(amount: int, days: list[int]) -> None:
    hours: dict[int, Totals] = {hour: {"a": amount, "c": 2 * amount} for hour in range(-14 * 24, 28 * 24)}
    read_over = around(hours, {"m": [day * DAY_S + 1234 for day in days]})
    assert Uplift(total("a"), None, "m").read(read_over).value == 0
    assert Uplift(total("a"), total("c"), "m").read(read_over).value == 0
    assert Uplift(total("a"), total("c"), "m", points=True).read(read_over).value == 0
    assert Recovered(total("a"), "m").read(read_over).value == 100


@given(st.integers(0, 20 * DAY_S), st.integers(1, 3 * DAY_S))
def test_in_a_constant_stream_a_crisis_changes_nothing_and_is_over_at_once(opened: int, lasts: int) -> None:
    hours: dict[int, Totals] = {hour: {"a": 3, "c": 4} for hour in range(-2 * 24, 28 * 24)}
    read_over = around(hours, crises=[Interval(opened, opened + lasts)])
    assert DuringCrises(total("a"), total("c")).read(read_over).value == 75
    assert Regained(total("a"), total("c")).read(read_over).reason is Reason.NO_DATA
    took = RecoveryTime(total("a"), total("c")).read(read_over).value
    assert took is not None
    assert HOUR_S <= took < 2 * HOUR_S


@given(POSITIVE, st.integers(0, 10**9))
def test_what_a_crisis_over_all_of_the_window_shows_is_the_window(a: int, b: int) -> None:
    hours: dict[int, Totals] = {5: {"a": a, "c": a + b}, 600: {"b": b, "c": a + b}}
    open_ = around(hours, crises=[Interval(-DAY_S, None)])
    assert DuringCrises(NET, TEXTS).read(open_) == Ratio(NET, TEXTS).read(
        facts(merged(hours.values()), span=FOUR_WEEKS)
    )


@given(TOTALS)
def test_a_blend_of_one_part_is_the_part(now: Totals) -> None:
    part = Ratio(NET, TEXTS)
    blended, alone = Blend((part,)).read(facts(now)), part.read(facts(now))
    assert (blended.value, blended.n, blended.reason) == (alone.value, alone.n, alone.reason)


@given(TOTALS)
def test_a_blend_lies_between_its_parts(now: Totals) -> None:
    parts = (Ratio(NET, TEXTS), Average("d", "b"), Sum(total("d")))
    values = [value for part in parts if (value := part.read(facts(now)).value) is not None]
    blended = Blend(parts).read(facts(now)).value
    assert blended is not None
    assert min(values) <= blended * (1 + 1e-12) or min(values) <= blended * (1 - 1e-12)
    assert max(values) >= blended * (1 - 1e-12) or max(values) >= blended * (1 + 1e-12)


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_when_nobody_joined_retention_and_churn_make_a_hundred(start: int, left: int) -> None:
    left = min(left, start)
    read_over = facts({"left": left}, levels={"members": Levels({"a": start}, {"a": start - left})})
    retained = Retention("members", "joined").read(read_over).value
    churned = PerLevel(total("left"), ("members",), "start").read(read_over).value
    assert retained is not None
    assert churned is not None
    assert retained + churned == pytest.approx(100)


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_retention_is_growth_without_those_who_joined(start: int, joined: int, left: int) -> None:
    levels = {"members": Levels({"a": start}, {"a": start + joined - left})}
    retained = Retention("members", "joined").read(facts({"joined": joined}, levels=levels)).value  # type: ignore[arg-type]
    grown = LevelGrowth(("members",)).read(facts(levels=levels)).value  # type: ignore[arg-type]
    assert retained is not None
    assert grown is not None
    assert retained == pytest.approx(100 + grown - 100 * joined / start)


@given(
    st.dictionaries(st.sampled_from(["x", "y", "z"]), st.tuples(st.integers(0, 1000), st.integers(1, 9)), min_size=1)
)
def test_the_lowest_channel_is_never_above_the_mean_and_one_channel_is_the_mean(
    channels: dict[str, tuple[int, int]],
) -> None:
    sums: dict[str, int] = {"s": sum(s for s, _ in channels.values()), "n": sum(n for _, n in channels.values())}
    for name, (score, count) in channels.items():
        sums |= {f"s@{name}": score, f"n@{name}": count}
    value = Lowest("s", "n").read(facts({**sums})).value
    if sums["s"] == 0:
        assert value is None
    else:
        assert value is not None
        assert 0 <= value <= 100
        assert value == 100 or len({s / n for s, n in channels.values()}) > 1


@given(st.integers(1, 10**6), st.integers(0, 5))
def test_money_of_which_nothing_was_converted_is_unknown_and_not_zero(amount: int, left_out: int) -> None:
    spent, clicks = total("ad_spend"), total("clicks")
    told: Totals = {"ad_spend.unconverted": left_out, "clicks": amount}
    is_unknown = left_out > 0
    assert (Sum(spent).read(facts(told)).reason is Reason.NO_RATE) == is_unknown
    assert (Ratio(spent, clicks).read(facts(told)).reason is Reason.NO_RATE) == is_unknown
    assert (Average("ad_spend", "clicks").read(facts(told)).reason is Reason.NO_RATE) == is_unknown
    in_part = facts({**told, "ad_spend": amount})
    assert Sum(spent).read(in_part).value == amount
    assert Ratio(spent, clicks, 1).read(in_part).value == 1
