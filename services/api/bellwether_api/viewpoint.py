"""The moment an answer is read at, and what was known by then."""

from typing import NamedTuple

from bellwether.adapters.postgres.rollups import EVER
from bellwether.domain.clock import LocalClock
from bellwether.domain.errors import Fault, Invalid

_AHEAD_S = 60
_ANY_TIME = 2**62


class Viewpoint(NamedTuple):
    """Read at `as_of`, with what was recorded up to the local day `known_on` ends (at `known_before`).

    Both moments are UTC seconds, the day is days since 1970-01-01.
    """

    as_of: int
    known_on: int = EVER
    known_before: int = _ANY_TIME


def viewpoint(as_of: int | None, known_at: int | None, clock: LocalClock, now: int) -> Viewpoint:
    """The viewpoint of a request; what is not given is now and everything.

    Raises Invalid for a moment ahead of time, and for one that nobody could know yet.
    """
    for name, moment in (("as_of", as_of), ("known_at", known_at)):
        if moment is not None and moment > now + _AHEAD_S:
            raise _invalid(name, "must not lie in the future")
    if known_at is None:
        return Viewpoint(now if as_of is None else min(as_of, now))
    day = clock.day(known_at)
    known_before = clock.day_start(day + 1)
    read_at = min(known_at if as_of is None else as_of, now)
    if read_at > known_before:
        raise _invalid("as_of", "must not lie after the local day of known_at")
    return Viewpoint(read_at, day, known_before)


def _invalid(name: str, detail: str) -> Invalid:
    return Invalid("Some values are not valid.", faults=(Fault(f"/{name}", detail),))
