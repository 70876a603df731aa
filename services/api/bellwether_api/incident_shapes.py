"""The shapes of answers about crises, and an example of each."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from bellwether.domain.evidence import (
    AuthorShare,
    ChannelShare,
    IncidentEvidence,
    Post,
    TermShare,
    TextSentiment,
)
from bellwether.domain.incidents import Phase, Reason, Severity, State
from bellwether_api.shapes import Moment

Origin = Literal["detector", "person", "partner"]
Missing = Literal["not_yet", "too_old"]
Action = Literal["acknowledge", "respond", "escalate", "stabilize", "resolve", "merge", "reopen", "split", "notes"]
ACTIONS: dict[Action, Phase] = {
    "acknowledge": "acknowledged",
    "respond": "responded",
    "escalate": "escalated",
    "stabilize": "stable",
    "resolve": "resolved",
    "merge": "merged",
    "reopen": "reopened",
    "split": "split",
    "notes": "noted",
}
"""The step that a path takes, by the last part of its name."""

IncidentId = Annotated[str, Meta(description="Unique within the brand.", examples=["inc-1"])]
OriginField = Annotated[Origin, Meta(description="The detector, a person through this API, or a partner's event.")]
By = Annotated[str, Meta(description="Who did it, as told; '' where nobody said.", examples=["Dana"])]
Score = Annotated[float | None, Meta(description="Severity from 0 to 10; null where none was told.")]


class StepOut(Struct, frozen=True):
    """A step in the life of a crisis: who did what when, and why."""

    at: Moment
    phase: Phase
    by: By
    note: str
    state: Annotated[
        State | None, Meta(description="The state after it; null where it was not possible and changed nothing.")
    ]
    severity: Annotated[Severity | None, Meta(description="As the step told it.")]
    score: Score
    reason: Annotated[Reason | None, Meta(description="Of a resolution: why it is over.")]
    into: Annotated[str | None, Meta(description="The crisis that this one was merged into, or that was split off.")]
    origin: OriginField
    source: Annotated[str, Meta(description="`source` of the event; of this API's own it ends with the key's id.")]
    event_id: Annotated[str, Meta(description="`id` of the event.")]
    recorded_at: Annotated[datetime | None, Meta(description="When it was taken in; null of very old steps.")]


class IncidentOut(Struct, frozen=True, kw_only=True):
    """A crisis as it stands. What is null has not happened, or nobody said it."""

    id: IncidentId
    state: State
    since: Annotated[datetime, Meta(description="From when on it is in this state.")]
    severity: Annotated[Severity | None, Meta(description="As last told of when it was opened, escalated or reopened.")]
    score: Score
    peak: Annotated[float | None, Meta(description="The highest score it ever had.")]
    opened_at: Annotated[datetime, Meta(description="When it was opened; of the detector's, when it was detected.")]
    opened_by: By
    origin: OriginField
    onset: Annotated[datetime | None, Meta(description="When it is thought to have begun.")]
    cuts: Annotated[list[str], Meta(description="The cuts it counts in besides the total.")]
    signal: Annotated[str | None, Meta(description="What the detector saw, by the name of its signal.")]
    numbers: Annotated[dict[str, float | int | str | None] | None, Meta(description="What explains the opening.")]
    acknowledged_at: Annotated[datetime | None, Meta(description="The first time.")]
    responded_at: Annotated[datetime | None, Meta(description="The first time.")]
    stable_at: Annotated[datetime | None, Meta(description="The first time.")]
    resolved_at: Annotated[datetime | None, Meta(description="Of the resolution that stands.")]
    reason: Annotated[Reason | None, Meta(description="Of the resolution that stands.")]
    merged_into: Annotated[str | None, Meta(description="The crisis that it is a part of.")]
    possible: Annotated[list[Action], Meta(description="What can be done to it now.")]


class Evidences(Struct, frozen=True):
    """What a crisis was made of at two moments."""

    opening: Annotated[IncidentEvidence | None, Meta(description="When it opened.")]
    peak: Annotated[IncidentEvidence | None, Meta(description="When it first was as severe as it ever was told to be.")]
    missing: Annotated[
        Missing | None,
        Meta(
            description="Why one of them is null: it is collected some seconds after the step, or not at all, of steps "
            "that compute applied when they were older than seven days."
        ),
    ]


class IncidentDetail(IncidentOut, frozen=True, kw_only=True):
    """A crisis with all its steps, and what it was made of."""

    steps: Annotated[list[StepOut], Meta(description="In their order, also those that changed nothing.")]
    evidence: Evidences


class IncidentPage(Struct, frozen=True):
    """A page of crises, the latest openings first."""

    items: list[IncidentOut]
    next: Annotated[str | None, Meta(description="`cursor` of the next page; null at the end.")]


class StepAccepted(Struct, frozen=True):
    """A step that is in the log for good, and not applied yet: read the crisis again in a moment."""

    incident: IncidentId
    phase: Phase
    event_id: Annotated[str, Meta(description="Of the step among those of the crisis, once it is applied.")]


def origin_of(source: str) -> Origin:
    """Who an event's source stands for."""
    if source == DETECTOR:
        return "detector"
    return "person" if source.startswith(OURS) else "partner"


