"""Business hours as the command line takes them: `mon-fri=09:00-12:00,13:00-17:00`."""

from collections.abc import Iterable
from datetime import date

import typer

from bellwether.domain.business_hours import WEEKDAYS, parse_hours


def read_week(texts: Iterable[str]) -> dict[str, list[str]] | None:
    """Hours by weekday; None where nothing is said. Raises typer.BadParameter for what cannot be."""
    found: dict[str, list[str]] = {}
    for text in texts:
        days, _, hours = text.partition("=")
        for day in _days(days):
            found.setdefault(day, []).extend(_several(hours))
    return found or None


def read_holidays(texts: Iterable[str]) -> list[dict[str, object]]:
    """Dates as `2026-12-25`, or with hours of their own as `2026-12-24=10:00-12:00`. Raises typer.BadParameter."""
    return [_holiday(*text.partition("=")[::2]) for text in texts]


def _holiday(day: str, hours: str) -> dict[str, object]:
    try:
        date.fromisoformat(day)
    except ValueError:
        raise typer.BadParameter(f"{day!r} is no date, as 2026-12-25") from None
    return {"date": day, "hours": _several(hours)}


def _days(text: str) -> tuple[str, ...]:
    first, _, last = text.partition("-")
    named = (first, last or first)
    if not set(named) <= set(WEEKDAYS) or WEEKDAYS.index(named[0]) > WEEKDAYS.index(named[1]):
        raise typer.BadParameter(f"{text!r} is no weekday or stretch of them, as mon or mon-fri")
    return WEEKDAYS[WEEKDAYS.index(named[0]) : WEEKDAYS.index(named[1]) + 1]


def _several(text: str) -> list[str]:
    found = [part for part in text.split(",") if part]
    for part in found:
        try:
            parse_hours(part)
        except ValueError as error:
            raise typer.BadParameter(f"{part!r} {error}") from None
    return found
