"""Whether the moments that an event names can be, seen from when it was taken in."""

from collections.abc import Callable
from datetime import datetime

from bellwether.wire.events.audience import AudienceSnapshot
from bellwether.wire.events.content import ContentMetrics
from bellwether.wire.events.decoding import Event, FieldError
from bellwether.wire.strict import EARLIEST, MAX_AHEAD, time_fault

_OBSERVED = frozenset({AudienceSnapshot, ContentMetrics})


def _observed_at(event: Event) -> datetime | None:
    found: datetime | None = getattr(event.data, "observed_at", None)
    return found


def misplaced(event: Event, received_at: datetime) -> FieldError | None:
    """The moment of an event that cannot be, and why: its time, or when its counts were observed; else None.

    received_at: when the intake took it, aware
    """
    if words := time_fault(event.time, received_at):
        return FieldError("/time", words)
    if type(event) in _OBSERVED and (words := time_fault(_observed_at(event), received_at)):
        return FieldError("/data/observed_at", words)
    return None


def surely_placed(received_at: datetime) -> Callable[[Event], bool]:
    """Tells of an event, at once, whether `misplaced` has nothing to say of it; where it says no, ask that.

    received_at: when the intake took it, aware
    """
    latest = received_at + MAX_AHEAD

    def is_placed(event: Event) -> bool:
        time = event.time
        return time is not None and EARLIEST <= time <= latest and type(event) not in _OBSERVED

    return is_placed
