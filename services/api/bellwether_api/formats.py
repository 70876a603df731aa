"""In which format an answer is given: the parameter `format`, else the header Accept, else JSON."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Header

JSON = "application/json"


Accept = Annotated[str | None, Header(include_in_schema=False)]
"""What the caller prefers; OpenAPI tells it by the contents of the answers."""


class CardFormat(StrEnum):
    """The formats of a scorecard."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    HTML = "html"


class TableFormat(StrEnum):
    """The formats of what is one table."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES: dict[str, str] = {
    "json": JSON,
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
}
_PARAMETERS = {"csv": "; charset=utf-8; header=present", "html": "; charset=utf-8"}
_SHOWN_BY_BROWSERS = frozenset({"html"})
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_MOST_RANGES = 20


def asked_format(asked: str | None, accept: str | None, offered: Collection[str]) -> str:
    """The format to answer in, one of `offered`.

    accept: as in RFC 9110. Of ranges that weigh alike the first stands; what is not offered and a
    mere wildcard mean JSON.
    """
    if asked is not None:
        return str(asked)
    by_type = {MEDIA_TYPES[name]: name for name in offered}
    wanted = [(weight, media) for media, weight in _ranges(accept or "") if weight > 0]
    best = max((weight for weight, _ in wanted), default=0.0)
    first = next((media for weight, media in wanted if weight == best and media in by_type), JSON)
    return by_type.get(first, "json")


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.lower().split(",")[:_MOST_RANGES]:
        media, *parameters = (piece.strip() for piece in part.split(";"))
        found.append((media, _weight(parameters)))
    return found


def _weight(parameters: Collection[str]) -> float:
    given = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    try:
        return float(given)
    except ValueError:
        return 0.0


def content_headers(chosen: str, *names: str) -> dict[str, str]:
    """The headers of an export: what it is, and a name to save it under, made of `names`."""
    if chosen == "json":
        return {"Vary": "Authorization, Accept"}
    stem = "_".join(_UNSAFE.sub("-", name).strip("-.") for name in names)
    shown = "inline" if chosen in _SHOWN_BY_BROWSERS else "attachment"
    return {
        "Content-Type": MEDIA_TYPES[chosen] + _PARAMETERS.get(chosen, ""),
        "Content-Disposition": f'{shown}; filename="{stem}.{chosen}"',
        "X-Content-Type-Options": "nosniff",
        "Vary": "Authorization, Accept",
    }


def told_formats(told: Mapping[int | str, Any], offered: Collection[str]) -> dict[int | str, Any]:
    """A good answer's `responses=` entry, with the other formats that it may come in."""
    others = {
        MEDIA_TYPES[name]: {"schema": {"type": "string", **({"format": "binary"} if name == "xlsx" else {})}}
        for name in offered
        if name != "json"
    }
    return {status: {**answer, "content": {**answer["content"], **others}} for status, answer in told.items()}
