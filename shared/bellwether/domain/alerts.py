"""Alerts: what is told of a crisis to people and machines outside, and to whom, when and how often.

Pure: who routes and sends (`bellwether_compute.alert_sender`) supplies the moment and what was sent before. An alert
has an id that follows from what it tells, so that telling it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec


class Kind(StrEnum):
    """What an alert tells. A closed set, since it is also a metric label and the last part of a webhook's type."""

    OPENED = "opened"
    GREW = "grew"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    RESPONDED = "responded"
    STABLE = "stable"
    RESOLVED = "resolved"
    MERGED = "merged"
    SPLIT = "split"
    UNDELIVERABLE = "undeliverable"
    TEST = "test"
    CANARY = "canary"


CALLING: Final = frozenset({Kind.OPENED, Kind.GREW, Kind.REOPENED})
"""Kinds that call for somebody: routed by severity, held back by quiet hours and cool-down."""
FOLLOWING: Final = frozenset({Kind.ACKNOWLEDGED, Kind.RESPONDED, Kind.STABLE, Kind.RESOLVED, Kind.MERGED, Kind.SPLIT})
"""Kinds that go wherever the incident went before."""
ATTENDED: Final = frozenset({Kind.ACKNOWLEDGED, Kind.RESPONDED, Kind.STABLE, Kind.RESOLVED, Kind.MERGED})
"""Kinds after which nobody needs to be called once more."""
OVER: Final = frozenset({Kind.RESOLVED, Kind.MERGED})
"""Kinds after which an incident is not firing."""

