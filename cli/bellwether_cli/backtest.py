"""`bellwether backtest`: when the crisis detector would have fired with other settings, before they are armed."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import httpx2
import typer

from bellwether.domain.detection.simple_rules import FORMS
from bellwether.domain.errors import Invalid
from bellwether_cli import options, terminal
from bellwether_cli.api import ask, checked, open_api

_LONGEST_S = 180.0
"""92 days take some seconds of a processor for each of the two settings, and one backtest waits for another."""
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
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rule",
            "--set",
            help="A setting of the detector to be tried, as open_severity=2.8, or another rule to be compared with it: "
            f"{FORMS}. The word detector stands for the settings in force, which are told anyway. Once for each.",
        ),
    ] = None,
    cut: Annotated[str | None, typer.Option(help="One channel, as channel=x. Default: the total.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer of the API as it is.")] = False,
    api: options.Api = options.API,
) -> None:
    """Tell when the crisis detector, or a simpler rule, would have fired in the past. Changes nothing.

    What is armed is told beside it. Reads what the detector counted, which is kept for 92 days; moments are to five
    minutes. Settings: docs/detector.md.
    """
    named, settings = divided(rules or ())
    asked = {"from": start, "to": to, "cut": cut, "settings": tried(settings), "rules": named}
    found = terminal.run(_ask(api, key, brand, {name: value for name, value in asked.items() if value is not None}))
    if as_json:
        terminal.say(json.dumps(found, indent=2))
    else:
        _show(found)


def divided(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The named rules among words, and the rest, which are settings; the detector in force is told anyway."""
    named = [word for word in words if ">" in word or word.partition(":")[0] == "zscore"]
    return named, [word for word in words if word not in named and word != "detector"]


def tried(words: Sequence[str]) -> dict[str, float]:
    """Settings by name, of words like `open_severity=2.8`. Raises Invalid."""
    found = dict[str, float]()
    for word in words:
        name, _, value = word.partition("=")
        try:
            found[name] = int(value) if value.isdecimal() else float(value)
        except ValueError:
            raise Invalid(f"{word}: a setting is NAME=NUMBER, as open_severity=2.8; other rules are {FORMS}") from None
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
    shown_by_name = _outcomes(found)
    terminal.table(_SUMS, [_sums(name, outcome) for name, outcome in shown_by_name], numbers=_SUMS[1:])
    for name, outcome in shown_by_name:
        _show_outcome(name, outcome, found["time_zone"])


def _outcomes(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What is to be shown, by name; settings that are the armed ones are shown once, beside other rules."""
    is_tried = not found["rules"] or found["tried"]["settings"] != found["armed"]["settings"]
    tried = [("tried", found["tried"])] if is_tried else []
    return [*tried, ("armed", found["armed"]), *((_rule_name(one["rule"]), one) for one in found["rules"])]


def _rule_name(rule: Mapping[str, Any]) -> str:
    if rule["kind"] == "zscore":
        return f"zscore z={rule['z']:g} days={rule['days']} quiet_hours={rule['quiet_hours']}"
    return f"{rule['signal']}>{rule['per_hour']}/h quiet_hours={rule['quiet_hours']}"


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
