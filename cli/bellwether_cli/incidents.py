"""`bellwether incidents`: crises, and the steps of their lives, through the API."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from bellwether.domain.incidents import Reason, Severity
from bellwether_cli import incident_evidence, options, terminal
from bellwether_cli.api import ask, checked, get, open_api

app = typer.Typer(no_args_is_help=True, help="Crises of a brand. Steps need a key with the scope incidents:write.")

Brand = Annotated[str, typer.Argument(help="Slug of the brand.")]
Incident = Annotated[str, typer.Argument(help="Id of the crisis.")]
By = Annotated[str | None, typer.Option(help="Who does it. Default: the id of the key.")]
Note = Annotated[str | None, typer.Option(help="What is to be remembered.")]
HowSevere = Annotated[Severity | None, typer.Option(help="How severe it is.")]
Score = Annotated[float | None, typer.Option(min=0, max=10, help="The severity as a number.")]
_ACCEPTED = 202
_COLUMNS = ("id", "state", "since", "severity", "opened", "by", "cuts")
_STEP_COLUMNS = ("at", "step", "by", "led to", "note")


@app.command("list")
def show_all(
    brand: Brand,
    *,
    key: options.Key,
    state: Annotated[str | None, typer.Option(help="Only in these states, by commas.")] = None,
    since: Annotated[str | None, typer.Option(help="Only those opened at or after this moment, RFC 3339.")] = None,
    cut: Annotated[str | None, typer.Option(help="Only of one cut, as channel=x.")] = None,
    api: options.Api = options.API,
) -> None:
    """List crises, the latest first."""
    crises = terminal.run(_list(api, key, brand, state=state, since=since, cut=cut))
    terminal.table(_COLUMNS, [_row(crisis) for crisis in crises])


@app.command("show")
def show(brand: Brand, incident: Incident, *, key: options.Key, api: options.Api = options.API) -> None:
    """Show one crisis with all its steps, and what it was made of."""
    crisis = terminal.run(_read(api, key, _path(brand, incident)))
    _say(crisis)
    rows = [(step["at"], step["phase"], step["by"], step["state"], step["note"]) for step in crisis["steps"]]
    terminal.table(_STEP_COLUMNS, rows)
    incident_evidence.say(crisis["evidence"])


@app.command("open")
def begin(
    brand: Brand,
    channel: Annotated[str, typer.Argument(help="The network where it shows.")],
    *,
    key: options.Key,
    severity: Annotated[Severity, typer.Option(help="How severe it is.")] = "warning",
    score: Score = None,
    campaign: Annotated[str | None, typer.Option(help="The campaign that it is about.")] = None,
    onset: Annotated[str | None, typer.Option(help="When it is thought to have begun, RFC 3339.")] = None,
    by: By = None,
    note: Note = None,
    api: options.Api = options.API,
) -> None:
    """Open a crisis."""
    told = {"channel": channel, "severity": severity, "score": score, "campaign": campaign, "onset": onset}
    _post(api, key, f"/v1/brands/{brand}/incidents", **told, by=by, note=note)


@app.command("ack")
def acknowledge(
    brand: Brand,
    incident: Incident,
    *,
    key: options.Key,
    by: By = None,
    note: Note = None,
    api: options.Api = options.API,
) -> None:
    """Say that somebody takes care."""
    _post(api, key, _path(brand, incident, "acknowledge"), by=by, note=note)


@app.command("respond")
def respond(
    brand: Brand,
    incident: Incident,
    *,
    key: options.Key,
    by: By = None,
    note: Note = None,
    api: options.Api = options.API,
) -> None:
    """Say that the brand has responded."""
    _post(api, key, _path(brand, incident, "respond"), by=by, note=note)


@app.command("escalate")
def escalate(
    brand: Brand,
    incident: Incident,
    severity: Annotated[Severity, typer.Argument(help="How severe it is now.")],
    *,
    key: options.Key,
    score: Score = None,
    by: By = None,
    note: Note = None,
    api: options.Api = options.API,
) -> None:
    """Say that it is more severe."""
    _post(api, key, _path(brand, incident, "escalate"), severity=severity, score=score, by=by, note=note)


@app.command("stabilize")
def stabilize(
    brand: Brand,
    incident: Incident,
    *,
    key: options.Key,
    by: By = None,
    note: Note = None,
    api: options.Api = options.API,
) -> None:
    """Say that it grows no more."""
    _post(api, key, _path(brand, incident, "stabilize"), by=by, note=note)


@app.command("resolve")
def resolve(
    brand: Brand,
    incident: Incident,
    reason: Annotated[Reason, typer.Argument(help="real, benign (no harm), or false (there was nothing).")],
    *,
    key: options.Key,
    by: By = None,
    note: Note = None,
    api: options.Api = options.API,
) -> None:
    """Say that it is over, and why."""
    _post(api, key, _path(brand, incident, "resolve"), reason=reason, by=by, note=note)


@app.command("reopen")
def reopen(
    brand: Brand,
    incident: Incident,
    *,
    key: options.Key,
    severity: HowSevere = None,
    score: Score = None,
    by: By = None,
    note: Note = None,
    api: options.Api = options.API,
) -> None:
    """Say that it flares up again."""
    _post(api, key, _path(brand, incident, "reopen"), severity=severity, score=score, by=by, note=note)


@app.command("note")
def write_down(
    brand: Brand,
    incident: Incident,
    note: Annotated[str, typer.Argument(help="What is to be remembered.")],
    *,
    key: options.Key,
    by: By = None,
    api: options.Api = options.API,
) -> None:
    """Write something down."""
    _post(api, key, _path(brand, incident, "notes"), by=by, note=note)


@app.command("merge")
def merge(
    brand: Brand,
    incident: Incident,
    into: Annotated[str, typer.Argument(help="Id of the crisis that goes on.")],
    *,
    key: options.Key,
    by: By = None,
    note: Note = None,
    api: options.Api = options.API,
) -> None:
    """Say that it is a part of another one."""
    _post(api, key, _path(brand, incident, "merge"), into=into, by=by, note=note)


@app.command("split")
def split(
    brand: Brand,
    incident: Incident,
    *,
    key: options.Key,
    by: By = None,
    note: Note = None,
    api: options.Api = options.API,
) -> None:
    """Take a merged one out again; of one that goes on, open a part as a crisis of its own."""
    _post(api, key, _path(brand, incident, "split"), by=by, note=note)


def _path(brand: str, incident: str, action: str = "") -> str:
    path = f"/v1/brands/{brand}/incidents/{quote(incident, safe='')}"
    return f"{path}/{action}" if action else path


def _row(crisis: Mapping[str, Any]) -> tuple[object, ...]:
    named = ("id", "state", "since", "severity", "opened_at", "opened_by")
    return (*(crisis[name] for name in named), ", ".join(crisis["cuts"]))


def _say(crisis: Mapping[str, Any]) -> None:
    why = f" ({crisis['reason']})" if crisis["reason"] else ""
    into = f" into {crisis['merged_into']}" if crisis["merged_into"] else ""
    terminal.say(f"{crisis['id']}: {crisis['state']}{why}{into}; possible now: {', '.join(crisis['possible'])}")


async def _list(api: str, key: str, brand: str, **wanted: str | None) -> list[Mapping[str, Any]]:
    crises: list[Mapping[str, Any]] = []
    cursor: str | None = None
    async with open_api(api, key) as client:
        while True:
            page = await get(client, f"/v1/brands/{brand}/incidents", cursor=cursor, **wanted)
            crises += page["items"]
            cursor = page["next"]
            if cursor is None:
                return crises


async def _read(api: str, key: str, path: str) -> Mapping[str, Any]:
    async with open_api(api, key) as client:
        return await get(client, path)


def _post(api: str, key: str, path: str, **told: object) -> None:
    """Take a step, and say what came of it. Repeats while the API is away are the same step."""
    body = {name: value for name, value in told.items() if value is not None}
    status, answer = terminal.run(_send(api, key, path, body))
    if status == _ACCEPTED:
        terminal.say(f"{answer['incident']}: {answer['phase']} is in the log, and applied in a moment")
    else:
        _say(answer)


async def _send(api: str, key: str, path: str, body: Mapping[str, object]) -> tuple[int, Mapping[str, Any]]:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    async with open_api(api, key) as client:
        response = checked(await ask(client, "POST", path, body, headers=headers))
    answer: Mapping[str, Any] = response.json()
    return response.status_code, answer
