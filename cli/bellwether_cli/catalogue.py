"""`bellwether catalogue`: a tenant's own measures, KPIs and roles."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer

from bellwether.domain.errors import Invalid
from bellwether.wire.definitions import read_document
from bellwether_cli import options, terminal
from bellwether_cli.api import ask, checked, open_api

app = typer.Typer(no_args_is_help=True, help="Own measures, KPIs and roles of the key's tenant.")

_PATH = "/v1/catalogue"
_INVALID = 422
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML or JSON, as docs/own-kpis.md describes.")]


@app.command("check")
def check(file: File) -> None:
    """Say what is wrong with a file, by line and column. Needs no service; what is kept already is not looked at."""
    _, problems = read_document(_text(file), datetime.now(UTC).date())
    _tell(file, ((problem.line, problem.column, problem.detail) for problem in problems))
    terminal.say(f"{file} is right")


@app.command("apply")
def apply(
    file: File,
    *,
    key: options.Key,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would come to.")] = False,
    api: options.Api = options.API,
) -> None:
    """Put a file in place of what is defined, all of it or nothing. The key needs the scope kpis:write."""
    made = terminal.run(_apply(api, key, file, dry_run=dry_run))
    _table(made)
    terminal.say(f"version {made['version']}" + ("" if made["stored"] else " would be made; nothing was changed"))


@app.command("show")
def show(
    key: options.Key,
    *,
    document: Annotated[
        bool, typer.Option("--document", help="The document as it was sent, and nothing else.")
    ] = False,
    api: options.Api = options.API,
) -> None:
    """List what is defined, with versions."""
    own = terminal.run(_read(api, key))
    if document:
        terminal.say(own["document"].rstrip("\n"))
        return
    _table(own)
    terminal.say(f"version {own['version']}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"{file} is not UTF-8") from None


def _tell(file: Path, problems: Iterable[tuple[int, int, str]]) -> None:
    """Print problems as compilers do, and end if there is one."""
    found = list(problems)
    for line, column, detail in found:
        terminal.say(f"{file}:{line}:{column}: {detail}")
    if found:
        raise typer.Exit(1)


def _table(own: dict[str, Any]) -> None:
    measures = [
        ("measure", one["key"], one["version"], one["title"], f"{one['fold']}, counted as {one['counted_as']}")
        for one in own["measures"]
    ]
    kpis = [("kpi", one["key"], *_latest(one["versions"], one["title"])) for one in own["kpis"]]
    roles = [("role", one["role"], None, one["title"], f"{len(one['kpis'])} KPIs") for one in own["roles"]]
    terminal.table(("what", "key", "version", "title", "how"), [*measures, *kpis, *roles])


def _latest(versions: list[dict[str, Any]], title: str) -> tuple[int, str, str]:
    last = versions[-1]
    return last["version"], title, f"{last['formula']} (from {last['valid_from']})"


async def _read(api: str, key: str) -> dict[str, Any]:
    async with open_api(api, key) as client:
        return _own(await ask(client, "GET", _PATH))


async def _apply(api: str, key: str, file: Path, *, dry_run: bool) -> dict[str, Any]:
    async with open_api(api, key) as client:
        now = checked(await ask(client, "GET", _PATH))
        query = {"check": "true"} if dry_run else None
        headers = {"Content-Type": "application/yaml", "If-Match": now.headers["etag"]}
        answer = await ask(client, "PUT", _PATH, content=_text(file).encode(), headers=headers, query=query)
    if answer.status_code == _INVALID:
        told = answer.json().get("errors", ())
        _tell(file, ((one["line"], one["column"], one["detail"]) for one in told if "line" in one))
    return _own(answer)


def _own(answer: httpx2.Response) -> dict[str, Any]:
    found: dict[str, Any] = checked(answer).json()
    return found
