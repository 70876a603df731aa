"""`bellwether backtest`: when the crisis detector would have fired with other settings, before they are armed."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import httpx2
import typer

from bellwether.domain.errors import Invalid
from bellwether_cli import options, terminal
from bellwether_cli.api import ask, checked, open_api

_LONGEST_S = 180.0
"""92 days take some seconds of a processor for each of the two settings."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FIRED = ("opens (UTC)", "onset", "closes", "signal", "severity", "told", "known crises")
_SUMS = ("", "fired", "a week", "of them unknown", "real caught", "false fired", "others caught", "judged weeks")
_KINDS: tuple[tuple[str | None, ...], ...] = (("real",), ("false", "benign"), (None,))
_WHY = {
    "nothing_stored": "nothing is stored of that time",
    "warm_up": "too little is stored before that time to know what is usual",
    None: "",
}


def backtest(
    brand: Annotated[str, typer.Argument(help="Slug of the brand.")],
    *,
    key: options.Key,
    start: Annotated[
        str, typer.Option("--from", help="What opened at or after it, RFC 3339, as 2026-10-01T00:00:00Z.")
    ],
    to: Annotated[str, typer.Option("--to", help="At most 92 days later, RFC 3339.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--rule", "--set", help="A setting to be tried, as open_severity=2.8; once for each."),
    ] = None,
    cut: Annotated[str | None, typer.Option(help="One channel, as channel=x. Default: the total.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer of the API as it is.")] = False,
    api: options.Api = options.API,
) -> None:
    """Tell when the crisis detector would have fired in the past, beside how it is armed. Changes nothing.

    Reads what the detector counted, which is kept for 92 days; moments are to five minutes. Settings: docs/detector.md.
    """
    asked = {"from": start, "to": to, "cut": cut, "settings": tried(settings or ())}
    found = terminal.run(_ask(api, key, brand, {name: value for name, value in asked.items() if value is not None}))
    if as_json:
        terminal.say(json.dumps(found, indent=2))
    else:
        _show(found)


def tried(words: Sequence[str]) -> dict[str, float]:
    """Settings by name, of words like `open_severity=2.8`. Raises Invalid."""
    found = dict[str, float]()
    for word in words:
        name, _, value = word.partition("=")
        try:
            found[name] = int(value) if value.isdecimal() else float(value)
        except ValueError:
            raise Invalid(f"{word}: a setting is NAME=NUMBER, as open_severity=2.8") from None
    return found


async def _ask(api: str, key: str, brand: str, asked: Mapping[str, object]) -> Mapping[str, Any]:
    async with open_api(api, key) as client:
        client.timeout = httpx2.Timeout(_LONGEST_S, connect=5.0)
        answer: Mapping[str, Any] = checked(await ask(client, "POST", f"/v1/brands/{brand}/backtests", asked)).json()
    return answer


def _show(found: Mapping[str, Any]) -> None:
    stored, shown = found["coverage"], found["cut"] or "total"
    terminal.say(f"{found['brand']}, {shown}, {_moment(found['from'])} to {_moment(found['to'])} UTC")
    terminal.say(
        f"something was heard in {stored['heard_hours']} of {stored['hours']} hours"
        + (f", longest silence {stored['longest_silence_hours']} h" if stored["longest_silence_hours"] else "")
    )
    terminal.table(_SUMS, [_sums(name, found[name]) for name in ("tried", "armed")], numbers=_SUMS[1:])
    for name in ("tried", "armed"):
        _show_outcome(name, found[name], found["time_zone"])


def _show_outcome(name: str, outcome: Mapping[str, Any], time_zone: str) -> None:
    terminal.say(f"\n{name}{_why(outcome)}")
    if not outcome["fired"]:
        terminal.say("nothing would have fired")
    else:
        terminal.table(_FIRED, [_fired(one) for one in outcome["fired"]], numbers=("severity", "told"))
        hours = (f"{hour:02}h {n}" for hour, n in enumerate(outcome["by_hour"]) if n)
        days = (f"{day} {n}" for day, n in zip(_DAYS, outcome["by_weekday"], strict=True) if n)
        terminal.say(f"hours of the day ({time_zone}): {', '.join(hours)}; weekdays: {', '.join(days)}")
    for one in outcome["caught"]:
        terminal.say(f"catches {one['incident']} ({one['reason'] or 'no reason'}) after {one['delay_s'] // 60} min")
    for one in outcome["missed"]:
        terminal.say(f"misses {one['incident']} ({one['reason'] or 'no reason'})")


def _why(outcome: Mapping[str, Any]) -> str:
    why = _WHY[outcome["reason"]]
    return f": {why}" if why else ""


def _sums(name: str, outcome: Mapping[str, Any]) -> tuple[object, ...]:
    rates = [None if outcome[key] is None else f"{outcome[key]:.2f}" for key in ("per_week", "unknown_per_week")]
    return name, len(outcome["fired"]), *rates, *(_of(outcome, kinds) for kinds in _KINDS), f"{outcome['weeks']:.1f}"


def _of(outcome: Mapping[str, Any], reasons: tuple[str | None, ...]) -> str:
    """How many of the known crises with these reasons were caught."""
    caught, missed = (sum(one["reason"] in reasons for one in outcome[name]) for name in ("caught", "missed"))
    return f"{caught} of {caught + missed}"


def _fired(one: Mapping[str, Any]) -> tuple[object, ...]:
    closed = None if one["closed_at"] is None else _moment(one["closed_at"])
    moments = _moment(one["opened_at"]), _moment(one["onset"]), closed
    return *moments, one["signal"], one["severity"], one["told"], ", ".join(one["incidents"]) or None


def _moment(text: str) -> str:
    return text[:16].replace("T", " ")
