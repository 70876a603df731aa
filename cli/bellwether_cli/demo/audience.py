"""Followers, members and visitors: counts every six hours, joins and departures, visits."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bellwether_cli.demo.story import Cell, Event

_SINCE = datetime(2025, 1, 1, tzinfo=UTC)
_SNAPSHOT_EVERY_H = 6
_MEMBERS = 3_400
_SUBSCRIBED = ("youtube", "email")
_DAY = timedelta(days=1)


def size(base: int, when: datetime) -> int:
    """Audience that stood at `base` at the start of 2025 and grows by about 0.11 % of that a day."""
    days = (when - _SINCE) / _DAY
    return max(base // 2, int(base * (1 + 0.0011 * days + 0.002 * math.sin(days / 3))))


def snapshots(cell: Cell) -> Iterator[Event]:
    """Absolute counts of each channel, four times a day."""
    if cell.hour.hour % _SNAPSHOT_EVERY_H:
        return
    counts = {**cell.brand.followers, "email": cell.brand.followers["instagram"] // 12, "discord": _MEMBERS}
    for position, (channel, base) in enumerate(counts.items()):
        when = cell.hour + timedelta(seconds=7 * position)
        kind = "members" if channel == "discord" else "subscribers" if channel in _SUBSCRIBED else "followers"
        yield cell.event("social.audience.snapshot.v1", when, channel=channel, audience=kind, count=size(base, when))


def community(cell: Cell) -> Iterator[Event]:
    """People who join and leave the community, and who look in."""
    for when in cell.arrivals(14.0):
        yield cell.event(
            "social.audience.joined.v1",
            when,
            channel="discord",
            audience="members",
            member_id=cell.new_id(),
            invited_by=cell.person("member", 300) if cell.chance(0.2) else None,
        )
    for when in cell.arrivals(4.0):
        member = cell.person("member")
        yield cell.event("social.audience.left.v1", when, channel="discord", audience="members", member_id=member)
    for when in cell.arrivals(70.0):
        visitor = cell.person("visitor")
        yield cell.event("social.community.visit.v1", when, channel="discord", visitor_id=visitor)
