"""Reads the golden set of response times: messages in, expected clocks out. Its format: tests/golden/response_times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import yaml

FOLDER = Path(__file__).parents[1] / "golden" / "response_times"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNIT_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_MOMENT = re.compile(r"(\w{3}) (\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?) ([+-]\d\d:\d\d)")
_RULES = {"time_zone", "hours", "holidays", "closed_answer", "target", "gap"}
_EXPECTED = {"answered_by", "wall", "business", "within_target", "part_of", "waits", "waited", "late_from", "intervals"}


class Expected(NamedTuple):
    """What must be told of a message received; seconds, moments in UTC seconds.

    waited: by both clocks at the case's `as_of`
    late_from: the first whole minute that is later than the target
    intervals: kind and length of each stretch from reception to the answer, or to `as_of`
    """

    answered_by: str | None = None
    wall: int | None = None
    business: int | None = None
    within_target: bool | None = None
    part_of: str | None = None
    waits: bool = False
    waited: tuple[int, int] | None = None
    late_from: int | None = None
    intervals: tuple[tuple[str, int], ...] | None = None


class Message(NamedTuple):
    """A message: of whom, when (UTC seconds), and the body of its event."""

    is_received: bool
    at: int
    data: dict[str, Any]


class Case(NamedTuple):
    """A case; `settings` are those of a brand as POST /v1/brands takes them."""

    name: str
    settings: dict[str, Any]
    messages: tuple[Message, ...]
    expected: dict[str, Expected]
    as_of: int | None


def cases() -> list[Case]:
    """All cases, by file and in the order of the files."""
    return [case for file in sorted(FOLDER.glob("*.yaml")) for case in _cases_of(file)]


def seconds(text: str) -> int:
    """A length of time as `2d 3h`, `15m`, `0s`."""
    parts = [re.fullmatch(r"(\d+)([dhms])", part) for part in text.split()]
    assert parts, text
    assert all(parts), text
    return sum(int(part[1]) * _UNIT_S[part[2]] for part in parts if part)


def _cases_of(file: Path) -> list[Case]:
    told = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert told.keys() == {"about", "rules", "cases"}, file.name
    return [
        _case(f"{file.stem}: {case['case']}", {**told["rules"], **case.get("rules", {})}, case)
        for case in told["cases"]
    ]


def _case(name: str, rules: dict[str, Any], told: dict[str, Any]) -> Case:
    assert told.keys() <= {"case", "why", "rules", "messages", "expect", "as_of"}, name
    assert rules.keys() <= _RULES, name
    zone = ZoneInfo(rules["time_zone"])
    as_of = _moment(told["as_of"], zone) if "as_of" in told else None
    expected = {message_id: _expected(each, zone) for message_id, each in told["expect"].items()}
    messages = tuple(_message(each, zone) for each in told["messages"])
    assert expected.keys() == {m.data["message_id"] for m in messages if m.is_received}, name
    return Case(name, _settings(rules), messages, expected, as_of)


def _settings(rules: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"time_zone": rules["time_zone"]}
    if rules.get("hours") is not None:
        found["business_hours"] = _week(rules["hours"])
    if "holidays" in rules:
        found["holidays"] = [{"date": str(day), "hours": hours or []} for day, hours in rules["holidays"].items()]
    for name, setting in (("target", "response_target_s"), ("gap", "thread_gap_s")):
        if name in rules:
            found[setting] = seconds(rules[name])
    if "closed_answer" in rules:
        found["closed_answer_policy"] = rules["closed_answer"]
    return found


def _week(hours: dict[str, list[str]]) -> dict[str, list[str]]:
    """Hours by weekday, where `mon-fri` names several."""
    found = {}
    for days, stretches in hours.items():
        first, _, last = days.partition("-")
        for day in _WEEKDAYS[_WEEKDAYS.index(first) : _WEEKDAYS.index(last or first) + 1]:
            found[day] = stretches
    return found


def _moment(text: str, zone: ZoneInfo) -> int:
    """A local moment with its weekday and offset, which must be those of the zone."""
    found = _MOMENT.fullmatch(text)
    assert found, text
    moment = datetime.fromisoformat(f"{found[2]}T{found[3]}{found[4]}")
    assert moment.astimezone(zone).utcoffset() == moment.utcoffset(), f"{text}: another offset holds then"
    assert _WEEKDAYS[moment.weekday()] == found[1].lower(), f"{text}: another weekday"
    return int(moment.timestamp())


def _message(told: dict[str, Any], zone: ZoneInfo) -> Message:
    assert told.keys() <= {"id", "from", "at", "kind", "replies_to", "author", "agent", "labels"}, told
    data = {"message_id": told["id"], "conversation_id": "talk"}
    data |= {name: told[name] for name in ("kind", "agent", "labels") if name in told}
    if "replies_to" in told:
        data["in_reply_to"] = told["replies_to"]
    if "author" in told:
        data["author"] = {"id": told["author"]}
    assert told["from"] in ("customer", "brand"), told
    return Message(told["from"] == "customer", _moment(told["at"], zone), data)


def _expected(told: dict[str, Any], zone: ZoneInfo) -> Expected:
    assert told.keys() <= _EXPECTED, told
    found = Expected(
        told.get("answered_by"),
        seconds(told["wall"]) if "wall" in told else None,
        seconds(told["business"]) if "business" in told else None,
        told.get("within_target"),
        told.get("part_of"),
        told.get("waits", False),
    )
    if "waited" in told:
        found = found._replace(waited=(seconds(told["waited"]["wall"]), seconds(told["waited"]["business"])))
    if "late_from" in told:
        found = found._replace(late_from=_moment(told["late_from"], zone))
    if "intervals" in told:
        parts = (part.partition(" ") for part in told["intervals"])
        found = found._replace(intervals=tuple((kind, seconds(length)) for kind, _, length in parts))
    return found


def event_of(message: Message, brand: str, number: int, *, conversation: str = "talk") -> dict[str, Any]:
    """The event of a message."""
    moment = datetime.fromtimestamp(message.at, UTC)
    data = {"brand": brand, "channel": "email", **message.data, "conversation_id": conversation}
    return {
        "specversion": "1.0",
        "id": f"{conversation}-{number}",
        "source": "/golden",
        "type": f"social.message.{'received' if message.is_received else 'sent'}.v1",
        "time": moment.isoformat(),
        "data": data,
    }
