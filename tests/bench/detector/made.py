"""What is expected of the detector on made streams."""

from __future__ import annotations

from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection import (
    DEFAULTS,
    Change,
    ChangeKind,
    Detector,
    DetectorSettings,
    History,
    Interval,
    Live,
    Signal,
)
from tests.bench.detector.finding import Finding
from tests.bench.detector.streams import START, Event, daily, steady, storm, talk, together, without


def told(
    events: list[Event],
    time_zone: str = "UTC",
    campaigns: tuple[Interval, ...] = (),
    settings: DetectorSettings = DEFAULTS,
) -> list[Change]:
    """What the detector tells about a stream that it knows nothing of before."""
    detector = Detector(Live(), History({}), settings, time_zone, campaigns)
    return [change for event in events for change in detector.observe(*event)]


def openings(changes: list[Change]) -> list[Change]:
    """The openings among them."""
    return [change for change in changes if change.kind is ChangeKind.OPENED]


def _calm(name: str, streams: list[list[Event]], weeks: float, time_zone: str = "UTC") -> Finding:
    """No more than three false alarms in ten weeks."""
    count = sum(len(openings(told(events, time_zone))) for events in streams)
    return Finding(name, count <= 0.3 * weeks, f"{count} false alarms in {weeks:.0f} weeks")


def few_mentions() -> Finding:
    """0 to 3 mentions an hour, by day and night."""
    streams = [talk(rate(1.5), 42, seed) for rate in (steady, daily) for seed in (1, 2)]
    return _calm("few mentions", streams, 24)


def crisis_of_few() -> Finding:
    """The same, and 30 mentions within an hour, most of them negative."""
    onset, late = START + 20 * DAY_S + 3 * HOUR_S, list[int]()
    for seed in range(5):
        calm = talk(daily(1.5), 21, seed)
        found = openings(told(together(calm, storm(onset, 60, 30, seed))))
        late += [change.at - onset for change in found[:1] if 0 <= change.at - onset <= HOUR_S]
    return Finding("crisis of a brand with few mentions", len(late) == 5, _found(late, 5))


def _found(late: list[int], of: int) -> str:
    minutes = ", ".join(f"{one / 60:.0f}" for one in late)
    return f"{len(late)} of {of} found" + (f", after {minutes} minutes" if late else "")


def bot_burst() -> Finding:
    """400 posts within five minutes: one incident. Two days later a real crisis still opens another one."""
    burst_at, crisis_at = START + 18 * DAY_S, START + 20 * DAY_S + 15 * HOUR_S
    bots, crisis = storm(burst_at, 5, 400, 1, negative=0.0), storm(crisis_at, 120, 400, 2)
    found = openings(told(together(talk(daily(30), 21, 3), bots, crisis)))
    met = [abs(one.at - at) < HOUR_S for one, at in zip(found, (burst_at, crisis_at), strict=False)]
    return Finding(
        "bot burst, then a crisis", len(found) == 2 and all(met), f"{len(found)} incidents, {sum(met)} in time"
    )


def outage() -> Finding:
    """Eight hours are not collected; what comes then comes with a third of them at once."""
    gap = (START + 16 * DAY_S + 8 * HOUR_S, START + 16 * DAY_S + 16 * HOUR_S)
    opened = 0
    for seed in range(3):
        backlog = storm(gap[1], 20, 270, seed, negative=0.25)
        stream = without(talk(daily(100), 18, seed), *gap)
        opened += sum(change.at > gap[0] for change in openings(told(together(stream, backlog))))
    return Finding("gap in collection", not opened, f"{opened} incidents after 3 gaps")


def outage_then_crisis() -> Finding:
    """A gap does not blind: two hours after it there is a crisis."""
    gap = (START + 16 * DAY_S + 8 * HOUR_S, START + 16 * DAY_S + 16 * HOUR_S)
    crisis_at = gap[1] + 2 * HOUR_S
    stream = together(without(talk(daily(100), 18, 5), *gap), storm(crisis_at, 120, 1500, 6))
    late = [change.at - crisis_at for change in openings(told(stream))]
    return Finding("gap, then a crisis", len(late) == 1 and 0 <= late[0] < HOUR_S, _found(late, 1))


