"""`bellwether replay`: a file of past events into the intake."""

from datetime import UTC, datetime

import typer

from bellwether_cli import options, terminal
from bellwether_cli.api import BrandSpec, create_brand, open_api
from bellwether_cli.replay import arguments
from bellwether_cli.replay.mapping import moment
from bellwether_cli.replay.plan import Plan, brand_of, choose
from bellwether_cli.replay.progress import sending
from bellwether_cli.replay.rehearsal import rehearse
from bellwether_cli.replay.sender import Intake, Tally
from bellwether_cli.replay.template import RowError

_SHOWN = 20


def replay(
    file: arguments.File,
    *,
    mapping: arguments.Map = None,
    speed: arguments.Speed = None,
    rebase_to: arguments.RebaseTo = None,
    brand: arguments.Brand = None,
    ingest: options.Ingest = options.INGEST,
    key: options.Key = "",
    batch: arguments.BatchSize = 500,
    concurrency: arguments.Concurrency = 4,
    shuffle: arguments.Shuffle = None,
    limit: arguments.Limit = None,
    patience: arguments.Patience = 120.0,
    create_brands: arguments.CreateBrands = False,
    api: options.Api = options.API,
    admin_key: arguments.AdminKey = "",
    dry_run: arguments.DryRun = False,
) -> None:
    """Send a file of past events to the intake.

    Ids come from the file, so that a repeat adds nothing. Ends with 1 when a row was rejected.
    """
    if speed is not None and shuffle is not None:
        raise typer.BadParameter("--speed needs the order of time, --shuffle takes it away")
    plan = Plan(
        path=file,
        mapping=choose(file, mapping),
        brand=brand,
        rebase_to=_moment(rebase_to),
        shuffle=shuffle,
        in_time_order=speed is not None,
        limit=limit,
    )
    if dry_run:
        tally = rehearse(plan)
    elif not key:
        raise typer.BadParameter("an API key is needed: --key or BELLWETHER_KEY")
    else:
        if create_brands:
            terminal.run(_make_brands(plan, api, admin_key or key))
        intake = Intake(ingest, key, concurrency=concurrency, patience_s=patience)
        tally = terminal.run(sending(plan, intake, size=batch, speed=speed))
    report(tally, sent=not dry_run)
    if tally.rejected:
        raise typer.Exit(1)


def report(tally: Tally, *, sent: bool = True) -> None:
    """Print what became of the rows, and why some were rejected."""
    for rejection in tally.rejections[:_SHOWN]:
        where = f"row {rejection.row}" + (f" (id {rejection.id})" if rejection.id else "")
        terminal.fail(f"{where}: {rejection.reason}")
    if tally.rejected > _SHOWN:
        terminal.fail(f"… and {tally.rejected - _SHOWN} more")
    parts = [f"{tally.accepted} {'accepted' if sent else 'valid'}", f"{tally.rejected} rejected"]
    if tally.skipped:
        parts.append(f"{tally.skipped} skipped by the mapping")
    if tally.retries:
        parts.append(f"{tally.retries} requests repeated")
    terminal.say(", ".join(parts))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        found = now if text == "now" else moment(text, UTC)
    except RowError as error:
        raise typer.BadParameter(f"--rebase-to: {error}") from error
    if text == "now":
        terminal.note(f"the last event falls on {found.isoformat()}; to repeat this very run, name that time")
    return found


async def _make_brands(plan: Plan, api: str, key: str) -> None:
    names: dict[str, str] = {}
    for result in plan.results():
        if result.event is not None:
            slug = brand_of(result.event)
            names.setdefault(slug, plan.brand or result.brand_name or slug)
    async with open_api(api, key) as client:
        made = [slug for slug, name in names.items() if await create_brand(client, BrandSpec(slug, name))]
    terminal.note(f"{len(made)} brands created, {len(names) - len(made)} were there")
