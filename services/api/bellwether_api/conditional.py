"""Conditional requests (RFC 9110): ETag, If-None-Match, If-Match."""

from collections.abc import Mapping

from fastapi import Response

from bellwether.domain.errors import StaleVersion
from bellwether_api.cache import Encoded

_JSON = "application/json"


def _tags(header: str) -> set[str]:
    """The tags of a header; a weak one compares as its strong form."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def has_it(if_none_match: str, etag: str) -> bool:
    """Whether the header names what the ETag names."""
    return not _tags(if_none_match).isdisjoint((etag, "*"))


def answer(encoded: Encoded, if_none_match: str | None, headers: Mapping[str, str] | None = None) -> Response:
    """The answer, or 304 without a body to whoever has it already."""
    told = {"ETag": encoded.etag, "Cache-Control": "private, no-cache", "Vary": "Authorization", **(headers or {})}
    if if_none_match is not None and has_it(if_none_match, encoded.etag):
        return Response(status_code=304, headers=told)
    return Response(encoded.body, media_type=_JSON, headers=told)


def version_tag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def require_match(if_match: str | None, version: int) -> None:
    """Nothing where the header is absent or names the version. Raises StaleVersion."""
    if if_match is not None and not _tags(if_match) & {version_tag(version), "*"}:
        raise StaleVersion("If-Match names another version than the current one; read it again.")
