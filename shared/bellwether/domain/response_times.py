"""Response times: what both clocks show for an answer, by the rules of a brand."""

from __future__ import annotations

from typing import NamedTuple

from bellwether.domain.business_hours import BusinessHours, ClosedAnswer

RESPONSE_TARGET_S = 3600
"""How soon an answer should come unless a brand says otherwise, in seconds of the business clock."""
THREAD_GAP_S = 7 * 86_400
"""After how many seconds a conversation starts anew unless a brand says otherwise: a week, which weekends and
holidays do not fill, and within which Messenger lets a person answer."""


class Clocks(NamedTuple):
    """What an answer took, in seconds.

    wall: None where it adds no response time: it answered a further message of one turn
    business: None where there is no wall, or where the brand leaves such answers out
    within_target: by the business clock; None where that shows nothing
    """

    wall: int | None = None
    business: int | None = None
    within_target: bool | None = None


class ResponseRules(NamedTuple):
    """By which rules a brand's response times are told; seconds.

    hours: None for a brand that is always open: both clocks are the same
    thread_gap_s: how much later than a message an answer may come that does not name it, and how far apart
        messages of one turn may be
    """

    hours: BusinessHours | None = None
    closed_answer: ClosedAnswer = ClosedAnswer.ZERO
    target_s: int = RESPONSE_TARGET_S
    thread_gap_s: int = THREAD_GAP_S

    def clocks(self, received: int, answered: int) -> Clocks:
        """Both clocks of an answer; moments in UTC seconds, the answer not before the message."""
        wall = answered - received
        business = self._business(received, answered)
        return Clocks(wall, business, None if business is None else business <= self.target_s)

    def _business(self, received: int, answered: int) -> int | None:
        if self.hours is None:
            return answered - received
        if not self.hours.are_in_one_closed_period(received, answered):
            return self.hours.seconds_between(received, answered)
        shown = {ClosedAnswer.ZERO: 0, ClosedAnswer.WALL: answered - received}
        return shown.get(self.closed_answer)

    def late_from(self, received: int) -> int | None:
        """The first second at which a message that still waits has waited longer than the target; None if never."""
        seconds = self.target_s + 1
        return received + seconds if self.hours is None else self.hours.moment_after(received, seconds)
