"""RFC 9457 problem details: the one place that knows which refusal has which HTTP status."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from bellwether.domain import errors
from bellwether.domain.errors import BellwetherError, Fault, RateLimited, Unauthenticated, Unavailable

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "urn:bellwether:problem:"

STATUS: dict[type[BellwetherError], int] = {
    errors.Unauthenticated: 401,
    errors.MissingScope: 403,
    errors.Refused: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.StaleVersion: 412,
    errors.VersionRequired: 428,
    errors.TooSlow: 408,
    errors.TooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.Malformed: 400,
    errors.Invalid: 422,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
    errors.BellwetherError: 500,
}

_TYPES = {errors.RateLimited: "https://iana.org/assignments/http-problem-types#quota-exceeded"}
_log = structlog.get_logger(__name__)


class ProblemFault(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One entry of `errors`: a JSON pointer into what was sent ('' = all of it) and what is wrong there.

    Of a text that people write, line and column are told, too, from 1.
    """

    pointer: str
    detail: str
    line: int | None = None
    column: int | None = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The body of every refusal. It names places in the input, but never repeats the input."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: Sequence[ProblemFault] = ()


def status_of(error: type[BellwetherError]) -> int:
    """The HTTP status of a refusal: its own, else that of the nearest one above it."""
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def type_of(error: type[BellwetherError]) -> str:
    """The stable URI of a refusal: its class name in kebab-case under the project's URN."""
    if error in _TYPES:
        return _TYPES[error]
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in error.__name__)
    return TYPE_BASE + words.lstrip("-")


def problem_of(error: BellwetherError, instance: str = "") -> Problem:
    """The problem that tells of a refusal."""
    kind = type(error)
    return Problem(
        type=type_of(kind),
        title=error.title,
        status=status_of(kind),
        detail=error.detail,
        instance=instance,
        errors=tuple(ProblemFault(fault.pointer, fault.detail, fault.line, fault.column) for fault in error.faults),
    )


def headers_of(error: BellwetherError) -> dict[str, str]:
    """The response headers that a refusal needs besides its body."""
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="bellwether"'}
    if isinstance(error, RateLimited | Unavailable):
        return {"Retry-After": str(error.retry_after_s)}
    return {}


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as a response that no cache keeps."""
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def problems(*kinds: type[BellwetherError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route for OpenAPI: every refusal that it may answer with, by status."""
    told: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        status = status_of(kind)
        before = told.get(status, {}).get("description")
        said = kind.title if before is None else f"{before}; {kind.title}"
        told[status] = {"description": said, "content": {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}}}
    return told


PROBLEM_SCHEMA: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}


def problem_components() -> dict[str, Any]:
    """The JSON Schemas of Problem and its parts, to be put under `components.schemas`."""
    _, components = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")
    return dict(components)


def install(app: FastAPI) -> None:
    """Make every refusal of the app a problem: our own errors, validation, 404 and 405, and what nobody foresaw.

    The app's OpenAPI then describes Problem, and FastAPI's own validation error is gone from it.
    """
    app.add_exception_handler(BellwetherError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
    _describe(app)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, BellwetherError)  # noqa: S101 - registered for this type only
    return respond(problem_of(error, request.url.path), headers_of(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    faults = tuple(Fault(_pointer(one["loc"]), str(one["msg"])) for one in error.errors())
    return await _refused(request, errors.Invalid("Some values are not valid.", faults=faults))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    title = HTTPStatus(error.status_code).phrase
    problem = Problem(type="about:blank", title=title, status=error.status_code, instance=request.url.path)
    return respond(problem, error.headers)


async def _unforeseen(request: Request, error: Exception) -> Response:
    _log.error("unforeseen error", path=request.url.path, method=request.method, exc_info=error)
    return respond(unforeseen(request.url.path))


def unforeseen(instance: str) -> Problem:
    """The problem for an error of ours: it says nothing of what went wrong inside."""
    return Problem(type="about:blank", title="Internal Server Error", status=500, instance=instance)


def _pointer(location: Sequence[object]) -> str:
    """FastAPI's location as a JSON pointer; of query, path and header only the parameter's name is kept."""
    parts = location[1:] if location and location[0] in {"body", "query", "path", "header", "cookie"} else location
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def _describe(app: FastAPI) -> None:
    original: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _replace_validation_error(original())
        assert app.openapi_schema is not None  # noqa: S101 - FastAPI keeps what it made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _replace_validation_error(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for stale in ("HTTPValidationError", "ValidationError"):
        schemas.pop(stale, None)
    schemas.update(problem_components())
    for operation in (one for path in document.get("paths", {}).values() for one in path.values()):
        answer = operation.get("responses", {}).get("422")
        if answer is not None and MEDIA_TYPE not in answer.get("content", {}):
            answer.update(problems(errors.Invalid)[422])
