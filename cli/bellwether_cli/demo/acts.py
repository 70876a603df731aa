"""What the demo does once everything runs: the invented past, the present, or a file of somebody's own."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.live import Live
from rich.progress import Progress, TaskID
from rich.text import Text

from bellwether_cli import terminal
from bellwether_cli.api import get, open_api
from bellwether_cli.demo import scorecard
from bellwether_cli.demo.counted import counted
from bellwether_cli.demo.household import Household
from bellwether_cli.demo.live import going_on, send_live
from bellwether_cli.demo.story import BRANDS, Brand, Event
from bellwether_cli.demo.stream import stream
from bellwether_cli.replay.mapping import Mapped, rfc3339
from bellwether_cli.replay.progress import bar
from bellwether_cli.replay.sender import Intake, Tally

ROLE = "social-media-manager"
_REFRESH_S = 5.0
_NOTE_EVERY_S = 30.0
_FUTURE = timedelta(days=365)
_WEEK_WORTH_SHOWING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Story:
    """What is told: from which seed, since when, and how dense the live part is."""

    seed: int
    days: float
    per_second: float
    began: datetime

    def brands(self) -> tuple[Brand, ...]:
        """The brands, one of them with a bad evening two days ago."""
        midnight = self.began.replace(hour=0, minute=0, second=0, microsecond=0)
        return (replace(BRANDS[0], crisis_at=midnight - timedelta(hours=30)), *BRANDS[1:])

    def events(self) -> Iterator[Event]:
        """Everything from the first day on, without end for practical purposes."""
        start = self.began - timedelta(days=self.days)
        return stream(self.seed, start.replace(minute=0, second=0, microsecond=0), self.began + _FUTURE, self.brands())


async def send_past(home: Household, events: Iterator[Event], now: datetime) -> Iterator[Event]:
    """Send what lies before `now`, wait until it is counted, and give the rest of the stream."""
    past: list[Mapped] = []
    rest = events
    border = now.isoformat()[:19]
    for event in events:
        if str(event["time"])[:19] >= border:
            rest = chain([event], events)
            break
        past.append(Mapped(len(past) + 1, event))
    await send_all(home, past, "sending the past")
    return rest


async def send_all(home: Household, rows: Sequence[Mapped], title: str) -> Tally:
    """Send rows and wait until compute has counted what was accepted, with a bar for each."""
    tally = Tally()
    if not terminal.err.is_terminal:
        terminal.note(f"{title}: {len(rows)} events")
    with bar() as drawn:
        sending = drawn.add_task(title, total=len(rows), rate=0.0)
        async with Intake(home.ingest, home.key) as intake:
            await intake.send(rows, tally, progress=lambda now: _move(drawn, sending, now.rows))
        counting = drawn.add_task("counting", total=tally.accepted, rate=0.0)
        await counted(home.compute, tally.accepted, progress=lambda done: _move(drawn, counting, done))
    return tally


def _move(drawn: Progress, task: TaskID, done: int) -> None:
    elapsed = drawn.tasks[task].elapsed or 0.0
    drawn.update(task, completed=done, rate=done / elapsed if elapsed else 0.0)


async def cards(home: Household, brands: Sequence[Brand]) -> list[scorecard.Card]:
    """The scorecard of each brand for its week, or for the last one while this has hardly begun.

    Asked for as of now, so that it is evaluated from all that is counted: what compute keeps may be some seconds older.
    """
    path, now = "/v1/brands/{}/scorecards/" + ROLE, rfc3339(datetime.now(UTC))
    async with open_api(home.api, home.key) as client:
        return [await get(client, path.format(b.slug), period=_week(b), as_of=now) for b in brands]


def _week(brand: Brand) -> str:
    local = datetime.now(ZoneInfo(brand.time_zone))
    year, week, _ = (local - _WEEK_WORTH_SHOWING).isocalendar()
    return f"{year}-W{week:02}"


async def live(home: Household, story: Story, rest: Iterator[Event]) -> None:
    """Send in real time and show the cards as they move, until cancelled."""
    tally = Tally()
    events = going_on(story.seed, rest, story.began, story.per_second)
    async with Intake(home.ingest, home.key) as intake, asyncio.TaskGroup() as group:
        group.create_task(send_live(intake, events, tally))
        group.create_task(_watch(home, story.brands(), tally) if terminal.out.is_terminal else _tell(tally))


async def _watch(home: Household, brands: Sequence[Brand], tally: Tally) -> None:
    with Live(console=terminal.out, auto_refresh=False) as screen:
        while True:
            status = Text(f"live: {tally.accepted:,} events so far. Ctrl-C stops everything.", style="dim")
            screen.update(Group(scorecard.drawn(await cards(home, brands)), status), refresh=True)
            await asyncio.sleep(_REFRESH_S)


async def _tell(tally: Tally) -> None:
    while True:
        await asyncio.sleep(_NOTE_EVERY_S)
        terminal.note(f"live: {tally.accepted} events so far")
