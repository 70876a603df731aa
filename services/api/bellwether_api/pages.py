"""A scorecard as one printable page: no script, nothing loaded from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from hashlib import sha256
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bellwether.catalogue.kpi import Unit
from bellwether_api.card_shapes import ScorecardArea, ScorecardCut, ScorecardOut, Trend

_STYLE = (files("bellwether_api") / "templates" / "scorecard.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()

PAGE_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""What a browser may do with a page: show it with its own style, and nothing else."""

_NOTHING = "–"
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def card_page(card: ScorecardOut) -> bytes:
    """The card as an HTML page, with moments in the brand's local time."""
    page = _ENVIRONMENT.get_template("scorecard.html").render(
        card=card,
        style=Markup(_STYLE),  # noqa: S704 - our own file
        local=_local(card.time_zone),
        amount=lambda value, unit: amount(value, unit, card.currency),
    )
    return page.encode()


def _local(time_zone: str) -> Callable[[datetime], str]:
    zone = ZoneInfo(time_zone)
    return lambda moment: moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def number(value: float) -> str:
    """A number with two decimals at most: 1,234.5."""
    told = f"{value:,.2f}".rstrip("0").rstrip(".")
    return "0" if told == "-0" else told


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(value)}"


def duration(seconds: float) -> str:
    """Seconds in their two largest units: 1 h 20 min."""
    left = round(abs(seconds))
    told: list[str] = []
    for length, name in _STEPS:
        count, left = divmod(left, length)
        if count or told:
            told.append(f"{count} {name}")
    return ("−" if seconds < 0 else "") + (" ".join(told[:2]) or "0 s")


def amount(value: float | None, unit: Unit, currency: str) -> str:
    """A value in its unit."""
    if value is None:
        return _NOTHING
    if unit is Unit.SECONDS:
        return duration(value)
    return _AFFIX.get(unit.value, "{}").format(number(value), currency)


_AFFIX = {"percent": "{} %", "money": "{} {}", "ratio": "{} ×", "points": "{} points"}


def _words(name: Enum) -> str:
    return str(name.value).replace("_", " ")


def _direction(trend: Trend) -> str:
    return {True: "better", False: "worse", None: ""}[trend.improved]


def _score(scored: ScorecardArea | ScorecardCut) -> str:
    if scored.score is None:
        return "not scored"
    return f"{number(scored.score)} of 100, rating {scored.rating} of 5"


_ENVIRONMENT = Environment(
    loader=PackageLoader("bellwether_api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_ENVIRONMENT.filters |= {
    "number": number,
    "signed": _signed,
    "words": _words,
    "direction": _direction,
    "score": _score,
}
