"""`bellwether drill`: a made crisis of a shadow brand, and how long the team takes. The brand itself is not touched."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import httpx2
import msgspec
import typer

from bellwether.domain.errors import BellwetherError
from bellwether_cli import options, terminal
from bellwether_cli.api import BrandSpec, ask, checked, create_brand, get, open_api
from bellwether_cli.demo.scorecard import duration
from bellwether_cli.replay.mapping import Mapped, rfc3339
from bellwether_cli.replay.sender import Intake, Tally

_CALM_HOURS = 36
_CALM_PER_HOUR = 4
_LULL = timedelta(minutes=30)
"""So long before the drill the calm ends."""
_ANGRY_PER_S = 12
_NOTICED_WITHIN_S = 60.0
_COUNTED_WITHIN_S = 60.0
_POLL_S = 0.5
_SETTLES_WITHIN_S = 3.0
_OVER = frozenset({"resolved", "merged"})
_NOT_COPIED = frozenset({"id", "version", "created_at", "updated_at"})
_STEPS = ("acknowledged", "responded", "resolved")
_FORBIDDEN = 403
_BEGINNINGS = frozenset({"opened", "reopened"})
_UNNOTICED = "no detector noticed anything; after some drills within twelve hours it has seen it all, and needs a rest"
_ANGER = "This is a drill: {brand} is down again and nobody answers. Terrible, I am furious!"


class DrillFailed(BellwetherError):
    """The drill did not come to its end; the message says why."""

    title = "The drill did not come to its end"


class _Drill(NamedTuple):
    """The shadow brand of a drill, and the ways to it."""

    client: httpx2.AsyncClient
    intake: Intake
    shadow: BrandSpec
    channel: str
    began: datetime

    @property
    def path(self) -> str:
        return f"/v1/brands/{self.shadow.slug}/incidents"


def drill(
    brand: Annotated[str, typer.Argument(help="Slug of the brand whose team is drilled.")],
    *,
    key: options.Key,
    channel: Annotated[str, typer.Option(help="The network where the crisis shows.")] = "x",
    timeout: Annotated[float, typer.Option(min=1, help="Minutes after which it ends, handled or not.")] = 60.0,
    api: options.Api = options.API,
    ingest: options.Ingest = options.INGEST,
) -> None:
    """Let a crisis happen to a shadow of a brand, and time how it is noticed and handled.

    The shadow is a brand of its own, BRAND-drill, with the same clock and, for so long, copies of the alert routes that
    are the brand's alone; no KPI of the brand moves. The team handles it like any crisis: by `bellwether incidents`,
    the API or events. When the time is over, or after Ctrl-C, the drill resolves it itself. Needs a key with the scope
    admin. Another drill within twelve hours flares the same crisis up, as often as it can grow.
    """
    terminal.run(_run(api, ingest, key, brand, channel, timeout * 60))


async def _run(api: str, ingest: str, key: str, brand: str, channel: str, timeout_s: float) -> None:
    async with open_api(api, key) as client, Intake(ingest, key) as intake:
        real = msgspec.convert(await get(client, f"/v1/brands/{brand}"), BrandSpec)
        shadow = msgspec.structs.replace(real, slug=f"{brand}-drill", name=f"Drill: {real.name}")
        await create_brand(client, shadow)
        now = _Drill(client, intake, shadow, channel, datetime.now(UTC))
        await _refuse_second(now)
        async with _same_routes(client, brand, shadow.slug):
            await _calm_down(now)
            began = datetime.now(UTC)
            try:
                await _follow(now, await _provoke(now, began), began, timeout_s)
            finally:
                await _end(now, began)


async def _refuse_second(now: _Drill) -> None:
    """Raises DrillFailed while the crisis of another drill goes on."""
    if (incident := await _live(now)) is not None:
        raise DrillFailed(f"the crisis {incident} of {now.shadow.slug} goes on: resolve it first")


@asynccontextmanager
async def _same_routes(client: httpx2.AsyncClient, brand: str, shadow: str) -> AsyncIterator[None]:
    """Have alerts of the shadow go where those of the brand go."""
    answer = await ask(client, "GET", "/v1/alert-routes")
    if answer.status_code == _FORBIDDEN:
        terminal.note("this key may not read alert routes: those of the brand alone are not used")
    routes = checked(answer).json()["items"] if answer.status_code != _FORBIDDEN else []
    made: list[str] = []
    try:
        for route in routes:
            if route["brand"] == brand:
                copy = {name: value for name, value in route.items() if name not in _NOT_COPIED}
                answer = await ask(client, "POST", "/v1/alert-routes", {**copy, "brand": shadow})
                made.append(checked(answer).json()["id"])
        yield
    finally:
        for route_id in made:
            await ask(client, "DELETE", f"/v1/alert-routes/{route_id}")


async def _calm_down(now: _Drill) -> None:
    """Give the shadow a day and a half of ordinary talk, which a detector needs before it judges."""
    rows = [Mapped(number, event) for number, event in enumerate(_calm(now))]
    tally = Tally()
    await now.intake.send(rows, tally)
    if tally.rejected:
        raise DrillFailed(f"the intake refused {tally.rejected} events: {tally.rejections[0].reason}")
    terminal.note(f"{now.shadow.slug}: {len(rows)} mentions of the last {_CALM_HOURS} hours; waiting until they count")
    async with _patience(_COUNTED_WITHIN_S, "the mentions before the crisis were not counted"):
        while True:
            if await _mentions(now) >= len(rows):
                return
            await asyncio.sleep(_POLL_S)


def _calm(now: _Drill) -> Iterator[dict[str, object]]:
    """Mentions with ids by their hour, so that those of drills on one day are the same."""
    end = now.began - _LULL
    first = (end - timedelta(hours=_CALM_HOURS)).replace(minute=0, second=0, microsecond=0)
    for number in range(_CALM_HOURS):
        hour = first + timedelta(hours=number)
        rng = random.Random(f"{now.shadow.slug} {hour:%Y%m%d%H}")  # noqa: S311 - talk, not a secret
        for part in range(_CALM_PER_HOUR):
            at = hour + timedelta(seconds=rng.randrange(3600))
            if at < end:
                yield _mention(now, f"calm-{hour:%Y%m%dT%H}-{part}", at, "This is a drill: an ordinary day.", 0.0)


def _mention(now: _Drill, name: str, at: datetime, text: str, sentiment: float) -> dict[str, object]:
    slug = now.shadow.slug
    data = {"brand": slug, "of": slug, "channel": now.channel, "text": text, "sentiment": sentiment}
    envelope = {"specversion": "1.0", "id": name, "source": "/drill", "type": "social.mention.v1"}
    return {**envelope, "time": rfc3339(at), "drill": "true", "data": data}


async def _mentions(now: _Drill) -> float:
    path, keys = f"/v1/brands/{now.shadow.slug}/kpis", "brand_mentions"
    cuts: Sequence[Mapping[str, Any]] = (await get(now.client, path, window="7d", keys=keys))["cuts"]
    return float(cuts[0]["kpis"][keys]["7d"]["value"] or 0) if cuts else 0.0


async def _provoke(now: _Drill, began: datetime) -> str:
    """Send angry mentions, some each second, until a detector opens a crisis; gives its id."""
    terminal.say(f"{_clock(began)}  the crisis of {now.shadow.slug} begins")
    anger = _ANGER.format(brand=now.shadow.name)
    async with _patience(_NOTICED_WITHIN_S, _UNNOTICED):
        while True:
            at = datetime.now(UTC)
            names = (f"anger-{at:%Y%m%dT%H%M%S%f}-{number}" for number in range(_ANGRY_PER_S))
            rows = [Mapped(number, _mention(now, name, at, anger, -0.9)) for number, name in enumerate(names)]
            await now.intake.send(rows, Tally())
            until = time.monotonic() + 1.0
            while time.monotonic() < until:
                if (found := await _live(now)) is not None:
                    return found
                await asyncio.sleep(_POLL_S / 2)


async def _live(now: _Drill) -> str | None:
    """The id of a crisis that goes on; none did when the drill began."""
    items = (await get(now.client, now.path))["items"]
    return next((one["id"] for one in items if one["state"] not in _OVER), None)


async def _follow(now: _Drill, incident: str, began: datetime, timeout_s: float) -> None:
    """Print each step as it is taken, until the crisis is over. Raises DrillFailed where the time is over before."""
    terminal.note(f"handle it as any crisis, as with: bellwether incidents ack {now.shadow.slug} {incident}")
    told, is_over = 0, False
    async with _patience(timeout_s, f"nobody resolved {incident} within {duration(timeout_s)}"):
        while not is_over:
            crisis = await get(now.client, f"{now.path}/{incident}")
            steps = _since(crisis, began)
            for step in steps[told:]:
                _say(step, steps[0])
            told, is_over = len(steps), crisis["state"] in _OVER
            await asyncio.sleep(0.0 if is_over else _POLL_S)


async def _end(now: _Drill, began: datetime) -> None:
    """Resolve what still goes on, also by mentions that are on their way, and print how long each step took."""
    told = {"reason": "benign", "by": "bellwether drill", "note": "The drill is over"}
    over_by = time.monotonic() + _SETTLES_WITHIN_S
    while time.monotonic() < over_by:
        if (incident := await _live(now)) is not None:
            await ask(now.client, "POST", f"{now.path}/{incident}/resolve", told)
            over_by = time.monotonic() + _SETTLES_WITHIN_S
        await asyncio.sleep(_POLL_S)
    items = (await get(now.client, now.path))["items"]
    if items:
        last = max(items, key=lambda one: str(one["since"]))
        _sum_up(await get(now.client, f"{now.path}/{last['id']}"), began)


def _since(crisis: Mapping[str, Any], began: datetime) -> list[Mapping[str, Any]]:
    """The steps of a crisis from its last beginning on, in a drill that began at a moment."""
    steps: list[Mapping[str, Any]] = [
        step for step in crisis["steps"] if _at(step) >= began.replace(microsecond=0) and step["state"] is not None
    ]
    first = next((n for n, step in enumerate(steps) if step["phase"] in _BEGINNINGS), 0)
    return steps[first:]


def _at(step: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(step["at"])


def _say(step: Mapping[str, Any], first: Mapping[str, Any]) -> None:
    at = _at(step)
    terminal.say(f"{_clock(at)}  {step['phase']} by {step['by']}, {_between(_at(first), at)} after the opening")


def _sum_up(crisis: Mapping[str, Any], began: datetime) -> None:
    steps = _since(crisis, began)
    opened = _at(steps[0]) if steps else began
    rows: list[tuple[object, ...]] = [("noticed", _clock(opened), _between(began, opened), "first angry mention")]
    for phase in _STEPS:
        at = next((_at(step) for step in steps if step["phase"] == phase), None)
        rows.append((phase, at and _clock(at), at and _between(opened, at), "opening"))
    terminal.table(("step", "at (UTC)", "after", "the"), rows)


def _between(start: datetime, end: datetime) -> str:
    return duration(max(0.0, (end - start).total_seconds()))


@asynccontextmanager
async def _patience(seconds: float, words: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DrillFailed(words) from None


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S}"
