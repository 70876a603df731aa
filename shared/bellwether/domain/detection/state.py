"""What a detector carries from one event to the next, and what it tells."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from bellwether.domain.detection.baseline import Baseline, Interval


class Signal(StrEnum):
    """What was unusual."""

    VOLUME = "volume"
    NEGATIVE_VOLUME = "negative_volume"
    NEGATIVE_SHARE = "negative_share"


class ChangeKind(StrEnum):
    """What became of an incident."""

    OPENED = "opened"
    GREW = "grew"
    CLOSED = "closed"


class Reading(msgspec.Struct, frozen=True, array_like=True):
    """A signal at one moment, and what it is compared with.

    severity: 0 to 10
    seen, expected, bound: events in the span for volumes, 0 to 1 for the share. `expected` is the
        median at this hour of the day, `bound` is where an incident opens
    n: scored texts that a share rests on, otherwise the events seen
    span_s: the stretch of time looked at, in seconds
    """

    signal: Signal
    severity: float
    seen: float
    expected: float
    bound: float
    n: int
    span_s: int


class Change(msgspec.Struct, frozen=True):
    """What an event, or time going by, did to the incident.

    at: UTC seconds; when it was noticed, on the clock of the events. Of a closing: when it closed
    opened_at: when the incident opened; with brand and cut its name
    onset: when it had begun, by estimate; not after opened_at
    severity: of the moment, 0 to 10. Of a closing: the highest there was
    reading: the signal with the highest severity; of a closing: at the opening
    """

    kind: ChangeKind
    at: int
    opened_at: int
    onset: int
    severity: float
    reading: Reading


class OpenIncident(msgspec.Struct, array_like=True):
    """An incident that is open.

    told: the severity last told of
    peak, peak_at: the highest severity, and the end of the bin that had it first
    high_until: the end of the last bin with a signal at the closing severity or above
    reading: at the opening
    """

    opened_at: int
    onset: int
    told: float
    peak: float
    peak_at: int
    high_until: int
    reading: Reading


class Live(msgspec.Struct, array_like=True):
    """The state of a detector between two events: a few hundred bytes of MessagePack.

    clock: the latest moment of an event so far, UTC seconds; 0 before the first
    counts: the bins of the share's hours, `COLUMNS` numbers each, ending with the bin of `clock`
    renews_at: what is usual is computed anew with the first event at or after this moment
    muted_until: volumes open nothing before this moment, since collection had a gap
    incidents: the closed ones of the history, from onset to the last high bin
    """

    clock: int = 0
    counts: list[int] = []
    baseline: Baseline | None = None
    renews_at: int = 0
    muted_until: int = 0
    incident: OpenIncident | None = None
    incidents: list[Interval] = []
