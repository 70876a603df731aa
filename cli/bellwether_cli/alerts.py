"""`bellwether alerts`: where alerts go, how they got there, and once more through, through the API."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from bellwether_cli import options, terminal
from bellwether_cli.api import ask, checked, get, open_api

app = typer.Typer(no_args_is_help=True, help="Alerts: endpoints, deliveries, dead letters. Keys need the scope admin.")

Endpoint = Annotated[str, typer.Argument(help="Id of the endpoint, as `alerts endpoints` shows it.")]
_PATH = "/v1/webhook-endpoints"
_ENDPOINT_COLUMNS = ("id", "name", "type", "address", "state", "last delivered (UTC)", "last failed (UTC)")
_MESSAGE_COLUMNS = ("message", "state", "attempts", "status", "error", "wanted (UTC)", "delivered (UTC)", "tells")


@app.command("endpoints")
def endpoints(*, key: options.Key, api: options.Api = options.API) -> None:
    """List where alerts can go, and whether they do."""
    found = terminal.run(_get(api, key, _PATH))["items"]
    terminal.table(_ENDPOINT_COLUMNS, [_endpoint(one) for one in found])


@app.command("deliveries")
def deliveries(
    endpoint: Endpoint,
    *,
    key: options.Key,
    state: Annotated[
        Literal["waiting", "delivered", "dead", "unneeded"] | None, typer.Option(help="Only messages in this state.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the latest first.")] = 50,
    api: options.Api = options.API,
) -> None:
    """List what was sent to an endpoint."""
    _show(api, key, endpoint, state, limit)


@app.command("dead")
def dead(
    endpoint: Endpoint,
    *,
    key: options.Key,
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the latest first.")] = 50,
    api: options.Api = options.API,
) -> None:
    """List what was given up."""
    _show(api, key, endpoint, "dead", limit)


@app.command("replay")
def replay(
    endpoint: Endpoint,
    message: Annotated[str | None, typer.Argument(help="Id of a message; all dead letters without it.")] = None,
    *,
    key: options.Key,
    api: options.Api = options.API,
) -> None:
    """Send a message, or all that were given up, once more; receivers know repeats by their ids."""
    place = f"{_PATH}/{endpoint}" + (f"/messages/{message}" if message else "")
    answer = terminal.run(_post(api, key, f"{place}/replay"))
    terminal.say(f"{answer.get('messages', 1)} replayed")


@app.command("test")
def send_test(endpoint: Endpoint, *, key: options.Key, api: options.Api = options.API) -> None:
    """Send a test to an endpoint, the way of all alerts; `alerts deliveries` shows how it went."""
    terminal.say(terminal.run(_post(api, key, f"{_PATH}/{endpoint}/test"))["alert"])


def _show(api: str, key: str, endpoint: str, state: str | None, limit: int) -> None:
    found = terminal.run(_messages(api, key, f"{_PATH}/{endpoint}/messages", state, limit))
    terminal.table(_MESSAGE_COLUMNS, [_message(one) for one in found], numbers=("attempts",))


def _endpoint(one: Mapping[str, Any]) -> tuple[object, ...]:
    state = f"disabled: {one['disabled_why']}" if one["disabled"] else "enabled"
    moments = _moment(one["delivered_at"]), _moment(one["failed_at"])
    return one["id"], one["name"], one["type"], one["shown"], state, *moments


def _message(one: Mapping[str, Any]) -> tuple[object, ...]:
    told = "; ".join(alert["title"] for alert in one["alerts"])
    how = one["state"], one["attempts"], one["status"], one["error"]
    return one["id"], *how, _moment(one["wanted_at"]), _moment(one["delivered_at"]), told


def _moment(text: str | None) -> str | None:
    return None if text is None else text[:19].replace("T", " ")


async def _get(api: str, key: str, path: str) -> Mapping[str, Any]:
    async with open_api(api, key) as client:
        return await get(client, path)


async def _messages(api: str, key: str, path: str, state: str | None, limit: int) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    cursor: str | None = None
    async with open_api(api, key) as client:
        while len(found) < limit:
            page = await get(client, path, state=state, cursor=cursor)
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
    return found[:limit]


async def _post(api: str, key: str, path: str) -> Mapping[str, Any]:
    async with open_api(api, key) as client:
        answer: Mapping[str, Any] = checked(await ask(client, "POST", path)).json()
    return answer
