"""The stream going on in real time."""

import asyncio
import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bellwether_cli.demo.story import Event
from bellwether_cli.demo.stream import CROWD, stream
from bellwether_cli.replay.mapping import Mapped, rfc3339
from bellwether_cli.replay.sender import Intake, Tally

_EVERY_S = 0.5
_CROWD_PER_S = 0.022  # events a second of the crowd's strands at intensity 1, on average over a day
_A_LONG_TIME = timedelta(days=365)


def going_on(seed: int, history: Iterator[Event], start: datetime, per_second: float) -> Iterator[Event]:
    """What follows from the history, and beside it a crowd that makes about `per_second` events a second."""
    crowd = stream(
        seed,
        start,
        start + _A_LONG_TIME,
        intensity=per_second / _CROWD_PER_S,
        strands=CROWD,
        source="/demo/live",
    )
    return heapq.merge(history, crowd, key=lambda event: str(event["time"]))


async def send_live(intake: Intake, events: Iterator[Event], tally: Tally) -> None:
    """Send events when their time comes, until cancelled or the stream ends."""
    waiting = next(events, None)
    number = 0
    while waiting is not None:
        now, due = rfc3339(datetime.now(UTC)), list[Mapped]()
        while waiting is not None and str(waiting["time"]) <= now:
            number += 1
            due.append(Mapped(number, waiting))
            waiting = next(events, None)
        await intake.send(due, tally)
        await asyncio.sleep(_EVERY_S)