DETECTOR = "/bellwether/detector"
OURS = "/bellwether/api/"
"""The source of an event by this API begins so, and ends with the id of the key."""

_AT = datetime(2026, 10, 13, 12, tzinfo=UTC)
_ACKNOWLEDGED = _AT.replace(minute=7)
_STEPS = [
    StepOut(
        *(_AT, "opened", "detector", "", State.OPEN, "critical", 8.4, None, None),
        *("detector", DETECTOR, "5b0c-opened", _AT),
    ),
    StepOut(
        *(_ACKNOWLEDGED, "acknowledged", "Dana", "Looking into it", State.ACKNOWLEDGED, "critical", None, None, None),
        *("person", f"{OURS}9aBcD3fGh1Jk", "8e03978e-40d5-43e8-bc93-6894a57f9324", _ACKNOWLEDGED),
    ),
]
_EVIDENCE = IncidentEvidence(
    as_of=_AT,
    since=_AT.replace(hour=11, minute=52),
    baseline_since=_AT.replace(day=12, hour=11, minute=52),
    channel=None,
    complete=True,
    records=1840,
    posts=[
        Post(
            at=_AT.replace(hour=11, minute=53),
            channel="x",
            source="/x/search",
            event_id="1845",
            url="https://x.com/maria/status/1845",
            author="4711",
            name="Maria",
            reach=182_000,
            label="negative",
            score=-0.6,
            excerpt="Found glass in my cup. Again. Who checks this? #acmefail",
            copies=31,
        )
    ],
    terms=[TermShare("#acmefail", 44, 0, 351.2), TermShare("glass", 39, 2, 287.9)],
    channels=[ChannelShare("x", 61, 0.9242, 0.5), ChannelShare("web", 5, 0.0758, 0.5)],
    authors=[AuthorShare("4711", "Maria", "x", 182_000, 2, 2)],
    sentiment=TextSentiment(66, 64, 57, 4, 3, -84.38, None),
    sentiment_before=TextSentiment(412, 400, 40, 180, 180, 35.0, None),
)
_DETAIL = IncidentDetail(
    id="5b0c",
    state=State.ACKNOWLEDGED,
    since=_ACKNOWLEDGED,
    severity="critical",
    score=8.4,
    peak=8.4,
    opened_at=_AT,
    opened_by="detector",
    origin="detector",
    onset=_AT.replace(hour=11, minute=52),
    cuts=["channel=x"],
    signal="negative_mentions",
    numbers={"observed": 57, "expected": 4.2},
    acknowledged_at=_ACKNOWLEDGED,
    responded_at=None,
    stable_at=None,
    resolved_at=None,
    reason=None,
    merged_into=None,
    possible=["respond", "escalate", "stabilize", "resolve", "merge", "split", "notes"],
    steps=_STEPS,
    evidence=Evidences(_EVIDENCE, _EVIDENCE, None),
)
_OUT = IncidentOut(**{name: getattr(_DETAIL, name) for name in IncidentOut.__struct_fields__})
INCIDENT_ANSWERS = (IncidentDetail, IncidentPage, StepAccepted)
INCIDENT_EXAMPLES = (
    _DETAIL,
    IncidentPage([_OUT], None),
    StepAccepted("5b0c", "acknowledged", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
)
