"""A crisis from its first mention to its end, as the API and a receiver of its alerts tell it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2

from bellwether_cli import terminal
from bellwether_cli.api import BrandSpec, ask, checked, get, open_api
from bellwether_cli.demo import talk
from bellwether_cli.demo.household import Household
from bellwether_cli.demo.postbox import Letter, Postbox, open_postbox
from bellwether_cli.demo.story import Brand, Cell
from bellwether_cli.replay.mapping import Mapped
from bellwether_cli.replay.sender import Intake, Tally

_A_SECOND = 12
_STORM_S = 8
_PATIENCE_S = 15.0
_TEAM: Sequence[tuple[str, str, Mapping[str, str]]] = (
    ("acknowledge", "acknowledged", {"by": "mira", "note": "On it"}),
    ("respond", "responded", {"by": "mira", "note": "We are sorry. Engineers are at the station"}),
    ("resolve", "resolved", {"by": "mira", "note": "The network is up again", "reason": "real"}),
)
"""What the team does: the action, the phase that it leads to, what is said of it."""
_KINDS = {"escalated": "grew"}
"""The names of phases that alerts tell by another one."""
_COLUMNS = ("step", "at", "by", "severity", "note", "webhook")


@dataclass(slots=True)
class _Play:
    """What is needed on the way. `sent`: when the intake had a second's mentions, when a step was asked for."""

    client: httpx2.AsyncClient
    box: Postbox
    brand: Brand
    sent: dict[tuple[str, int], float] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/v1/brands/{self.brand.slug}/incidents"

    def of(self, kind: str) -> Letter | None:
        """The first letter of a kind about the brand."""
        wanted = f"crisis.{kind}"
        letters = (one for one in self.box.letters if one.type == wanted and one.data["brand"] == self.brand.slug)
        return next(letters, None)


async def play(home: Household, brand: Brand, seed: int) -> None:
    """Let a brand's customers be angry; have it handled once an alert has come; print the life of the crisis."""
    terminal.say(f"\na crisis: the network of {brand.name} is down, and its customers say so")
    async with open_api(home.api, home.key) as client, open_postbox() as box, routed(client, box, brand.slug):
        now = _Play(client, box, brand)
        if not await _storm(now, home, seed):
            terminal.say("no alert came: a detector needs 24 hours with something heard before it judges")
            return
        await _handle(now)
        _print(now, await get(client, f"{now.path}/{_incident(now)}"))


@asynccontextmanager
async def routed(client: httpx2.AsyncClient, box: Postbox, brand: str) -> AsyncIterator[None]:
    """Have all alerts of a brand go to the postbox, until the block ends."""
    made = await _make(client, "/v1/webhook-endpoints", {"name": "The demo", "url": box.url})
    endpoint, box.secret = made["endpoint"]["id"], made["secret"]
    route = await _make(client, "/v1/alert-routes", {"name": "The demo", "brand": brand, "endpoints": [endpoint]})
    try:
        yield
    finally:
        for path in (f"/v1/alert-routes/{route['id']}", f"/v1/webhook-endpoints/{endpoint}"):
            await ask(client, "DELETE", path)


async def _make(client: httpx2.AsyncClient, path: str, body: object) -> Mapping[str, Any]:
    made: Mapping[str, Any] = checked(await ask(client, "POST", path, body)).json()
    return made


async def _storm(now: _Play, home: Household, seed: int) -> bool:
    """Send angry mentions, some each second; whether an alert comes of it."""
    began = datetime.now(UTC)
    cell = Cell(now.brand, "outage", began.replace(minute=0, second=0, microsecond=0), seed, 1.0, _source(began))
    async with Intake(home.ingest, home.key) as intake:
        for _ in range(_STORM_S):
            moment = datetime.now(UTC)
            rows = [Mapped(number, talk.outage(cell, moment)) for number in range(_A_SECOND)]
            await intake.send(rows, Tally())
            now.sent["", int(moment.timestamp())] = time.time()
            await asyncio.sleep(1.0 - time.time() % 1.0)
    return await now.box.until(lambda: now.of("opened") is not None, _PATIENCE_S)


