"""/v1/brands/{brand}/incidents: crises, and the steps that people take in them."""

from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query, Response, Security
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from bellwether.adapters.http.auth import caller, directory, visible_brand
from bellwether.adapters.http.problems import problems
from bellwether.adapters.postgres.directory import Brand, Directory
from bellwether.domain.errors import (
    IllegalTransition,
    Invalid,
    Malformed,
    MissingScope,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
    UnknownIncident,
)
from bellwether.domain.incidents import Phase, State
from bellwether.domain.keys import Caller, Scope
from bellwether_api.cache import encoded
from bellwether_api.conditional import answer
from bellwether_api.cuts import Cut, one_cut
from bellwether_api.documentation import told
from bellwether_api.idempotency import parse_key
from bellwether_api.incident_requests import Escalation, Flare, Merge, Note, Opening, Remark, Resolution
from bellwether_api.incident_shapes import IncidentDetail, IncidentPage, StepAccepted
from bellwether_api.incident_steps import Done
from bellwether_api.incidents import NEWEST, Choice, Place, parse_cursor
from bellwether_api.moments import moment_at
from bellwether_api.parts import BrandToRead, IfNoneMatch, Parts, Running
from bellwether_api.queries import CutQuery, Moment, reads

router = APIRouter(tags=["incidents"])
_REFUSALS = (Unauthenticated, MissingScope, Invalid, Unavailable, UnknownBrand)
_BASE = "/v1/brands/{brand}/incidents"
_ONE = f"{_BASE}/{{incident_id:path}}"
_ACCEPTED = 202

Responder = Annotated[Caller, Security(caller(Scope.INCIDENTS_WRITE), scopes=[Scope.INCIDENTS_WRITE.value])]
IncidentId = Annotated[str, Path(description="The crisis' id.", min_length=1, max_length=256, examples=["inc-1"])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="A name of the caller's own for this step, kept for ever: repeats are the same step.",
        examples=['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
    ),
]


async def _brand_in_crisis(
    brand: Annotated[str, Path(description="The brand's slug.", examples=["acme-coffee"])],
    who: Responder,
    known: Annotated[Directory, Depends(directory)],
) -> Brand:
    return await visible_brand(known, who, brand)


BrandInCrisis = Annotated[Brand, Depends(_brand_in_crisis)]


class States(msgspec.Struct, frozen=True):
    """A choice of states. A struct, since a bare tuple would be read from repeated parameters."""

    each: tuple[State, ...]


def parse_states(text: str) -> States:
    """States by commas. Raises ValueError where one is unknown or none is named."""
    try:
        return States(tuple(dict.fromkeys(State(name) for name in text.split(","))))
    except ValueError:
        raise ValueError(f"must be one or more, by commas, of {', '.join(State)}") from None


