"""What was recorded up to the end of a local day."""

from __future__ import annotations

from typing import NamedTuple

from bellwether.domain.clock import LocalClock


class Knowledge(NamedTuple):
    """What was recorded up to the end of the local day `known_on` (days since 1970-01-01)."""

    clock: LocalClock
    known_on: int

    def holds(self, moment: int, known_on: int | None) -> bool:
        """Whether the rollups of a moment, as known then, hold what was recorded on this day."""
        return known_on is not None and known_on <= max(self.known_on, self.clock.day(moment))
