"""The job that all engines do, as far as they share it: how a record is read, and how the findings are told.

An engine counts events, and sums their `reach`, by brand and minute of event time. It reads a topic from its beginning
to where it ends, on one core, and runs in an environment of its own, so only msgspec is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

LATE_S = 60
"""How long a window waits for events that are late, in seconds of event time."""


class Data(msgspec.Struct, gc=False):
    brand: str
    reach: int = 0


class Said(msgspec.Struct, gc=False):
    """What the job needs of an event."""

    time: datetime
    data: Data


decoder = msgspec.json.Decoder(Said)


class Task(NamedTuple):
    """What an engine is told: where the records are, how many, and a folder for what it keeps."""

    bootstrap: str
    topic: str
    records: int
    folder: Path

    @classmethod
    def told(cls) -> Task:
        """As the command line says: BOOTSTRAP TOPIC RECORDS FOLDER."""
        bootstrap, topic, records, folder = sys.argv[1:5]
        return cls(bootstrap, topic, int(records), Path(folder))


class Findings(msgspec.Struct, frozen=True):
    """The sums over all windows, by which engines are compared."""

    windows: int
    events: int
    reach: int

    @classmethod
    def of(cls, windows: Iterable[tuple[int, int]]) -> Findings:
        """From the events and the reach of each window."""
        found = list(windows)
        return cls(len(found), sum(events for events, _ in found), sum(reach for _, reach in found))


def tell(windows: Iterable[tuple[int, int]]) -> None:
    """Print the findings, as the last line."""
    print(f"\n{msgspec.json.encode(Findings.of(windows)).decode()}", flush=True)
