"""How answers are told in OpenAPI, from the types they are encoded from."""

from collections.abc import Iterable
from typing import Any

import msgspec

_HEADERS = {
    "ETag": "Names this version of the answer, for If-None-Match and If-Match.",
    "Link": "The next page, where there is one (RFC 8288).",
    "Location": "The path of what was made.",
    "Idempotency-Replayed": "Whether this is the answer to an earlier request with the same Idempotency-Key.",
}
_DESCRIPTIONS = {200: "As asked for", 201: "Made", 202: "In the log for good, but not applied yet"}
_TEXT = {"type": "string"}
_TEMPLATE = "#/components/schemas/{name}"


def told(shape: type[msgspec.Struct], status: int = 200, *headers: str) -> dict[int | str, dict[str, Any]]:
    """The `responses=` entry of a good answer."""
    answer = {
        "description": _DESCRIPTIONS[status],
        "headers": {name: {"description": _HEADERS[name], "schema": _TEXT} for name in ("ETag", *headers)},
        "content": {"application/json": {"schema": {"$ref": _TEMPLATE.format(name=shape.__name__)}}},
    }
    return {status: answer}


def components(shapes: Iterable[type[msgspec.Struct]]) -> dict[str, Any]:
    """The JSON Schemas of shapes and of all that they are made of."""
    _, found = msgspec.json.schema_components(list(shapes), ref_template=_TEMPLATE)
    return dict(found)