class IncidentsQuery(BaseModel):
    """Which crises."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Annotated[
        States | None,
        reads(parse_states),
        WithJsonSchema({"type": "string", "description": f"Only in these states, by commas: {', '.join(State)}."}),
    ] = None
    since: Annotated[
        Moment | None,
        WithJsonSchema(
            {"type": "string", "format": "date-time", "description": "Only those opened at or after it, RFC 3339."}
        ),
    ] = None
    cut: CutQuery = None
    limit: Annotated[int, Field(ge=1, le=200, description="Most crises on the page.")] = 50
    cursor: Annotated[
        Place | None,
        reads(parse_cursor),
        WithJsonSchema({"type": "string", "description": "`next` of the page before."}),
    ] = None

    def following(self, cursor: str) -> dict[str, str]:
        """The parameters of the next page."""
        told = {
            "state": ",".join(self.state.each) if self.state else None,
            "since": moment_at(self.since).isoformat() if self.since is not None else None,
            "cut": one_cut(self.cut) if isinstance(self.cut, Cut) else None,
            "limit": str(self.limit),
            "cursor": cursor,
        }
        return {name: value for name, value in told.items() if value is not None}

    def choice(self) -> Choice:
        """The same for the database."""
        cut = None if self.cut is None else one_cut(self.cut)
        return Choice(self.state.each if self.state else (), self.since or 0, cut, self.cursor or NEWEST, self.limit)


def _path(brand: Brand, incident_id: str) -> str:
    return f"/v1/brands/{brand.slug}/incidents/{quote(incident_id, safe='')}"


def _done(brand: Brand, done: Done, status: int = 200) -> Response:
    """The crisis as it is now; 202 where compute has not applied the step yet."""
    body = encoded(msgspec.json.encode(done.answer))
    headers = {"Idempotency-Replayed": str(done.replayed).lower(), "Location": _path(brand, done.incident_id)}
    if isinstance(done.answer, StepAccepted):
        return Response(body.body, _ACCEPTED, headers, "application/json")
    return Response(body.body, status, {**headers, "ETag": body.etag}, "application/json")


async def _take(
    parts: Parts, who: Caller, brand: Brand, incident_id: str, phase: Phase, remark: Remark | None, key: str | None
) -> Response:
    said = (remark or Remark()).said()
    return _done(brand, await parts.incident_steps.take(who, brand, incident_id, phase, said, parse_key(key)))


_STEP = {
    **told(IncidentDetail, 200, "Location", "Idempotency-Replayed"),
    **told(StepAccepted, 202, "Location", "Idempotency-Replayed"),
    **problems(*_REFUSALS, UnknownIncident, IllegalTransition, Malformed, TooLarge),
}


@router.get(
    _BASE,
    operation_id="list_incidents",
    summary="Crises, the latest first",
    response_class=Response,
    responses={**told(IncidentPage, 200, "Link"), **problems(*_REFUSALS)},
)
async def list_incidents(
    brand: BrandToRead, query: Annotated[IncidentsQuery, Query()], parts: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Crises as they stand, the latest openings first, a page at a time. `Link` names the next page, too."""
    page = await parts.incidents.page(brand, query.choice())
    path = f"/v1/brands/{brand.slug}/incidents"
    link = {"Link": f'<{path}?{urlencode(query.following(page.next))}>; rel="next"'} if page.next else {}
    return answer(encoded(msgspec.json.encode(page)), if_none_match, link)


@router.post(
    _BASE,
    operation_id="open_incident",
    summary="Open a crisis",
    status_code=201,
    response_class=Response,
    responses={
        **told(IncidentDetail, 201, "Location", "Idempotency-Replayed"),
        **told(StepAccepted, 202, "Location", "Idempotency-Replayed"),
        **problems(*_REFUSALS, Malformed, TooLarge),
    },
)
async def open_incident(
    brand: BrandInCrisis, opening: Opening, who: Responder, parts: Running, idempotency_key: IdempotencyKey = None
) -> Response:
    """A crisis that a person noticed. It counts from now on in the total, its channel and its campaign."""
    done = await parts.incident_steps.open(who, brand, opening.said(), parse_key(idempotency_key))
    return _done(brand, done, 201)


