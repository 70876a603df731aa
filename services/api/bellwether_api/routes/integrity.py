"""/v1/brands/{brand}/integrity/marks: what the integrity screen marks, and what people say of it."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from bellwether.adapters.http.problems import problems
from bellwether.catalogue.screen import RULES
from bellwether.domain.errors import (
    Invalid,
    Malformed,
    MissingScope,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
    UnknownMark,
)
from bellwether_api.cache import encoded
from bellwether_api.conditional import answer
from bellwether_api.documentation import told
from bellwether_api.integrity import NEWEST, Choice, Place, Word, parse_place
from bellwether_api.integrity_shapes import RULE_LIST, MarkOut, MarkPage, RuleList
from bellwether_api.moments import moment_at
from bellwether_api.parts import BrandToChange, BrandToRead, IfNoneMatch, Reader, Running, Writer
from bellwether_api.queries import Moment, reads

router = APIRouter(tags=["integrity"])
_REFUSALS = (Unauthenticated, MissingScope, Invalid, Unavailable, UnknownBrand)
_RULES = encoded(msgspec.json.encode(RULE_LIST))
_END_OF_TIME = 2**62

MarkId = Annotated[
    str,
    Path(pattern="^[0-9a-f]{32}$", description="The mark's id.", examples=["6f1c0a52b1f94d7f8d5e3a9c27b0e411"]),
]


def _moment(description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": "date-time", "description": description})


class MarksQuery(BaseModel):
    """Which marks."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=False)

    rule: Annotated[
        str | None,
        Field(pattern=f"^(?:{'|'.join(RULES)})$", description=f"Only of this rule: {', '.join(RULES)}."),
    ] = None
    overruled: Annotated[bool | None, Field(description="Only those that are overruled, or that are not.")] = None
    start: Annotated[
        Moment | None, _moment("Only of events at or after this moment, RFC 3339."), Field(alias="from")
    ] = None
    to: Annotated[Moment | None, _moment("Only of events before this moment, RFC 3339.")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Most marks on the page.")] = 50
    cursor: Annotated[
        Place | None,
        reads(parse_place),
        WithJsonSchema({"type": "string", "description": "`next` of the page before."}),
    ] = None

    def following(self, cursor: str) -> dict[str, str]:
        """The parameters of the next page."""
        told = self.model_dump(mode="json", by_alias=True, exclude={"cursor", "start", "to"}, exclude_none=True)
        moments = {"from": self.start, "to": self.to}
        told |= {name: moment_at(at).isoformat() for name, at in moments.items() if at is not None}
        return {**{name: str(value).lower() for name, value in told.items()}, "cursor": cursor}

    def choice(self) -> Choice:
        """The same for the database."""
        start, end = self.start or 0, _END_OF_TIME if self.to is None else self.to
        return Choice(start, end, self.rule, self.overruled, self.cursor or NEWEST, self.limit)


class Remark(BaseModel):
    """Who says it, and why; both may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Annotated[str, StringConstraints(min_length=1, max_length=200), Field(examples=["Dana"])] | None = None
    note: (
        Annotated[str, StringConstraints(min_length=1, max_length=4096), Field(examples=["Guests of our event"])] | None
    ) = None


def _one(mark: MarkOut, if_none_match: str | None = None) -> Response:
    return answer(encoded(msgspec.json.encode(mark)), if_none_match)


@router.get(
    "/v1/integrity/rules",
    operation_id="list_integrity_rules",
    summary="The rules of the screen",
    response_class=Response,
    responses={**told(RuleList), **problems(*_REFUSALS[:4])},
)
async def list_integrity_rules(_who: Reader, if_none_match: IfNoneMatch = None) -> Response:
    """Every rule by which interactions and joins are marked as inauthentic."""
    return answer(_RULES, if_none_match)


@router.get(
    "/v1/brands/{brand}/integrity/marks",
    operation_id="list_marks",
    summary="What is marked as inauthentic",
    response_class=Response,
    responses={**told(MarkPage, 200, "Link"), **problems(*_REFUSALS)},
)
async def list_marks(
    brand: BrandToRead, query: Annotated[MarksQuery, Query()], parts: Running, if_none_match: IfNoneMatch = None
) -> Response:
    """Marked events with the grounds and what people said of them, the latest first, a page at a time."""
    page = await parts.marks.page(brand, query.choice())
    path = f"/v1/brands/{brand.slug}/integrity/marks"
    link = {"Link": f'<{path}?{urlencode(query.following(page.next))}>; rel="next"'} if page.next else {}
    return answer(encoded(msgspec.json.encode(page)), if_none_match, link)


@router.get(
    "/v1/brands/{brand}/integrity/marks/{mark_id}",
    operation_id="read_mark",
    summary="One mark",
    response_class=Response,
    responses={**told(MarkOut), **problems(*_REFUSALS, UnknownMark)},
)
async def read_mark(brand: BrandToRead, mark_id: MarkId, parts: Running, if_none_match: IfNoneMatch = None) -> Response:
    """One marked event."""
    return _one(await parts.marks.read(brand, mark_id), if_none_match)


@router.post(
    "/v1/brands/{brand}/integrity/marks/{mark_id}/overrule",
    operation_id="overrule_mark",
    summary="Say that a marked event is genuine",
    response_class=Response,
    responses={**told(MarkOut), **problems(*_REFUSALS, UnknownMark, Malformed, TooLarge)},
)
async def overrule_mark(
    brand: BrandToChange, mark_id: MarkId, who: Writer, parts: Running, remark: Remark | None = None
) -> Response:
    """The event no longer counts as inauthentic: KPIs follow within a second or two, also those of the past.

    A mark that is overruled already stays as it is.
    """
    said = remark or Remark()
    return _one(await parts.marks.say(who, brand, mark_id, Word(True, said.by, said.note)))


@router.post(
    "/v1/brands/{brand}/integrity/marks/{mark_id}/restore",
    operation_id="restore_mark",
    summary="Take back that a marked event is genuine",
    response_class=Response,
    responses={**told(MarkOut), **problems(*_REFUSALS, UnknownMark, Malformed, TooLarge)},
)
async def restore_mark(
    brand: BrandToChange, mark_id: MarkId, who: Writer, parts: Running, remark: Remark | None = None
) -> Response:
    """The event counts as inauthentic again. A mark that is not overruled stays as it is."""
    said = remark or Remark()
    return _one(await parts.marks.say(who, brand, mark_id, Word(False, said.by, said.note)))
