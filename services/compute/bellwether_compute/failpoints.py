"""Points at which the fault tests kill the process, as a crash would: at once, with nothing flushed."""

from __future__ import annotations

import os
import signal

POINTS = ("after_poll", "after_fold", "before_commit", "after_commit", "in_revoke", "after_claim")


class Failpoint:
    """Kills the process the n-th time that a point is reached. `armed` is like before_commit:3."""

    def __init__(self, armed: str | None) -> None:
        point, _, times = (armed or "").partition(":")
        if armed and point not in POINTS:
            raise ValueError(f"no failpoint {point!r}; there are {', '.join(POINTS)}")
        self._point = point
        self._left = int(times or 1)

    def reach(self, point: str) -> None:
        """Die here if this is the armed point and its count has run out."""
        if point == self._point:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
