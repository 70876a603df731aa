"""A replay without sending: everything is mapped, checked by the contract and counted."""

from collections import Counter
from datetime import datetime

import msgspec

from bellwether.wire.events import UNREADABLE, decode_event, explain
from bellwether.wire.strict import fault
from bellwether_cli import terminal
from bellwether_cli.replay.mapping import Event, Mapped
from bellwether_cli.replay.plan import Plan, brand_of, time_of
from bellwether_cli.replay.sender import Tally


def rehearse(plan: Plan) -> Tally:
    """Print what would be sent, by brand and type; the tally counts valid events as accepted."""
    tally = Tally()
    kinds: Counter[tuple[str, str]] = Counter()
    times: list[datetime] = []
    for result in plan.results():
        if (event := _checked(result, tally)) is not None:
            tally.accepted += 1
            kinds[brand_of(event), str(event.get("type"))] += 1
            times = [min([*times, time_of(event)]), max([*times, time_of(event)])]
    terminal.table(
        ("brand", "type", "events"), [(*kind, count) for kind, count in sorted(kinds.items())], numbers=("events",)
    )
    if times:
        terminal.say(f"from {times[0].isoformat()} to {times[-1].isoformat()}")
    return tally


def _checked(result: Mapped, tally: Tally) -> Event | None:
    if result.event is None:
        if result.fault is None:
            tally.skipped += 1
        else:
            tally.reject(result.row, None, result.fault)
        return None
    raw = msgspec.json.encode(result.event)
    try:
        reason = fault(raw)
        if reason is None:
            decode_event(raw)
    except UNREADABLE as error:
        told = explain(error)[0]
        reason = f"{told.pointer.removeprefix('/').replace('/', '.')}: {told.detail}"
    if reason is not None:
        tally.reject(result.row, str(result.event.get("id")), reason)
        return None
    return result.event
