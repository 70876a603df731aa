"""What is stored of detectors: their state, and the hours of the past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from bellwether.domain.detection import Counts, Live
from bellwether_compute.episodes import Episode


class Kept(msgspec.Struct, array_like=True):
    """What is stored of a detector.

    heard_at: of the total, when the intake took the latest text of the brand, UTC seconds
    episode: of the total, what the detectors of the brand see
    """

    live: Live
    heard_at: int = 0
    episode: Episode | None = None


class Moved(NamedTuple):
    """What a batch did to a detector.

    due_at: of the total, when something is due though nothing is heard, UTC seconds
    added: to the counts of hours, by their first second
    forget_before: hours before this one are not needed; None where nobody has looked
    """

    state: bytes
    due_at: int | None
    added: Mapping[int, Counts]
    forget_before: int | None
