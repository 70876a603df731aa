"""Amounts in the reporting currency: dated rates, exact arithmetic, one rounding."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether_compute.money import MOST_MICROS, Amount, Rate, Rates


def rates(*told: Rate) -> Rates:
    found = Rates("USD")
    for rate in told:
        found.put(rate)
    return found


def rate(base: str, quote: str, valid_from: int, value: str, told_at: int = 0) -> Rate:
    return Rate(base, quote, valid_from, told_at, Decimal(value))


def test_the_reporting_currency_needs_no_rate() -> None:
    assert rates().micros(Decimal("19.99"), "USD", 5) == 19_990_000


def test_an_amount_is_converted_with_the_rate_that_was_valid_at_its_moment() -> None:
    known = rates(rate("EUR", "USD", 100, "1.10"), rate("EUR", "USD", 200, "1.20"))
    assert [known.micros(Decimal(10), "EUR", at) for at in (99, 100, 199, 200)] == [
        None,
        11_000_000,
        11_000_000,
        12_000_000,
    ]


def test_a_rate_told_the_other_way_round_is_inverted_exactly() -> None:
    assert rates(rate("USD", "EUR", 0, "0.8")).micros(Decimal(10), "EUR", 5) == 12_500_000
    assert rates(rate("USD", "EUR", 0, "3")).micros(Decimal(1), "EUR", 5) == 333_333


def test_nothing_is_converted_over_a_third_currency() -> None:
    known = rates(rate("EUR", "GBP", 0, "0.9"), rate("GBP", "USD", 0, "1.3"))
    assert known.micros(Decimal(1), "EUR", 5) is None
    assert known.currency_of("EUR", "GBP") is None


@pytest.mark.parametrize(
    ("value", "micros"), [("0.0000005", 0), ("0.0000015", 2), ("0.0000025", 2), ("-0.0000015", -2)]
)
def test_halves_of_a_millionth_go_to_the_even_one(value: str, micros: int) -> None:
    assert rates().micros(Decimal(value), "USD", 0) == micros


def test_rounding_comes_after_the_conversion() -> None:
    assert rates(rate("EUR", "USD", 0, "1000000")).micros(Decimal("0.0000004"), "EUR", 0) == 400_000


def test_nothing_is_nothing_in_every_currency() -> None:
    assert rates().micros(Decimal("0.00"), "EUR", 0) == 0


def test_an_amount_that_no_sum_could_hold_is_shown_as_unconverted() -> None:
    assert rates().micros(Decimal(10) ** 12, "USD", 0) == MOST_MICROS
    assert rates().micros(Decimal(10) ** 12 + 1, "USD", 0) is None
    amount = Amount(-(Decimal(10) ** 15), "USD", ("cost", "ad_spend"))
    assert rates().totals(amount, 0) == {"cost.unconverted": 1, "ad_spend.unconverted": 1}


@given(
    st.permutations([rate("EUR", "USD", 9, "1.1", 1), rate("EUR", "USD", 9, "1.3", 2), rate("EUR", "USD", 9, "1.2", 2)])
)
def test_of_two_rates_from_one_moment_the_one_told_of_later_stands_then_the_larger(told: list[Rate]) -> None:
    assert rates(*told).micros(Decimal(1), "EUR", 9) == 1_300_000


@given(st.permutations([rate("EUR", "USD", 9, "1.1", 1), rate("USD", "EUR", 9, "0.5", 7)]))
def test_a_direct_rate_stands_before_an_inverse_one_from_the_same_moment(told: list[Rate]) -> None:
    assert rates(*told).micros(Decimal(1), "EUR", 9) == 1_100_000


def test_rates_of_other_currencies_are_kept_for_another_reporting_currency() -> None:
    known = rates(rate("EUR", "GBP", 0, "0.5"), rate("EUR", "USD", 0, "2"))
    assert Rates("GBP", known.told).micros(Decimal(3), "EUR", 5) == 1_500_000


def test_a_later_inverse_rate_replaces_an_earlier_direct_one() -> None:
    known = rates(rate("EUR", "USD", 9, "1.1"), rate("USD", "EUR", 10, "0.5"))
    assert known.micros(Decimal(1), "EUR", 10) == 2_000_000
    assert (known.next_after("EUR", 9), known.next_after("EUR", 10)) == (10, None)


@given(st.decimals(-(10**6), 10**6, places=9), st.decimals("0.000001", 1000, places=6))
def test_a_converted_amount_is_at_most_half_a_millionth_from_the_exact_one(value: Decimal, factor: Decimal) -> None:
    found = rates(Rate("EUR", "USD", 0, 0, factor)).micros(value, "EUR", 0)
    assert found is not None
    assert abs(found - Fraction(value) * Fraction(factor) * 10**6) <= Fraction(1, 2)
