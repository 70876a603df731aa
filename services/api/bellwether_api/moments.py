"""Moments in the API are RFC 3339; inside they are whole seconds since 1970-01-01T00:00Z."""

import re
from datetime import UTC, datetime
from functools import lru_cache

# An unescaped + of a query string arrives as a blank: it can stand for nothing else there.
_SHAPE = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([-+ ])(\d\d:\d\d))", re.ASCII)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def parse_moment(text: str) -> int:
    """The first whole second at or after an RFC 3339 moment with an offset.

    Raises ValueError for anything else, and for moments outside 1970 to 2200.
    """
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise ValueError("must be RFC 3339 with an offset, as in 2026-10-01T12:00:00Z")
    day, time, fraction, zulu, sign, offset = found.groups()
    zone = "+00:00" if zulu else ("-" if sign == "-" else "+") + offset
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{zone}")
    except ValueError:
        raise ValueError("must be a moment that exists") from None
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("must lie between 1970 and 2200")
    return int(moment.timestamp()) + bool((fraction or "").strip("0"))


@lru_cache(maxsize=65_536)
def moment_at(seconds: int) -> datetime:
    """The moment as an aware datetime in UTC, which is written as RFC 3339 with Z."""
    return datetime.fromtimestamp(seconds, UTC)
