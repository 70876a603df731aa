"""Who is calling: the FastAPI side of API keys. The directory is `app.state.directory`."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bellwether.adapters.postgres.directory import Brand, Directory
from bellwether.domain.errors import MissingScope, Refused, UnknownBrand
from bellwether.domain.keys import Caller, Scope
from bellwether.observability import metrics

# For OpenAPI: the header itself is read raw, so that every wrong one gets the same answer.
bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="An API key: `bw_<id>_<secret>`.")


async def directory(request: Request) -> Directory:
    """The directory of the running app."""
    found = request.app.state.directory
    assert isinstance(found, Directory)  # noqa: S101 - set by the service's lifespan
    return found


def caller(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """A dependency that gives the caller, if the key carries the scope.

    Raises Unauthenticated (401) without a valid key and MissingScope (403) without the scope.
    """

    async def authenticated(
        request: Request,
        _documented: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
        known: Annotated[Directory, Depends(directory)],
    ) -> Caller:
        return await authorize(known, request.headers.get("authorization"), scope)

    return authenticated


async def authorize(known: Directory, header: str | None, scope: Scope) -> Caller:
    """The caller of an Authorization header, if the key carries the scope; refusals are counted by reason."""
    try:
        found = await known.authenticate_fresh(header)
        if not found.may(scope):
            raise MissingScope(scope)
    except Refused as error:
        metrics.REQUESTS_REFUSED.labels(reason="scope" if isinstance(error, MissingScope) else "key").inc()
        raise
    return found


async def visible_brand(known: Directory, who: Caller, slug: str) -> Brand:
    """The caller's brand. Raises UnknownBrand alike for none, another tenant's, and one outside the key's list."""
    found = await known.brand_fresh(who.tenant, slug) if who.sees(slug) else None
    if found is None:
        raise UnknownBrand
    return found
