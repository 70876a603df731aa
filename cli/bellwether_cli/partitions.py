"""`bellwether partitions`: where the log and PostgreSQL stand, and what to do about a partition that is halted."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.standing import Comparison, Standing, compare, go_on
from bellwether_cli import options, terminal

app = typer.Typer(no_args_is_help=True, help="Partitions of the log, and decisions about halted ones.")

_COLUMNS = ("partition", "next", "log begins", "log ends", "owner", "halts")
_NUMBERS = _COLUMNS[:4]

Topic = Annotated[str, typer.Option(help="Topic that compute reads.")]


@app.command("list")
def show(
    topic: Topic = options.EVENTS_TOPIC,
    kafka: options.Kafka = options.KAFKA,
    postgres: options.Postgres = options.POSTGRES,
) -> None:
    """List the partitions: what is applied next, what the log holds, and why compute halts one."""
    found = terminal.run(_compare(postgres, kafka, topic))
    rows = [(one.part, one.next_offset, one.begins, one.ends, one.owner, one.halts) for one in found.partitions]
    terminal.table(_COLUMNS, rows, numbers=_NUMBERS)


@app.command("accept")
def accept(
    parts: Annotated[list[int] | None, typer.Argument(help="Numbers of halted partitions.")] = None,
    *,
    all_halted: Annotated[bool, typer.Option("--all", help="All that are halted.")] = False,
    topic: Topic = options.EVENTS_TOPIC,
    kafka: options.Kafka = options.KAFKA,
    postgres: options.Postgres = options.POSTGRES,
) -> None:
    """Accept the log as it stands: compute reads the partitions from where the log begins, once it is started anew.

    Only for when the right log cannot be brought back. What was counted stays counted and is not counted twice; what
    was only in the lost log has to be sent again.
    """
    if all_halted == bool(parts):
        raise typer.BadParameter("name partitions, or say --all")
    decided = terminal.run(_accept(postgres, kafka, topic, parts or None))
    for one in decided:
        terminal.say(f"partition {one.part}: {one.halts}; {one.missing} records are gone; goes on at {one.begins}")
    if not decided:
        terminal.say("nothing is halted")


async def _compare(postgres: str, kafka: str, topic: str) -> Comparison:
    async with open_pool(postgres, max_size=1) as pool:
        return await compare(pool, kafka, topic)


async def _accept(postgres: str, kafka: str, topic: str, parts: Sequence[int] | None) -> list[Standing]:
    async with open_pool(postgres, max_size=1) as pool:
        if parts is None:
            found = await compare(pool, kafka, topic)
            parts = [one.part for one in found.partitions if one.halts]
        return await go_on(pool, kafka, topic, sorted(set(parts)))