_FORTY = daily(40)
_CAMPAIGN = (START + 16 * DAY_S + 9 * HOUR_S, START + 16 * DAY_S + 15 * HOUR_S)


def campaign() -> Finding:
    """Six hours with six times the volume, declared: nothing; not declared, it is unusual."""
    stream = together(talk(daily(60), 24, 7), storm(_CAMPAIGN[0], 360, 2400, 8, negative=0.25))
    declared, not_declared = (openings(told(stream, campaigns=given)) for given in ((_CAMPAIGN,), ()))
    text = f"{len(declared)} incidents declared, {len(not_declared)} not declared"
    return Finding("planned campaign", not declared and len(not_declared) == 1, text)


def campaign_gone_wrong() -> Finding:
    """The same, but after an hour most of it is negative."""
    turned = _CAMPAIGN[0] + HOUR_S
    welcome, angry = storm(_CAMPAIGN[0], 60, 400, 8, negative=0.25), storm(turned, 300, 2000, 9)
    found = openings(told(together(talk(daily(60), 24, 7), welcome, angry), campaigns=(_CAMPAIGN,)))
    late = [change.at - turned for change in found if change.reading.signal is not Signal.VOLUME]
    return Finding("campaign gone wrong", len(found) == len(late) == 1 and 0 <= late[0] < HOUR_S, _found(late, 1))


def drift() -> Finding:
    """Within twelve weeks it becomes twice as much."""

    def rate(at: int) -> float:
        return _FORTY(at) * (1 + (at - START) / (84 * DAY_S))

    return _calm("slow drift", [talk(rate, 84, seed) for seed in (1, 2)], 24)


def clocks() -> Finding:
    """Twelve weeks of a brand that sleeps at night, in which the clocks change."""
    streams = [talk(daily(80, "Europe/Berlin", night=0.02), 42, seed) for seed in (1, 2)]
    return _calm("daylight saving", streams, 12, "Europe/Berlin")


def angry_turn() -> Finding:
    """As much as ever, but in place of 30 in a hundred, 75 are negative."""
    turned = START + 16 * DAY_S + 12 * HOUR_S
    late, false = list[int](), 0
    for seed in range(3):
        before = without(talk(daily(25), 17, seed, negative=0.3), turned, turned + DAY_S)
        after = talk(daily(25), 0.5, seed + 9, start=turned, negative=0.75)
        found = openings(told(together(before, after)))
        late += [change.at - turned for change in found if 0 <= change.at - turned <= 3 * HOUR_S]
        false += sum(change.at < turned for change in found)
    text = f"{_found(late, 3)}; {false} false alarms in the 7 weeks before"
    return Finding("turn of mood", len(late) == 3 and false <= 2, text)


def new_level() -> Finding:
    """From one day on, and for good, five times as much: it opens, closes within a week, and stays closed."""
    shift = START + 16 * DAY_S

    def rate(at: int) -> float:
        return _FORTY(at) * (5 if at >= shift else 1)

    changes = told(talk(rate, 38, 4))
    opened, closed = openings(changes), [change for change in changes if change.kind is ChangeKind.CLOSED]
    days = [(change.at - shift) / DAY_S for change in closed]
    text = f"{len(opened)} incidents, closed after {', '.join(f'{one:.1f}' for one in days)} days"
    return Finding("new level", len(opened) == len(closed) == 1 and days[0] < 10, text)


MADE = (
    few_mentions,
    crisis_of_few,
    bot_burst,
    outage,
    outage_then_crisis,
    campaign,
    campaign_gone_wrong,
    angry_turn,
    drift,
    new_level,
    clocks,
)
"""Every expectation on made streams."""
