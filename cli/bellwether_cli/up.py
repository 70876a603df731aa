"""`bellwether up`: all of Bellwether on this machine, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from bellwether_cli import terminal
from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.ports import PortChoice
from bellwether_cli.stack.signals import run_until_signalled
from bellwether_cli.stack.stack import embedded_stack
from bellwether_cli.stack.system import System, running_system

# Where people look first. Somebody else's server there is no reason not to start: then any free port will do.
USUAL_PORTS = MappingProxyType({"kafka": 9092, "postgres": 5432, "ingest": 8081, "compute": 8082, "api": 8080})
_PORT_NUMBERS = range(1, 65_536)


async def up(data_dir: Path | None, ports: PortChoice, *, servers_only: bool = False) -> None:
    """Start, print the addresses, and stay until cancelled. Raises StackError when a part fails or dies."""
    if servers_only:
        async with embedded_stack(data_dir, ports=ports, tell=terminal.note) as stack:
            terminal.table(["part", "address"], [("Kafka", stack.kafka_bootstrap), ("PostgreSQL", stack.postgres_dsn)])
            died, folder = await stack.wait_crashed(), stack.folder
            raise StackError(died, "has died", folder.log(died))
    async with running_system(data_dir, ports=ports, tell=terminal.note) as system:
        show_addresses(system)
        died = await system.wait_crashed()
        raise StackError(died, "has died", system.stack.folder.log(died))


def show_addresses(system: System) -> None:
    """Print where everything is."""
    services, stack = system.services, system.stack
    rows = [
        ("API and its documentation", f"{services.api.url}/docs"),
        ("intake", f"{services.ingest.url}/v1/events"),
        ("metrics of the computation", f"{services.compute.url}/metrics"),
        ("Kafka", stack.kafka_bootstrap),
        ("PostgreSQL", stack.postgres_dsn),
        ("pepper of the API keys", stack.key_pepper),
        ("data and logs", str(stack.folder.path)),
    ]
    terminal.table(["part", "address"], rows)
    terminal.note("Ctrl-C stops everything")


def up_command(
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Keep the data here; without it all is gone at the end.")
    ] = None,
    ports: Annotated[
        list[str] | None,
        typer.Option("--port", help="NAME=NUMBER for kafka, postgres, ingest, compute or api; may be repeated."),
    ] = None,
    servers_only: Annotated[bool, typer.Option("--servers-only", help="Only Kafka and PostgreSQL.")] = False,
) -> None:
    """Start Kafka, PostgreSQL and Bellwether's services on this machine."""
    choice = PortChoice(required=_parsed(ports or []), preferred=USUAL_PORTS)
    run_until_signalled(up(data_dir, choice, servers_only=servers_only))


def _parsed(ports: list[str]) -> dict[str, int]:
    parsed = {}
    for text in ports:
        name, _, number = text.partition("=")
        if name not in USUAL_PORTS or not number.isdecimal() or int(number) not in _PORT_NUMBERS:
            raise typer.BadParameter(f"{text!r} is not NAME=NUMBER with one of {', '.join(USUAL_PORTS)}")
        parsed[name] = int(number)
    return parsed
