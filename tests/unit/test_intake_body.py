"""Reading a body, its modes and its limits, without a network."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import Iterable, MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.errors import (
    BellwetherError,
    Malformed,
    RateLimited,
    TooLarge,
    TooSlow,
    Unavailable,
    UnsupportedMediaType,
)
from bellwether_ingest.body import BodyReader, Gone, Receive, inflater_for
from bellwether_ingest.limits import InFlight, RateLimiter
from bellwether_ingest.media import Mode, mode_of

MIB = 1024**2


def arriving(chunks: Iterable[bytes], *, ends: bool = True) -> Receive:
    """An ASGI receive that gives these chunks, then the end or a hang-up."""
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b""} if ends else {"type": "http.disconnect"})
    waiting = iter(messages)

    async def receive() -> MutableMapping[str, Any]:
        return next(waiting)

    return receive


async def read(
    *chunks: bytes, encoding: str = "", most: int = 5 * MIB, announced: int | None = None, ends: bool = True
) -> bytes:
    with InFlight(10, 64 * MIB).request("north") as hold:
        reader = BodyReader(arriving(chunks, ends=ends), most, 1.0)
        return await reader.read(inflater_for(encoding), announced, hold)


async def test_chunks_make_a_body() -> None:
    assert await read(b"ab", b"", b"c") == b"abc"


async def test_a_gzip_body_is_inflated_even_in_single_bytes_and_several_members() -> None:
    packed = gzip.compress(b"hello " * 1000) + gzip.compress(b"world")
    assert await read(*(packed[i : i + 1] for i in range(len(packed))), encoding="gzip") == b"hello " * 1000 + b"world"
    assert await read(packed, encoding="GZIP") == b"hello " * 1000 + b"world"


@given(st.binary(max_size=300_000), st.integers(1, 5000))
async def test_gzip_gives_back_what_was_packed(body: bytes, step: int) -> None:
    packed = gzip.compress(body)
    assert await read(*(packed[i : i + step] for i in range(0, len(packed), step)), encoding="gzip") == body


async def test_a_gzip_bomb_is_refused_at_the_limit_and_not_inflated() -> None:
    bomb = gzip.compress(bytes(200 * MIB), 9)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        await read(bomb, encoding="gzip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MIB


@pytest.mark.parametrize(
    ("refused", "chunks", "options"),
    [
        (TooLarge, [b"x" * 11], {"most": 10}),
        (TooLarge, [b"x" * 6, b"x" * 5], {"most": 10, "announced": 3}),
        (TooLarge, [], {"most": 10, "announced": 11}),
        (Malformed, [b"not gzip"], {"encoding": "gzip"}),
        (Malformed, [gzip.compress(b"hello")[:-3]], {"encoding": "gzip"}),
        (Malformed, [gzip.compress(b"hello") + b"rest"], {"encoding": "gzip"}),
        (UnsupportedMediaType, [], {"encoding": "gzip, gzip"}),
        (UnsupportedMediaType, [], {"encoding": "br"}),
        (UnsupportedMediaType, [], {"encoding": "deflate"}),
    ],
)
async def test_a_body_beyond_the_rules_is_refused(
    refused: type[BellwetherError], chunks: list[bytes], options: dict[str, Any]
) -> None:
    with pytest.raises(refused):
        await read(*chunks, **options)


async def test_a_client_that_hangs_up_is_gone() -> None:
    with pytest.raises(Gone):
        await read(b"half", ends=False)


async def test_a_body_that_never_ends_is_too_slow() -> None:
    async def silence() -> MutableMapping[str, Any]:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    with InFlight(1, MIB).request("north") as hold, pytest.raises(TooSlow):
        await BodyReader(silence, MIB, 0.01).read(inflater_for(""), None, hold)


async def test_bytes_in_flight_are_bounded_over_all_requests_and_freed_at_the_end() -> None:
    flight = InFlight(2, 100)
    with flight.request("north") as one, flight.request("south") as two:
        one.grow(60)
        with pytest.raises(Unavailable):
            two.grow(41)
        two.grow(40)
        with pytest.raises(Unavailable), flight.request("east"):
            pass
    assert (flight.requests, flight.bytes) == (0, 0)


async def test_one_tenant_leaves_a_quarter_of_what_is_in_flight_to_the_others() -> None:
    flight = InFlight(4, 100)
    with flight.request("north") as one, flight.request("north"), flight.request("north"):
        with pytest.raises(Unavailable), flight.request("north"):
            pass
        one.grow(75)
        with pytest.raises(Unavailable):
            one.grow(1)
        with flight.request("south") as other:
            other.grow(25)
    with flight.request("north"):
        assert (flight.requests, flight.bytes) == (1, 0)


@pytest.mark.parametrize(
    ("content_type", "has_attributes", "mode"),
    [
        ("application/cloudevents+json", False, Mode.STRUCTURED),
        ("Application/CloudEvents+JSON; charset=UTF-8", True, Mode.STRUCTURED),
        ("application/cloudevents-batch+json;charset=\"utf-8\"", False, Mode.BATCH),
        ("application/x-ndjson", False, Mode.LINES),
        ("application/json", True, Mode.BINARY),
        ("application/json", False, Mode.JSON),
    ],
)  # fmt: skip
def test_the_content_type_decides_the_mode(content_type: str, has_attributes: bool, mode: Mode) -> None:
    assert mode_of(content_type, has_attributes=has_attributes) is mode


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/cloudevents+xml", "application/json; charset=utf-16", "application/avro"],
)
def test_another_content_type_is_not_understood(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        mode_of(content_type, has_attributes=True)


def test_a_name_in_debt_waits_until_it_is_paid_back() -> None:
    now = [0.0]
    limiter = RateLimiter("events", 10, 20, clock=lambda: now[0])
    limiter.check("a")
    limiter.charge("a", 50)
    with pytest.raises(RateLimited) as refused:
        limiter.check("a")
    assert refused.value.retry_after_s == 4
    assert (limiter.policy_field, limiter.state_field("a")) == (b'"events";q=20;w=2', b'"events";r=0;t=5')
    limiter.check("b")
    now[0] += refused.value.retry_after_s
    limiter.check("a")


def test_names_beyond_the_bound_are_forgotten_oldest_first() -> None:
    limiter = RateLimiter("refusals", 0.001, 1, most_names=2, clock=lambda: 0.0)
    for name in ("a", "b", "c"):
        limiter.charge(name, 5)
    limiter.check("a")
    with pytest.raises(RateLimited):
        limiter.check("c")
