"""Real crises: the airlines' days of February 2015, and six disasters spliced into a calm stream."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache

from bellwether.domain.clock import DAY_S, HOUR_S
from bellwether.domain.detection import Change
from tests.bench.detector.data import DATA
from tests.bench.detector.finding import Finding
from tests.bench.detector.made import openings, told
from tests.bench.detector.streams import START, Event, daily, talk, together

AIRLINE = DATA / "airline.csv"
DISASTERS = DATA / "crises"
_STRUCK_AT = START + 20 * DAY_S + 15 * HOUR_S
_FOLLOWED_S = 2 * DAY_S

BEGAN = {
    "2012_Costa_Rica_earthquake": ("2012-09-05T14:42:00+00:00", HOUR_S),
    "2012_Italy_earthquakes": ("2012-05-20T02:03:00+00:00", 3 * HOUR_S),
    "2013_Alberta_floods": ("2013-06-20T15:00:00+00:00", 12 * HOUR_S),
    "2013_Glasgow_helicopter_crash": ("2013-11-29T22:25:00+00:00", HOUR_S),
    "2013_LA_airport_shootings": ("2013-11-01T16:20:00+00:00", HOUR_S),
    "2013_Singapore_haze": ("2013-06-17T03:00:00+00:00", 12 * HOUR_S),
}
"""When it struck, and the longest delay that is expected; of what grew over days, when it was first spoken of."""


def _moment(written: str) -> int:
    return int(datetime.fromisoformat(written).timestamp())


@cache
def airlines() -> dict[str, list[Event]]:
    """By airline, in the order of time."""
    found = defaultdict[str, list[Event]](list)
    with AIRLINE.open() as lines:
        for row in csv.DictReader(lines):
            found[row["airline"]].append((_moment(row["created_at"]), row["sentiment"] == "negative", 1))
    return dict(found)


@cache
def _told(airline: str) -> list[Change]:
    return openings(told(airlines()[airline]))


def southwest() -> Finding:
    """A crisis on 21 February, and none before."""
    found = [_day(change) for change in _told("Southwest")]
    return Finding("airlines: Southwest", len(found) == 1 and found[0].startswith("21 Feb"), _list(found))


def virgin_america() -> Finding:
    """Never."""
    found = [_day(change) for change in _told("Virgin America")]
    return Finding("airlines: Virgin America", not found, _list(found))


def american() -> Finding:
    """A handful of events in four days, and then, as when collection begins, fifty an hour: no crisis."""
    begun = _moment("2015-02-22T14:00:00+00:00")
    found = openings(told([*airlines()["American"], *talk(daily(50), 2, 1, start=begun, negative=0.7)]))
    return Finding("airlines: American, when collection begins", not found, _list([_day(change) for change in found]))


def other_airlines() -> Finding:
    """No more than one each in four days: what it was is not known."""
    names = [name for name in airlines() if name not in {"Southwest", "Virgin America", "American"}]
    found = {name: [_day(change) for change in _told(name)] for name in names}
    text = "; ".join(f"{name}: {_list(days)}" for name, days in found.items())
    return Finding("airlines: the others", all(len(days) <= 1 for days in found.values()), text)


def _day(change: Change) -> str:
    at, onset = (datetime.fromtimestamp(one, UTC) for one in (change.at, change.onset))
    signal = change.reading.signal.value.replace("_", " ")
    return f"{at:%d %b %H:%M} ({signal}, since {onset:%H:%M}, severity {change.severity})"


def _list(found: list[str]) -> str:
    return ", ".join(found) or "none"


@cache
def _calm() -> list[Event]:
    return talk(daily(30), 22, 1)


def disaster(name: str) -> list[int]:
    """When its tweets came, UTC seconds, ascending."""
    with (DISASTERS / name / f"{name}-tweetids_entire_period.csv").open() as lines:
        rows = list(csv.reader(lines))[1:]
    return sorted(int(datetime.strptime(row[0], "%a %b %d %H:%M:%S %z %Y").timestamp()) for row in rows if row)


def spliced(name: str) -> Change | None:
    """The opening after it struck, where its first two days come on top of 30 events an hour."""
    struck = _moment(BEGAN[name][0])
    shift = _STRUCK_AT - struck
    follows = [
        (at + shift, None, 1) for at in disaster(name) if struck <= at < struck + max(_FOLLOWED_S, BEGAN[name][1])
    ]
    stream = together(_calm(), follows)
    return next((change for change in openings(told(stream)) if change.at >= _STRUCK_AT), None)


def disasters() -> Finding:
    """Each is noticed in the time that is given for it; how far the estimated onset is off is told beside it."""
    texts, met = [], []
    for name, (_, longest) in BEGAN.items():
        opening = spliced(name)
        delay = None if opening is None else opening.at - _STRUCK_AT
        met.append(delay is not None and delay <= longest)
        title = name[5:].replace("_", " ")
        if opening is None:
            texts.append(f"{title} not found")
        else:
            texts.append(f"{title} {_minutes(opening.at)} (onset {_minutes(opening.onset)})")
    return Finding("disasters spliced in: minutes from when it struck", all(met), ", ".join(texts))


def _minutes(at: int) -> str:
    return f"{(at - _STRUCK_AT) / 60:.0f}"


REAL = (southwest, virgin_america, american, other_airlines, disasters)
"""Every expectation on real crises."""
