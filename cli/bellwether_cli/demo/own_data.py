"""The demo with a file of somebody's own: what it says of each brand at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2

from bellwether_cli import terminal
from bellwether_cli.api import BrandSpec, get, open_api
from bellwether_cli.demo import crisis
from bellwether_cli.demo.household import Household
from bellwether_cli.demo.scorecard import duration
from bellwether_cli.replay.mapping import Mapped, rfc3339
from bellwether_cli.replay.plan import Plan, brand_of, time_of
from bellwether_cli.replay.template import MappingError

_HOUR = timedelta(hours=1)
_WINDOWS = (("24h", 1), ("7d", 7), ("28d", 28), ("90d", 90))
_MOST_BRANDS = 20
_KEYS = "brand_mentions,community_sentiment,response_rate,message_response_time,message_response_time.answered"


@dataclass(frozen=True, slots=True)
class OwnData:
    """A mapped file: its rows, its brands, and the stretch of time that its events cover."""

    rows: Sequence[Mapped]
    brands: Sequence[BrandSpec]
    first: datetime
    last: datetime

    @property
    def as_of(self) -> datetime:
        """The first whole hour after the last event."""
        return self.last.replace(minute=0, second=0, microsecond=0) + _HOUR

    @property
    def window(self) -> str:
        """The shortest rolling window that covers the file, the calendar year if none does."""
        days = (self.as_of - self.first) / timedelta(days=1)
        return next((name for name, length in _WINDOWS if days <= length), "year")


def read(plan: Plan) -> OwnData:
    """Read and map a whole file. Raises MappingError where not one row of it becomes an event."""
    rows = [*plan.results()]
    names: dict[str, str] = {}
    times = []
    for row in rows:
        if row.event is not None:
            slug = brand_of(row.event)
            names.setdefault(slug, plan.brand or row.brand_name or slug)
            times.append(time_of(row.event))
    if not times:
        faults = [row.fault for row in rows if row.fault]
        raise MappingError(f"{plan.path.name}: no row became an event" + (f"; {faults[0]}" if faults else ""))
    return OwnData(rows, [BrandSpec(*item) for item in names.items()], min(times), max(times))


async def show(home: Household, data: OwnData) -> None:
    """Print per brand what the API says as of the end of the file, the most talked of brands first."""
    async with open_api(home.api, home.key) as client:
        figures = [(brand, await _figures(client, brand.slug, data)) for brand in data.brands]
    figures.sort(key=lambda pair: -(_of(pair[1], "brand_mentions").get("value") or _received(pair[1])))
    terminal.say(f"\nwindow {data.window} as of {rfc3339(data.as_of)}")
    headers = ("brand", "mentions", "negative", "neutral", "positive", "net sentiment",
               "messages", "answered", "median answer")  # fmt: skip
    rows = [(brand.slug, *_row(found)) for brand, found in figures[:_MOST_BRANDS]]
    terminal.table(headers, rows, numbers=headers[1:])
    if len(figures) > _MOST_BRANDS:
        terminal.say(f"… and {len(figures) - _MOST_BRANDS} more brands")
    async with open_api(home.api, home.key) as client:
        await crisis.show_found(client, data.brands)


async def _figures(client: httpx2.AsyncClient, slug: str, data: OwnData) -> Mapping[str, Any]:
    answer = await get(client, f"/v1/brands/{slug}/kpis", window=data.window, keys=_KEYS, as_of=rfc3339(data.as_of))
    kpis: Mapping[str, Any] = answer["cuts"][0]["kpis"]
    return {key: windows[data.window] for key, windows in kpis.items()}


def _of(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    figure: Mapping[str, Any] = found.get(key) or {}
    return figure


def _received(found: Mapping[str, Any]) -> int:
    return int(_of(found, "response_rate").get("denominator") or 0)


def _row(found: Mapping[str, Any]) -> tuple[object, ...]:
    parts = _of(found, "community_sentiment").get("parts") or {}
    net = _of(found, "community_sentiment").get("value")
    answered = _of(found, "message_response_time.answered").get("value")
    return (
        _whole(_of(found, "brand_mentions").get("value")),
        *(parts.get(name) for name in ("negative_n", "neutral_n", "positive_n")),
        None if net is None else f"{net:+.1f}",
        _received(found) or None,
        _whole(_of(found, "response_rate").get("numerator")) if _received(found) else None,
        None if answered is None else duration(answered),
    )


def _whole(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f}"
