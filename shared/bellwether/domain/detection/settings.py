"""What the crisis detector may be told; docs/detector.md says how each default was found."""

from __future__ import annotations

import msgspec

BIN_S = 300
"""Everything is counted in bins of five minutes, aligned to UTC."""

BINS_PER_HOUR = 12
BINS_PER_DAY = 288


class DetectorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a detector; the defaults are those that docs/detector.md publishes the score of.

    open_severity: an incident opens at this severity or above, 0 to 10
    close_severity: it stays open while a signal is at this severity or above; below open_severity
    quiet_hours: it closes when no signal was that high for so many hours
    grow_step: it is told again when its severity is higher by this than when it was last told
    span_minutes: volumes are judged as sums over this many minutes, in steps of five
    share_hours: the negative share is judged over so many hours
    share_least: and only where at least so many texts were scored in them
    share_rise: and only where it is above the usual share by at least this much, or half of what is left up to 1; the
        same has to hold in the span where negative volume is to count
    history_days: the past that tells what is usual
    warm_up_hours: hours with something heard in them that are needed before anything is judged;
        a brand known for all of history_days is judged however little was heard
    rare: the quantile of the past from which on a value is rare, 0.5 to 1
    least_excess: what a volume has to be above the usual to count as rare, at least
    least_growth: the same as a part of the usual: 2 means that what is rare is at least three times the usual
    least_deviations: the same for a share, in standard deviations of a binomial share
    gap_events: silence during which so many events were to be expected is a gap in collection
    renewal_hours: how long what is usual stands before it is computed anew
    """

    open_severity: float = 2.6
    close_severity: float = 1.5
    quiet_hours: int = 12
    grow_step: float = 2.0
    span_minutes: int = 45
    share_hours: int = 3
    share_least: int = 20
    share_rise: float = 0.1
    history_days: int = 14
    warm_up_hours: int = 24
    rare: float = 0.997
    least_excess: float = 10.0
    least_growth: float = 2.0
    least_deviations: float = 4.0
    gap_events: float = 20.0
    renewal_hours: int = 6

    def __post_init__(self) -> None:
        """Raises ValueError for bounds that contradict each other."""
        for holds, rule in (
            (0 < self.close_severity < self.open_severity <= MOST_SEVERE, "0 < close_severity < open_severity <= 10"),
            (self.span_minutes > 0 and self.span_minutes % (BIN_S // 60) == 0, "span_minutes is a multiple of 5"),
            (self.span_minutes <= self.share_hours * 60, "span_minutes is not longer than share_hours"),
            (min(self.quiet_hours, self.history_days, self.renewal_hours) > 0, "hours and days are above 0"),
            (min(self.grow_step, self.least_excess, self.least_deviations) > 0, "steps and floors are above 0"),
            (1 - self.rare < self.rare < 1, "rare is between 0.5 and 1"),
        ):
            if not holds:
                raise ValueError(f"settings of the crisis detector: {rule}")


MOST_SEVERE = 10.0
DEFAULTS = DetectorSettings()
