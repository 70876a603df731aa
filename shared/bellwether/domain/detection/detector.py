"""The detector of one (brand, cut), fed event by event."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection.baseline import Baseline, Interval, baseline, local_hour
from bellwether.domain.detection.history import COLUMNS, History
from bellwether.domain.detection.judging import NEVER, Judge, Seen, seen_in
from bellwether.domain.detection.settings import (
    BIN_S,
    BINS_PER_DAY,
    BINS_PER_HOUR,
    DEFAULTS,
    MOST_SEVERE,
    DetectorSettings,
)
from bellwether.domain.detection.state import Change, ChangeKind, Live, OpenIncident, Reading

_NOTHING: tuple[Change, ...] = ()
_LONGEST_EXCEPTION_S = DAY_S
"""What goes on for longer than this after its onset is no exception any more: it begins to count as usual."""


class Detector:
    """Watches the events of one (brand, cut) and tells when an incident opens, grows and closes.

    What it tells depends on the order of the events alone: not on batches, nor on the wall clock,
    nor on how often it is saved and restored between two of them.

    live: the state after the last event; it is taken over and changed
    history: the hours of the past; has to be loaded where an event may be at `renews_at` or later
    time_zone: of the brand, an IANA name; raises zoneinfo.ZoneInfoNotFoundError for another one
    campaigns: when more volume than usual is expected
    """

    def __init__(
        self,
        live: Live,
        history: History,
        settings: DetectorSettings = DEFAULTS,
        time_zone: str = "UTC",
        campaigns: Sequence[Interval] = (),
    ) -> None:
        self._live = live
        self._history = history
        self._settings = settings
        self._zone = ZoneInfo(time_zone)
        self._campaigns = campaigns
        self._span = settings.span_minutes * 60 // BIN_S
        self._bins = settings.share_hours * BINS_PER_HOUR
        self._counts = live.counts or [0] * (self._bins * COLUMNS)
        self._clock = live.clock
        self._start = live.clock - live.clock % BIN_S
        self._end = self._start + BIN_S if live.clock else 0
        self._judge: Judge | None = None
        self._enter()

    @property
    def renews_at(self) -> int:
        """The first event at or after this moment makes the detector read its history."""
        return self._live.renews_at

    @property
    def is_judging(self) -> bool:
        """Whether enough of the past is known; while it is not, nothing opens."""
        return self._judge is not None

    @property
    def closes_at(self) -> int | None:
        """When the open incident closes if nothing more is heard; None while none is open."""
        incident = self._live.incident
        return None if incident is None else incident.high_until + self._settings.quiet_hours * HOUR_S

    def observe(self, at: int, negative: bool | None = None, count: int = 1) -> tuple[Change, ...]:
        """Count events that happened at `at`, UTC seconds, and tell what they changed, in order.

        negative: whether the sentiment is negative; None where it was not scored

        Late events count in the bin in which they happened, and are judged where that is still in
        the window. Those from before the history are left out.
        """
        if not self._start <= at < self._end:
            return self._late(at, negative, count) if at < self._start else self._later(at, negative, count)
        if at > self._clock:  # noqa: PLR1730 - the hottest line there is: a call of max() costs more than the rest
            self._clock = at
        self._volume += count
        if negative is not None:
            self._scored += count
            if negative:
                self._negative += count
                if self._negative >= self._aim_negative:
                    return self._look()
        return self._look() if self._volume >= self._aim_volume else _NOTHING

    def advance(self, to: int) -> tuple[Change, ...]:
        """Tell of the closing that is due by `to`, UTC seconds, though nothing was heard since."""
        incident, closes_at = self._live.incident, self.closes_at
        if incident is None or closes_at is None or to < closes_at:
            return _NOTHING
        self._note_peak()
        self._live.incident = None
        self._live.incidents = [*self._live.incidents, (incident.onset, incident.high_until)]
        self._aim()
        return (_told(ChangeKind.CLOSED, closes_at, incident, incident.peak, incident.reading),)

    def save(self) -> Live:
        """The state after the last event, to be stored together with `History.take_added`."""
        self._settle()
        self._live.clock, self._live.counts = self._clock, list(self._counts)
        return self._live

    def _later(self, at: int, negative: bool | None, count: int) -> tuple[Change, ...]:
        """Leave the bin for the one that holds `at`, and count there."""
        self._settle()
        self._note_peak()
        closed = self.advance(at)
        start = at - at % BIN_S
        empty = (start - self._start) // BIN_S - 1 if self._clock else 0
        if self._is_gap(empty):
            self._live.muted_until = start + 2 * self._settings.span_minutes * 60
        self._shift(empty + 1)
        self._clock, self._start, self._end = at, start, start + BIN_S
        if start >= self._live.renews_at:
            self._renew()
        self._enter()
        return (*closed, *self.observe(at, negative, count))

    def _late(self, at: int, negative: bool | None, count: int) -> tuple[Change, ...]:
        """Count in a bin of the past, and look again if that is in a window."""
        if at < self._start - self._settings.history_days * DAY_S:
            return _NOTHING
        scored = 0 if negative is None else count
        amounts = (count, scored, scored if negative else 0)
        self._history.add(at // BIN_S, amounts)
        place = (self._bins - 1 - (self._start // BIN_S - at // BIN_S)) * COLUMNS
        if place < 0:
            return _NOTHING
        self._settle()
        for column, amount in enumerate(amounts, place):
            self._counts[column] += amount
        self._look_back()
        return self._look()

    def _settle(self) -> None:
        """Write what the last bin holds to the counts and to the history."""
        now = [self._volume, self._scored, self._negative]
        more = [new - old for new, old in zip(now, self._counts[-COLUMNS:], strict=True)]
        if more[0]:
            self._counts[-COLUMNS:] = now
            self._history.add(self._start // BIN_S, more)

    def _shift(self, bins: int) -> None:
        """Let so many bins go, and begin as many empty ones."""
        kept = self._counts[bins * COLUMNS :]
        self._counts = kept + [0] * (self._bins * COLUMNS - len(kept))

    def _is_gap(self, empty: int) -> bool:
        """Whether so many empty bins after the last one are too long a silence to be true."""
        usual = self._live.baseline
        if usual is None or not empty:
            return False
        bins = range(self._end, self._end + min(empty, BINS_PER_DAY) * BIN_S, BIN_S)
        per_bin = usual.volume.level / self._span / 100
        expected = sum(per_bin * usual.profile[local_hour(start, self._zone)] for start in bins)
        return expected >= self._settings.gap_events

    def _renew(self) -> None:
        """Compute anew what is usual."""
        live, settings = self._live, self._settings
        begin = self._start - settings.history_days * DAY_S
        live.incidents = [one for one in live.incidents if one[1] > begin]
        known = list(live.incidents)
        if live.incident is not None:
            known.append((live.incident.onset, self._start))
        exceptional = [(onset, min(end, onset + _LONGEST_EXCEPTION_S)) for onset, end in known]
        live.baseline = baseline(self._history, self._start, settings, self._zone, self._campaigns, exceptional)
        hours = 1 if live.baseline is None else settings.renewal_hours
        live.renews_at = self._start + hours * HOUR_S
        self._history.forget(begin - HOUR_S)

    def _enter(self) -> None:
        """Begin with the bin of the clock."""
        self._volume, self._scored, self._negative = self._counts[-COLUMNS:]
        usual = self._live.baseline
        self._judge = None if usual is None else self._judging(usual)
        self._look_back()

    def _judging(self, usual: Baseline) -> Judge:
        first = self._end - self._span * BIN_S
        return Judge(
            usual,
            self._settings,
            local_hour(self._start, self._zone),
            campaign=any(start < self._end and end > first for start, end in self._campaigns),
            muted=self._start < self._live.muted_until,
        )

    def _look_back(self) -> None:
        """Sum up the bins of the windows without the last one."""
        self._before = seen_in([*self._counts[:-COLUMNS], 0, 0, 0], self._span)
        self._aim()

    def _seen(self) -> Seen:
        before, volume, scored, negative = self._before, self._volume, self._scored, self._negative
        return Seen(
            before.volume + volume,
            before.scored + scored,
            before.negative + negative,
            before.share_scored + scored,
            before.share_negative + negative,
        )

    def _aim(self) -> None:
        """Find the counts of this bin below which there is nothing to do."""
        self._aim_volume = self._aim_negative = NEVER
        severity = self._next_severity()
        if self._judge is None or severity is None:
            return
        self._aim_volume = self._judge.volume_for(severity) - self._before.volume
        by_volume = self._judge.negative_for(severity) - self._before.negative
        by_share = self._judge.more_negative_for(severity, self._seen())
        self._aim_negative = max(self._negative + 1, min(by_volume, self._negative + by_share))

    def _next_severity(self) -> float | None:
        """The severity at which something is to be done; None where nothing ever is."""
        incident = self._live.incident
        if incident is None:
            return self._settings.open_severity
        if incident.high_until < self._end:
            return self._settings.close_severity
        return self._grown(incident)

    def _look(self) -> tuple[Change, ...]:
        """Judge what was seen so far: open, keep open, or tell that it grew."""
        if self._judge is None:
            return _NOTHING
        seen = self._seen()
        signal, far = self._judge.most(seen)
        reading = self._judge.reading(signal, far, seen)
        if self._live.incident is not None:
            told = self._keep_open(self._live.incident, reading)
        elif reading.severity >= self._settings.open_severity:
            told = self._open(reading, self._judge.run_up(reading, self._counts_now()))
        else:
            told = _NOTHING
        self._aim()
        return told

    def _counts_now(self) -> list[int]:
        return [*self._counts[:-COLUMNS], self._volume, self._scored, self._negative]

    def _open(self, reading: Reading, run_up: int) -> tuple[Change, ...]:
        onset = min(self._clock, self._start - run_up * BIN_S)
        severity = reading.severity
        incident = OpenIncident(self._clock, onset, severity, severity, self._clock, self._end, reading)
        self._live.incident = incident
        return (_told(ChangeKind.OPENED, self._clock, incident, severity, reading),)

    def _keep_open(self, incident: OpenIncident, reading: Reading) -> tuple[Change, ...]:
        if reading.severity >= self._settings.close_severity:
            incident.high_until = self._end
        grown = self._grown(incident)
        if grown is None or reading.severity < grown:
            return _NOTHING
        incident.told = reading.severity
        self._note_peak()
        return (_told(ChangeKind.GREW, self._clock, incident, reading.severity, reading),)

    def _grown(self, incident: OpenIncident) -> float | None:
        """The severity at which the incident is told again; None where it cannot grow so far."""
        grown = incident.told + self._settings.grow_step
        return grown if grown <= MOST_SEVERE else None

    def _note_peak(self) -> None:
        """Look for the highest severity; within a bin a volume only rises, so that its end is enough."""
        incident = self._live.incident
        if incident is None or self._judge is None:
            return
        severity = self._judge.severity(self._judge.most(self._seen())[1])
        if severity > incident.peak:
            incident.peak, incident.peak_at = severity, self._clock


def _told(kind: ChangeKind, at: int, incident: OpenIncident, severity: float, reading: Reading) -> Change:
    return Change(kind, at, incident.opened_at, incident.onset, severity, reading)
