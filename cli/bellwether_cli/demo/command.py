"""`bellwether demo`: everything started, a stream of events, a scorecard."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bellwether_cli import terminal
from bellwether_cli.api import BrandSpec
from bellwether_cli.demo import acts, crisis, own_data, scorecard
from bellwether_cli.demo.household import Household, move_in
from bellwether_cli.demo.story import Brand
from bellwether_cli.replay.command import report
from bellwether_cli.replay.plan import Plan, choose
from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.ports import PortChoice
from bellwether_cli.stack.signals import run_until_signalled
from bellwether_cli.stack.system import System, running_system
from bellwether_cli.up import USUAL_PORTS, show_addresses


def demo(
    data: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Take this file instead of the invented stream."),
    ] = None,
    *,
    mapping: Annotated[
        str | None, typer.Option("--map", help="Mapping of the file, as for replay; default: guessed.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End after the scorecard and the crisis.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep the data here; without it all is gone at the end.")
    ] = None,
    days: Annotated[float, typer.Option(min=0.1, max=90, help="Days of invented past.")] = 22.0,
    rate: Annotated[float, typer.Option(min=0.1, max=100, help="Events a second of the live part.")] = 5.0,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 7,
) -> None:
    """Start everything, replay the past of three invented brands, show their scorecard and a crisis, and go on live.

    Ctrl-C stops everything.
    """
    story = acts.Story(seed, days, rate, datetime.now(UTC))
    own = None if data is None else own_data.read(Plan(data, choose(data, mapping)))
    run_until_signalled(_demo(story, own, data_dir, once=once))


async def _demo(story: acts.Story, own: own_data.OwnData | None, data_dir: Path | None, *, once: bool) -> None:
    ports = PortChoice(preferred=USUAL_PORTS)
    starting = terminal.err.status("starting")
    tell = starting.update if terminal.err.is_terminal else terminal.note
    starting.start()
    try:
        async with running_system(data_dir, durable=data_dir is not None, ports=ports, tell=tell) as system:
            starting.stop()
            act = _invented(system, story, once=once) if own is None else _real(system, own, once=once)
            await _unless_crashed(system, act)
    finally:
        starting.stop()


async def _invented(system: System, story: acts.Story, *, once: bool) -> None:
    brands = story.brands()
    home = await move_in(system, [brand_spec(brand) for brand in brands])
    rest = await acts.send_past(home, story.events(), story.began)
    terminal.out.print(scorecard.drawn(await acts.cards(home, brands)))
    await crisis.play(home, brands[-1], story.seed)
    _show_where(system, home)
    if not once:
        await acts.live(home, story, rest)


async def _real(system: System, own: own_data.OwnData, *, once: bool) -> None:
    home = await move_in(system, own.brands)
    report(await acts.send_all(home, own.rows, "sending the file"))
    await own_data.show(home, own)
    _show_where(system, home)
    if not once:
        await asyncio.Event().wait()


def brand_spec(brand: Brand) -> BrandSpec:
    """An invented brand as the API takes it."""
    return BrandSpec(brand.slug, brand.name, brand.time_zone, brand.currency, brand.competitors)


def _show_where(system: System, home: Household) -> None:
    terminal.say("")
    show_addresses(system)
    terminal.say(f"a key for all of it, as long as this runs: {home.key}")


async def _unless_crashed(system: System, act: Coroutine[Any, Any, None]) -> None:
    """Do the act; raises StackError when a part of the system dies meanwhile."""
    acting, crash = asyncio.create_task(act), asyncio.create_task(system.wait_crashed())
    try:
        await asyncio.wait((acting, crash), return_when=asyncio.FIRST_COMPLETED)
        if not acting.done():
            died = crash.result()
            raise StackError(died, "has died", system.stack.folder.log(died))
        await acting
    finally:
        for task in (acting, crash):
            task.cancel()
        await asyncio.gather(acting, crash, return_exceptions=True)