def _source(began: datetime) -> str:
    return f"/demo/outage/{began:%Y%m%dT%H%M%S}"


def _incident(now: _Play) -> str:
    letter = now.of("opened")
    assert letter is not None  # noqa: S101 - the storm waited for it
    return str(letter.data["incident"])


async def _handle(now: _Play) -> None:
    """What the team does, each step through the API; goes on when its alert has arrived, too."""
    for action, phase, said in _TEAM:
        asked = time.time()
        checked(await ask(now.client, "POST", f"{now.path}/{_incident(now)}/{action}", said))
        now.sent[phase, 0] = asked
        await now.box.until(lambda phase=phase: now.of(phase) is not None, _PATIENCE_S)  # type: ignore[misc]


def _print(now: _Play, told: Mapping[str, Any]) -> None:
    rows = [_row(now, step) for step in told["steps"] if step["state"] is not None]
    terminal.table(_COLUMNS, rows)
    terminal.say(
        f"crisis {told['id']} of {now.brand.slug}: {told['state']}; begun {_clock(told['onset'])}, "
        f"peak {told['peak']:.1f} of 10, seen in {told['signal']} on {', '.join(told['cuts']) or 'all channels'}"
    )


def _row(now: _Play, step: Mapping[str, Any]) -> tuple[object, ...]:
    score = step["score"]
    severity = step["severity"] if score is None else f"{score:.1f} {step['severity'] or ''}"
    return step["phase"], _clock(step["at"]), step["by"], severity, step["note"], _arrival(now, step)


def _arrival(now: _Play, step: Mapping[str, Any]) -> str | None:
    """When the webhook about a step came, after the intake or the API had been told of it."""
    wanted = f"crisis.{_KINDS.get(step['phase'], step['phase'])}", moment(step["at"])
    letter = next((one for one in now.box.letters if (one.type, moment(one.timestamp)) == wanted), None)
    if letter is None:
        return None
    told = now.sent.get((step["phase"], 0)) or now.sent.get(("", moment(step["at"])))
    return ", ".join(
        [f"after {letter.at - told:.2f} s" if told else "came", "signed" if letter.signed else "NOT SIGNED"]
    )


def moment(text: str) -> int:
    """The UTC second of an RFC 3339 text."""
    return int(datetime.fromisoformat(text).timestamp())


def _clock(text: str | None) -> str | None:
    return text and text[:19].replace("T", " ")


async def show_found(client: httpx2.AsyncClient, brands: Sequence[BrandSpec]) -> None:
    """Print the crises that the API has of brands, in the order in which they opened."""
    found = [(brand.slug, crisis) for brand in brands for crisis in await _crises(client, brand.slug)]
    if not found:
        terminal.say("\nno crisis was found")
        return
    terminal.say("\ncrises that the detector found (their alerts: none for what was over a day old when it was told)")
    rows = [_found(slug, one) for slug, one in sorted(found, key=lambda pair: pair[1]["opened_at"])]
    terminal.table(("brand", "begun", "opened", "peak", "seen in", "state", "since"), rows, numbers=("peak",))


def _found(slug: str, one: Mapping[str, Any]) -> tuple[object, ...]:
    peak = None if one["peak"] is None else f"{one['peak']:.1f}"
    clocks = _clock(one["onset"]), _clock(one["opened_at"])
    return slug, *clocks, peak, one["signal"], one["state"], _clock(one["since"])


async def _crises(client: httpx2.AsyncClient, slug: str) -> list[Mapping[str, Any]]:
    crises: list[Mapping[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await get(client, f"/v1/brands/{slug}/incidents", cursor=cursor)
        crises += page["items"]
        cursor = page["next"]
        if cursor is None:
            return crises
