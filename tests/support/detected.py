"""What detectors have to find in a log: the pure ones, fed text by text, without batches or anything that is stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bellwether.domain.detection import Change, ChangeKind, Detector, History, Live
from bellwether.domain.detection.settings import DEFAULTS


class Heard(NamedTuple):
    """A mention of the brand, or a message to it, in the order of the log; moments in UTC seconds."""

    at: int
    recorded: int
    channel: str
    negative: bool | None


class Finding(NamedTuple):
    """That an incident opened or grew in a cut."""

    cut: str
    kind: str
    at: int
    onset: int
    severity: float


def findings(texts: Iterable[Heard], time_zone: str) -> list[Finding]:
    """What is found in a brand, in the order in which it is."""
    return [
        Finding(cut, change.kind.value, change.at, change.onset, change.severity)
        for cut, change in changes(texts, time_zone)
        if change.kind is not ChangeKind.CLOSED
    ]


def changes(texts: Iterable[Heard], time_zone: str) -> list[tuple[str, Change]]:
    """The changes in all cuts of a brand. Silence lasts as long for a channel as for the brand."""
    detectors: dict[str, Detector] = {}
    found, clock, recorded = list[tuple[str, Change]](), 0, 0
    for text in texts:
        now = max(text.at, clock + max(0, text.recorded - recorded))
        found += [(cut, change) for cut, one in sorted(detectors.items()) for change in one.advance(now)]
        for cut in ("", f"channel={text.channel}"):
            if cut not in detectors:
                detectors[cut] = Detector(Live(), History({}), DEFAULTS, time_zone)
            found += [(cut, change) for change in detectors[cut].observe(text.at, text.negative)]
        clock, recorded = max(clock, text.at), max(recorded, text.recorded)
    return found
