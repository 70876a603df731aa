"""In which of the CloudEvents modes a request speaks, decided by its headers alone. Pure."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import msgspec

from bellwether.domain.errors import Fault, Invalid, UnsupportedMediaType

RawHeaders = Iterable[tuple[bytes, bytes]]

ACCEPTED = (
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
    "application/json",
)
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,64}")
_UNESCAPE = re.compile(rb"\\(.)")


class Mode(StrEnum):
    """How events stand in a body. A closed set, since it is also a metric label."""

    STRUCTURED = "structured"
    BATCH = "batch"
    LINES = "lines"
    BINARY = "binary"
    JSON = "json"  # plain application/json: the body's first character decides


@lru_cache(maxsize=64)
def mode_of(content_type: str, *, has_attributes: bool) -> Mode:
    """The mode of a Content-Type; `has_attributes`: there is a ce-specversion header.

    Raises UnsupportedMediaType for any other type, and for a charset other than UTF-8.
    """
    media_type, _, parameters = content_type.partition(";")
    _check_charset(parameters)
    match media_type.strip().lower():
        case "application/cloudevents-batch+json":
            return Mode.BATCH
        case "application/cloudevents+json":
            return Mode.STRUCTURED
        case "application/x-ndjson":
            return Mode.LINES
        case "application/json":
            return Mode.BINARY if has_attributes else Mode.JSON
        case _:
            raise UnsupportedMediaType(f"Send one of {', '.join(ACCEPTED)}.")


def envelope(headers: RawHeaders, data: bytes) -> bytes:
    """The event of a binary-mode request in structured mode, its data the very bytes of the body.

    Raises Invalid for an attribute that cannot be decoded and msgspec.DecodeError where the data is no JSON.
    """
    # A document by itself: what is put into another must not be able to close it.
    msgspec.json.decode(data)
    attributes: dict[str, object] = dict(_attributes(headers))
    return msgspec.json.encode({**attributes, "datacontenttype": "application/json", "data": msgspec.Raw(data)})


def _attributes(headers: RawHeaders) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        attribute = name[3:].decode("latin-1").lower()
        if name[:3].lower() != b"ce-" or attribute in {"data", "datacontenttype"}:
            continue
        if not _ATTRIBUTE.fullmatch(attribute) or attribute in found:
            raise Invalid("Attributes are letters and digits, each once.", faults=(Fault("", "bad ce- header"),))
        found[attribute] = _decoded(attribute, value)
    return found


def _decoded(attribute: str, value: bytes) -> str:
    """HTTP binding, 3.1.3.2: first unquote as in RFC 9110, then percent-decode once."""
    text = value.strip()
    if len(text) > 1 and text[:1] == text[-1:] == b'"':
        text = _UNESCAPE.sub(rb"\1", text[1:-1])
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError:
        fault = Fault(f"/{attribute}", "must be percent-encoded UTF-8")
        raise Invalid("An attribute cannot be decoded.", faults=(fault,)) from None


def _check_charset(parameters: str) -> None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in {"utf-8", "utf8", "us-ascii"}:
            raise UnsupportedMediaType("Send UTF-8.")
