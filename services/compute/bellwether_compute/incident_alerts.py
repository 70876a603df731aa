"""Which steps of crises are alerted of, and in which words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bellwether.catalogue.cuts import TOTAL
from bellwether.domain.alerts import Alert, Kind, alert_id
from bellwether.domain.clock import DAY_S
from bellwether.domain.incidents import SCORES, Account, Phase, Step, account, moves
from bellwether_compute.changes import Changes
from bellwether_compute.episodes import SOURCE
from bellwether_compute.incidents import Incident
from bellwether_compute.state import BrandState

_KINDS: dict[Phase, Kind] = {
    "opened": Kind.OPENED,
    "escalated": Kind.GREW,
    "reopened": Kind.REOPENED,
    "acknowledged": Kind.ACKNOWLEDGED,
    "responded": Kind.RESPONDED,
    "stable": Kind.STABLE,
    "resolved": Kind.RESOLVED,
    "merged": Kind.MERGED,
    "split": Kind.SPLIT,
}
"""Notes call nobody."""
_NEWS_S = DAY_S
"""What was older than this when it was recorded is history: an import of a year must not wake anybody."""


def alerts_of(changes: Changes) -> Iterator[Alert]:
    """An alert for each step of a batch that was possible, and is news."""
    fresh: dict[tuple[int, str], set[Step]] = {}
    for told in changes.steps:
        if told.recorded_at is not None and told.recorded_at - told.step.at <= _NEWS_S:
            fresh.setdefault((told.brand_id, told.incident_id), set()).add(told.step)
    for (brand, incident_id), incident in changes.incidents.items():
        yield from _alerts(brand, incident_id, incident, fresh.get((brand.brand.brand_id, incident_id), set()))


def _alerts(brand: BrandState, incident_id: str, incident: Incident, fresh: set[Step]) -> Iterator[Alert]:
    course = moves(incident.steps) if fresh else []
    for place, move in enumerate(course, start=1):
        if move.step in fresh and move.state is not None and move.step.phase in _KINDS:
            stands = account(one.step for one in course[:place])
            if stands is not None:
                yield _alert(brand, incident_id, move.step, stands)


def _alert(brand: BrandState, incident_id: str, step: Step, stands: Account) -> Alert:
    kind, brand_id = _KINDS[step.phase], brand.brand.brand_id
    opening = stands.opening
    return Alert(
        id=alert_id(brand_id, incident_id, kind, step.at, step.word.event_id if step.word.source == SOURCE else ""),
        tenant_id=brand.brand.tenant_id,
        brand_id=brand_id,
        incident=incident_id,
        kind=kind,
        severity=SCORES[stands.severity or "warning"] if stands.score is None else stands.score,
        at=step.at,
        title=_title(brand, step, stands),
        cut=opening.cuts[1] if len(opening.cuts) > 1 else TOTAL,
        onset=opening.word.onset,
        evidence=step.word.numbers or msgspec.json.encode(_remark(step)).decode(),
    )


def _title(brand: BrandState, step: Step, stands: Account) -> str:
    """As in "Aurora: crisis resolved by Dana (critical, channel=x)"."""
    by = f" by {step.word.by}" if step.word.by else ""
    about = ", ".join([stands.severity or "warning", *stands.opening.cuts[1:2]])
    return f"{brand.brand.name}: crisis {step.phase}{by} ({about})"


def _remark(step: Step) -> dict[str, str]:
    word = step.word
    told = {"note": word.note, "reason": word.reason or "", "into": word.into}
    return {name: value for name, value in told.items() if value}