MOST_SEVERE: Final = 10.0


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be told of an incident, once to each receiver however often it is written.

    id: of `alert_id`
    brand_id, tenant_id: as in the tables; 0 for what is no brand's
    incident: its id; '' for what belongs to none
    severity: 0 to 10, as it was at this moment
    cut: 'channel=instagram' and the like, '' for all of the brand
    at, onset: UTC seconds; onset is when the crisis is thought to have begun, None where it is unknown
    title: one line for people
    evidence: a JSON object, at most 16 kB: what explains the alert
    """

    id: str
    tenant_id: int
    brand_id: int
    incident: str
    kind: Kind
    severity: float
    at: int
    title: str
    cut: str = ""
    onset: int | None = None
    evidence: str = "{}"


def alert_id(brand_id: int, incident: str, kind: Kind, at: int, about: str = "") -> str:
    """The id of an alert: the same for the same step, whoever writes it; free of dots, as webhook ids must be.

    about: tells alerts of one kind and moment apart, as the endpoint of an undeliverable one
    """
    told = msgspec.json.encode((brand_id, incident, kind.value, at, about))
    return f"alr_{blake2b(told, digest_size=16).hexdigest()}"


class Quiet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of quiet in the brand's local time: from `start` to `end` o'clock, over midnight where end <= start.

    days: on which it starts, 0 for Monday; all of them where there are none
    """

    start: time
    end: time
    days: tuple[Annotated[int, msgspec.Meta(ge=0, le=6)], ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts go where. All routes that match are taken.

    brand_id: whose alerts; None for every brand of the tenant
    min_severity: of kinds that call for somebody
    kinds: only these; all of them where there are none
    quiet: while it is quiet, calls wait for its end
    quiet_below: calls of this severity or more never wait
    group_s: calls of one brand within so many seconds go out together
    cool_down_s: after a call, others of the same brand and cut are left out for so long, unless they are more severe
    escalate_after_s, escalate_to: who is called where nobody has acknowledged by then; None for nobody
    """

    id: str
    endpoints: tuple[str, ...]
    brand_id: int | None = None
    min_severity: float = 0.0
    kinds: tuple[Kind, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    quiet_below: float = MOST_SEVERE
    group_s: int = 0
    cool_down_s: int = 0
    escalate_after_s: int | None = None
    escalate_to: tuple[str, ...] = ()


class Told(NamedTuple):
    """That an alert was given to an endpoint by a route, at UTC second `at`; `left_out` where it was not, and why."""

    endpoint: str
    route: str
    incident: str
    brand_id: int
    cut: str
    kind: Kind
    severity: float
    at: int
    left_out: str = ""


class Errand(NamedTuple):
    """An alert for an endpoint.

    due: when it goes out, UTC seconds
    left_out: why it does not go out; '' for one that does
    group: errands of one group may go out together; '' for one that goes alone
    escalates: goes out only where nobody has attended to the incident by then
    """

    endpoint: str
    route: str
    due: int
    left_out: str = ""
    group: str = ""
    escalates: bool = False


COOLING: Final = "cool_down"


def errands(alert: Alert, routes: Iterable[Route], told: Sequence[Told], zone: ZoneInfo, now: int) -> list[Errand]:
    """Who is to be told of an alert, and when: each endpoint once, though several routes name it.

    told: what was given to endpoints before; of the same incident all, of others as far back as cool-downs reach
    now: UTC seconds
    """
    found = dict[tuple[str, bool], Errand]()
    for route in routes:
        for errand in _by_route(alert, route, told, zone, now) if _concerns(route, alert) else ():
            place = errand.endpoint, errand.escalates
            found[place] = min(found.get(place, errand), errand, key=_eagerness)
    return list(found.values())


def _eagerness(errand: Errand) -> tuple[bool, int]:
    return bool(errand.left_out), errand.due


def _concerns(route: Route, alert: Alert) -> bool:
    return route.brand_id in (None, alert.brand_id) and (not route.kinds or alert.kind in route.kinds)


def _by_route(alert: Alert, route: Route, told: Sequence[Told], zone: ZoneInfo, now: int) -> list[Errand]:
    if alert.kind in FOLLOWING:
        reached = {one.endpoint for one in told if _reached(one, alert) and one.route == route.id}
        return [Errand(endpoint, route.id, now) for endpoint in sorted(reached)]
    if alert.severity < route.min_severity:
        return []
    if alert.kind not in CALLING:
        return [Errand(endpoint, route.id, now) for endpoint in route.endpoints]
    return _calls(alert, route, told, _when(alert, route, zone, now), now)


def _reached(one: Told, alert: Alert) -> bool:
    return (one.brand_id, one.incident) == (alert.brand_id, alert.incident) and not one.left_out


def _calls(alert: Alert, route: Route, told: Sequence[Told], due: int, now: int) -> list[Errand]:
    group = f"{route.id}/{alert.brand_id}" if route.group_s or due > now else ""
    cooling = {endpoint: _cools(alert, route, endpoint, told, now) for endpoint in route.endpoints}
    goes_at = due + route.group_s
    calls = [
        Errand(endpoint, route.id, goes_at, COOLING if cools else "", group) for endpoint, cools in cooling.items()
    ]
    if route.escalate_after_s is None or all(cooling.values()):
        return calls
    late = goes_at + route.escalate_after_s
    return calls + [Errand(endpoint, route.id, late, escalates=True) for endpoint in route.escalate_to]


def _cools(alert: Alert, route: Route, endpoint: str, told: Sequence[Told], now: int) -> bool:
    calls = [
        one.severity
        for one in told
        if (one.endpoint, one.brand_id, one.cut) == (endpoint, alert.brand_id, alert.cut)
        and one.kind in CALLING
        and not one.left_out
        and one.at > now - route.cool_down_s
    ]
    return bool(calls) and alert.severity <= max(calls)


def _when(alert: Alert, route: Route, zone: ZoneInfo, now: int) -> int:
    return now if alert.severity >= route.quiet_below else quiet_until(route.quiet, zone, now)


def quiet_until(quiet: Collection[Quiet], zone: ZoneInfo, now: int) -> int:
    """When it is next not quiet, UTC seconds: `now` itself where it is not quiet; stretches that touch are one.

    Where clocks change, a stretch ends when the clock on the wall first shows its end.
    """
    moment = now
    for _ in range(2 * len(quiet) + 8):  # a week of stretches that touch; what is always quiet ends after that
        later = max((_end_of(one, zone, moment) for one in quiet), default=moment)
        if later <= moment:
            return moment
        moment = later
    return moment


def _end_of(quiet: Quiet, zone: ZoneInfo, now: int) -> int:
    """When the stretch that holds `now` ends; `now` where none does."""
    today = datetime.fromtimestamp(now, zone).date()
    for day in (today - timedelta(days=1), today):
        if quiet.days and day.weekday() not in quiet.days:
            continue
        last = day if quiet.end > quiet.start else day + timedelta(days=1)
        start, end = (_second(datetime.combine(*at, tzinfo=zone)) for at in ((day, quiet.start), (last, quiet.end)))
        if start <= now < end:
            return end
    return now


def _second(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())


RETRY_S: Final = (1, 5, 15, 30, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Waits between attempts, in seconds: the schedule of Standard Webhooks, denser in its first minutes. 14 attempts."""


_LONGEST_PAUSE_S: Final = 86_400


def retry_in(attempts: int, jitter: float, retry_after_s: float = 0.0) -> float | None:
    """Seconds from the failure of attempt number `attempts` (from 1) to the next; None where there is none.

    jitter: 0 to 1, drawn anew each time: the wait is between half and all of the schedule's
    retry_after_s: what the receiver asks for; longer than the schedule's, and up to a day, it counts
    """
    if attempts > len(RETRY_S):
        return None
    return max(RETRY_S[attempts - 1] * (1 + jitter) / 2, min(retry_after_s, _LONGEST_PAUSE_S))