@router.post(
    f"{_ONE}/acknowledge",
    operation_id="acknowledge_incident",
    summary="Say that somebody takes care",
    response_class=Response,
    responses=_STEP,
)
async def acknowledge_incident(
    brand: BrandInCrisis,
    incident_id: IncidentId,
    who: Responder,
    parts: Running,
    remark: Remark | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The first acknowledgement, response or public message of the brand ends the response time of the crisis."""
    return await _take(parts, who, brand, incident_id, "acknowledged", remark, idempotency_key)


@router.post(
    f"{_ONE}/respond",
    operation_id="respond_to_incident",
    summary="Say that the brand has responded",
    response_class=Response,
    responses=_STEP,
)
async def respond_to_incident(
    brand: BrandInCrisis,
    incident_id: IncidentId,
    who: Responder,
    parts: Running,
    remark: Remark | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A response that no event shows, as a call or a statement to the press."""
    return await _take(parts, who, brand, incident_id, "responded", remark, idempotency_key)


@router.post(
    f"{_ONE}/escalate",
    operation_id="escalate_incident",
    summary="Say that it is more severe",
    response_class=Response,
    responses=_STEP,
)
async def escalate_incident(
    brand: BrandInCrisis,
    incident_id: IncidentId,
    escalation: Escalation,
    who: Responder,
    parts: Running,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Whoever is alerted by severity hears of it again. What was stable is open again."""
    return await _take(parts, who, brand, incident_id, "escalated", escalation, idempotency_key)


@router.post(
    f"{_ONE}/stabilize",
    operation_id="stabilize_incident",
    summary="Say that it grows no more",
    response_class=Response,
    responses=_STEP,
)
async def stabilize_incident(
    brand: BrandInCrisis,
    incident_id: IncidentId,
    who: Responder,
    parts: Running,
    remark: Remark | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """It is not over, but under control."""
    return await _take(parts, who, brand, incident_id, "stable", remark, idempotency_key)


@router.post(
    f"{_ONE}/resolve",
    operation_id="resolve_incident",
    summary="Say that it is over",
    response_class=Response,
    responses=_STEP,
)
async def resolve_incident(
    brand: BrandInCrisis,
    incident_id: IncidentId,
    resolution: Resolution,
    who: Responder,
    parts: Running,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Over, and why. What was false counts as no crisis from now on."""
    return await _take(parts, who, brand, incident_id, "resolved", resolution, idempotency_key)


@router.post(
    f"{_ONE}/reopen",
    operation_id="reopen_incident",
    summary="Say that it flares up again",
    response_class=Response,
    responses=_STEP,
)
async def reopen_incident(
    brand: BrandInCrisis,
    incident_id: IncidentId,
    who: Responder,
    parts: Running,
    flare: Flare | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """It is open again, and its resolution counts no more."""
    return await _take(parts, who, brand, incident_id, "reopened", flare, idempotency_key)


@router.post(
    f"{_ONE}/merge",
    operation_id="merge_incident",
    summary="Say that it is a part of another one",
    response_class=Response,
    responses=_STEP,
)
async def merge_incident(
    brand: BrandInCrisis,
    incident_id: IncidentId,
    merge: Merge,
    who: Responder,
    parts: Running,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """It counts as no crisis of its own from now on; the other one goes on as it is."""
    return await _take(parts, who, brand, incident_id, "merged", merge, idempotency_key)


@router.post(
    f"{_ONE}/split",
    operation_id="split_incident",
    summary="Take two crises apart",
    response_class=Response,
    responses=_STEP,
)
async def split_incident(
    brand: BrandInCrisis,
    incident_id: IncidentId,
    who: Responder,
    parts: Running,
    remark: Remark | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A merged one is open again on its own. Of one that goes on a part becomes a crisis of its own: `into` of the last
    step names it, and it is opened now.
    """
    return await _take(parts, who, brand, incident_id, "split", remark, idempotency_key)


@router.post(
    f"{_ONE}/notes",
    operation_id="note_incident",
    summary="Write something down",
    response_class=Response,
    responses=_STEP,
)
async def note_incident(
    brand: BrandInCrisis,
    incident_id: IncidentId,
    note: Note,
    who: Responder,
    parts: Running,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A note changes nothing else; it is possible in every state."""
    return await _take(parts, who, brand, incident_id, "noted", note, idempotency_key)


@router.get(
    _ONE,
    operation_id="read_incident",
    summary="One crisis, with all its steps",
    response_class=Response,
    responses={**told(IncidentDetail), **problems(*_REFUSALS, UnknownIncident)},
)
async def read_incident(
    brand: BrandToRead, incident_id: IncidentId, parts: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Where it stands, and who did what when. The steps are its audit: none is ever changed or removed."""
    return answer(encoded(msgspec.json.encode(await parts.incidents.read(brand, incident_id))), if_none_match)
