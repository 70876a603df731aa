"""The OpenAPI document of the intake. Its main path is served in front of FastAPI, so it is described here.

`python -m bellwether_ingest.openapi` writes docs/openapi-ingest.json anew; a contract test compares it with the code.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import FastAPI

from bellwether.adapters.http.problems import MEDIA_TYPE, PROBLEM_SCHEMA, problems
from bellwether.domain.errors import (
    Invalid,
    Malformed,
    MissingScope,
    RateLimited,
    TooLarge,
    TooSlow,
    Unauthenticated,
    Unavailable,
    UnknownBrand,
    UnsupportedMediaType,
)
from bellwether.wire.events import EVENT_TYPES
from bellwether_ingest.intake import PATH, Accepted
from bellwether_ingest.settings import Settings

FILE: Final = Path("docs/openapi-ingest.json")
TITLE: Final = "Bellwether intake"
DESCRIPTION: Final = (
    "Takes social events in. An event that got 202 is in Kafka, acknowledged by all in-sync replicas; after any other "
    "answer, or none, send it again: its identity (source and id, within tenant and brand) counts once."
)

_EXAMPLE: Final = {
    "specversion": "1.0",
    "id": "tweet-570306133677760513",
    "source": "/x/accounts/acme",
    "type": "social.mention.v1",
    "time": "2026-11-22T10:15:00Z",
    "data": {"brand": "acme", "channel": "x", "of": "acme", "text": "Thanks, that was quick!"},
}
_ACCEPTED_EXAMPLE: Final = {
    "accepted": 1,
    "events": [{"index": 0, "id": "tweet-570306133677760513"}],
    "rejected": [
        {
            "index": 1,
            "id": "tweet-570306133677760514",
            "problem": {
                "type": "urn:bellwether:problem:invalid",
                "title": "The input is not valid",
                "status": 422,
                "detail": "Not a valid event.",
                "errors": [{"pointer": "/1/time", "detail": "lies more than 10 minutes in the future"}],
            },
        }
    ],
}
_ATTRIBUTES: Final = ("specversion", "id", "source", "type", "subject", "time")
_REQUIRED_ATTRIBUTES: Final = {"specversion", "id", "source", "type"}


def describe(app: FastAPI, settings: Settings) -> None:
    """Add the intake's path and the events' schemas to the app's document."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        if PATH not in document["paths"]:
            document["paths"] = {PATH: {"post": _post(settings)}, **document["paths"]}
            _components(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def text(document: dict[str, Any]) -> str:
    """The document as it is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _post(settings: Settings) -> dict[str, Any]:
    return {
        "operationId": "send_events",
        "summary": "Send one event or a batch",
        "description": (
            "CloudEvents 1.0 in structured, batch or binary mode, or NDJSON; the Content-Type decides. Plain "
            "application/json is binary mode with ce- headers, else one structured event or an array of them.\n\n"
            f"Limits: {settings.max_body_bytes} bytes a body after inflation (Content-Encoding: gzip), "
            f"{settings.max_events} events a request, {settings.max_event_bytes} bytes an event, 32 levels of nesting."
        ),
        "tags": ["events"],
        "security": [{"ApiKey": ["events:write"]}],
        "parameters": [*_parameters()],
        "requestBody": {"required": True, "content": _contents()},
        "responses": _responses(),
    }


def _parameters() -> list[dict[str, Any]]:
    atomic: dict[str, Any] = {
        "name": "atomic",
        "in": "query",
        "description": "All events of a batch or none: one bad event makes the answer 400.",
        "schema": {"type": "boolean", "default": False},
    }
    headers = [
        {
            "name": f"ce-{name}",
            "in": "header",
            "description": "Binary mode only, percent-encoded."
            + (" Required there." if name in _REQUIRED_ATTRIBUTES else ""),
            "schema": {"type": "string"},
        }
        for name in _ATTRIBUTES
    ]
    return [atomic, *headers]


def _contents() -> dict[str, Any]:
    one = {"$ref": "#/components/schemas/Event"}
    many = {"type": "array", "items": one}
    return {
        "application/cloudevents+json": {"schema": one, "example": _EXAMPLE},
        "application/cloudevents-batch+json": {"schema": many, "example": [_EXAMPLE]},
        "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line."}},
        "application/json": {"schema": {"anyOf": [one, many, {"description": "The data of a binary-mode event."}]}},
    }


def _responses() -> dict[str, Any]:
    refusals = problems(
        Malformed, Unauthenticated, MissingScope, UnknownBrand, TooSlow, TooLarge, UnsupportedMediaType, Invalid,
        RateLimited, Unavailable,
    )  # fmt: skip
    told = {str(status): answer for status, answer in sorted(refusals.items(), key=lambda item: str(item[0]))}
    for status in ("429", "503"):
        told[status]["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    rate = {"description": "RateLimit fields, draft-ietf-httpapi-ratelimit-headers-11.", "schema": {"type": "string"}}
    accepted = {
        "description": "In Kafka, acknowledged; `rejected` says what of the batch is not.",
        "headers": {"RateLimit-Policy": rate, "RateLimit": rate},
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}, "example": _ACCEPTED_EXAMPLE}
        },
    }
    internal = {"description": "A fault of ours", "content": {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}}}
    return {"202": accepted, **told, "500": internal}


def _components(document: dict[str, Any]) -> None:
    template = "#/components/schemas/{name}"
    types = [Accepted, *EVENT_TYPES.values()]
    _, schemas = msgspec.json.schema_components(types, ref_template=template)
    references = {name: template.format(name=event.__name__) for name, event in EVENT_TYPES.items()}
    event = {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "type", "mapping": references},
    }
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update({**schemas, "Event": event})
    components["securitySchemes"] = {
        "ApiKey": {"type": "http", "scheme": "bearer", "description": "An API key: `bw_<id>_<secret>`."}
    }


def main() -> None:
    """Write the committed document."""
    from bellwether_ingest.app import documentation  # noqa: PLC0415 - the app imports this module

    FILE.write_text(text(documentation()), encoding="utf-8")


if __name__ == "__main__":
    main()
