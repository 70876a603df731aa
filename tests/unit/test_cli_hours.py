"""Business hours on the command line."""

from __future__ import annotations

import pytest
import typer

from bellwether_cli.hours import read_holidays, read_week


def test_hours_of_several_weekdays_are_said_once() -> None:
    found = read_week(["mon-wed=09:00-12:00,13:00-17:00", "wed=20:00-22:00", "sun=00:00-24:00"])
    office = ["09:00-12:00", "13:00-17:00"]
    assert found == {"mon": office, "tue": office, "wed": [*office, "20:00-22:00"], "sun": ["00:00-24:00"]}


def test_who_says_nothing_is_open_around_the_clock() -> None:
    assert read_week([]) is None


def test_a_holiday_is_closed_unless_it_has_hours() -> None:
    assert read_holidays(["2026-12-25", "2026-12-24=10:00-12:00"]) == [
        {"date": "2026-12-25", "hours": []},
        {"date": "2026-12-24", "hours": ["10:00-12:00"]},
    ]


@pytest.mark.parametrize(
    "text", ["09:00-17:00", "fri-mon=09:00-17:00", "monday=09:00-17:00", "mon=9-17", "=09:00-10:00"]
)
def test_hours_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_week([text])


@pytest.mark.parametrize("text", ["2026-02-30", "christmas", "2026-12-24=10-12"])
def test_a_holiday_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_holidays([text])
