"""`bellwether targets`: what KPIs are to be, through the API."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bellwether_cli import options, terminal
from bellwether_cli.api import ask, checked, get, open_api

app = typer.Typer(no_args_is_help=True, help="Targets of a brand.")

Brand = Annotated[str, typer.Argument(help="Slug of the brand.")]
Name = Annotated[str, typer.Argument(help="Id of the target: lower-case letters, digits and hyphens.")]
_COLUMNS = ("id", "target", "value", "attained", "status", "projected")
_NUMBERS = ("value", "attained", "projected")


@app.command("list")
def show(
    brand: Brand,
    *,
    key: options.Key,
    as_of: Annotated[str | None, typer.Option(help="Moment to read at, RFC 3339. Default: now.")] = None,
    api: options.Api = options.API,
) -> None:
    """List the targets of a brand and how they stand."""
    targets = terminal.run(_list(api, key, brand, as_of))
    terminal.table(_COLUMNS, [_row(target) for target in targets], numbers=_NUMBERS)


@app.command("set")
def put(
    brand: Brand,
    name: Name,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON, as docs/targets.md describes.")],
    *,
    key: options.Key,
    api: options.Api = options.API,
) -> None:
    """Set a target, and say whether it is SMART. The key needs the scope targets:write."""
    target = terminal.run(_put(api, key, _path(brand, name), file.read_bytes()))
    terminal.say(f"{name}: {target['kpi']} {target['words']}, version {target['version']}")
    rows = [(check["criterion"].replace("_", "-"), check["finding"], check["words"]) for check in target["smart"]]
    terminal.table(("criterion", "finding", "why"), rows)


@app.command("delete")
def delete(brand: Brand, name: Name, *, key: options.Key, api: options.Api = options.API) -> None:
    """Delete a target; its versions stay. The key needs the scope targets:write."""
    terminal.run(_delete(api, key, _path(brand, name)))
    terminal.say(f"{name} is deleted")


def _path(brand: str, name: str) -> str:
    return f"/v1/brands/{brand}/targets/{name}"


def _row(target: Mapping[str, Any]) -> tuple[object, ...]:
    progress = target["progress"]
    figure, projection = progress["figure"], progress["projection"]
    return (
        target["id"],
        f"{target['kpi']} {target['words']}",
        _number(figure and figure["value"]),
        _number(progress["attainment"], " %"),
        progress["status"],
        _number(projection and projection["value"]),
    )


def _number(value: float | None, unit: str = "") -> str | None:
    return None if value is None else f"{value:,.6g}{unit}"


async def _list(api: str, key: str, brand: str, as_of: str | None) -> list[Mapping[str, Any]]:
    targets: list[Mapping[str, Any]] = []
    cursor: str | None = None
    async with open_api(api, key) as client:
        while True:
            page = await get(client, f"/v1/brands/{brand}/targets", cursor=cursor, as_of=as_of)
            targets += page["items"]
            cursor = page["next"]
            if cursor is None:
                return targets


async def _put(api: str, key: str, path: str, body: bytes) -> Mapping[str, Any]:
    headers = {"Content-Type": "application/json"}
    async with open_api(api, key) as client:
        target: Mapping[str, Any] = checked(await ask(client, "PUT", path, content=body, headers=headers)).json()
    return target


async def _delete(api: str, key: str, path: str) -> None:
    async with open_api(api, key) as client:
        checked(await ask(client, "DELETE", path))
