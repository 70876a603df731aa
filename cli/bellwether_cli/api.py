"""The API as a client sees it: brands, values, scorecards."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec
import stamina

from bellwether.domain.errors import BellwetherError
from bellwether.domain.response_times import RESPONSE_TARGET_S, THREAD_GAP_S

_PASSING = frozenset({429, 502, 503, 504})
_PATIENCE_S = 30.0
_CONFLICT = 409


class ApiFailed(BellwetherError):
    """The API refused a request or did not answer; the message has its words."""

    title = "The API did not do it"


class BrandSpec(msgspec.Struct, frozen=True):
    """A brand as the API takes and gives it."""

    slug: str
    name: str
    time_zone: str = "UTC"
    currency: str = "USD"
    competitors: tuple[str, ...] = ()
    business_hours: dict[str, list[str]] | None = None
    holidays: list[dict[str, object]] = []
    closed_answer_policy: str = "zero"
    response_target_s: int = RESPONSE_TARGET_S
    thread_gap_s: int = THREAD_GAP_S


@asynccontextmanager
async def open_api(url: str, key: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the key; closed at the end of the block."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=httpx2.Timeout(30.0, connect=5.0)) as client:
        yield client


async def create_brand(client: httpx2.AsyncClient, brand: BrandSpec) -> bool:
    """Make a brand; False where there is one of that slug already. Raises ApiFailed."""
    response = await ask(client, "POST", "/v1/brands", msgspec.to_builtins(brand))
    if response.status_code == _CONFLICT:
        return False
    checked(response)
    return True


async def list_brands(client: httpx2.AsyncClient) -> list[BrandSpec]:
    """All brands that the key may see, over all pages. Raises ApiFailed."""
    brands: list[BrandSpec] = []
    cursor: str | None = None
    while True:
        page = await get(client, "/v1/brands", cursor=cursor)
        brands += msgspec.convert(page["items"], list[BrandSpec])
        cursor = page.get("next")
        if cursor is None:
            return brands


async def get(client: httpx2.AsyncClient, path: str, **params: str | None) -> Mapping[str, Any]:
    """The JSON object at a path; parameters that are None are left out. Raises ApiFailed."""
    query = {name: value for name, value in params.items() if value is not None}
    response = checked(await ask(client, "GET", path, None, query))
    found: Mapping[str, Any] = response.json()
    return found


async def ask(
    client: httpx2.AsyncClient,
    method: str,
    path: str,
    body: object = None,
    query: Mapping[str, str] | None = None,
    *,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """The answer to a request, repeated while the API is away or busy. Raises ApiFailed.

    body: sent as JSON; content: sent as it is
    """
    sent: dict[str, Any] = {"json": body} if content is None else {"content": content}
    try:
        async for attempt in stamina.retry_context(on=_passing, attempts=None, timeout=_PATIENCE_S, wait_max=2.0):
            with attempt:
                response = await client.request(method, path, params=query or None, headers=headers, **sent)
                if response.status_code in _PASSING:
                    response.raise_for_status()
    except httpx2.HTTPError as error:
        raise ApiFailed(f"{client.base_url}: {str(error) or type(error).__name__}") from error
    return response


def _passing(error: Exception) -> bool:
    return isinstance(error, (httpx2.TransportError, httpx2.HTTPStatusError))


def checked(response: httpx2.Response) -> httpx2.Response:
    """The response. Raises ApiFailed where it is a refusal."""
    if not response.is_success:
        raise ApiFailed(f"HTTP {response.status_code} from {response.url.path}: {_words(response)}")
    return response


def _words(response: httpx2.Response) -> str:
    try:
        problem = response.json()
    except ValueError:
        return response.reason_phrase
    if not isinstance(problem, dict):
        return response.reason_phrase
    told = str(problem.get("detail") or problem.get("title") or response.reason_phrase)
    errors = problem.get("errors")
    more = [
        f"{error.get('pointer', '')}: {error.get('detail', '')}" for error in errors or () if isinstance(error, dict)
    ]
    return "; ".join([told, *more])
