"""Sending batches over HTTP: bounds, repeats, pace, and what the answers mean."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import httpx2
import msgspec
import pytest

from bellwether_cli.replay.answers import SendingFailed, rejections
from bellwether_cli.replay.mapping import Mapped
from bellwether_cli.replay.sender import MAX_BYTES, Intake, Tally, batches, paced, retry_after_s

Handler = Callable[[httpx2.Request], httpx2.Response]


def row(number: int, *, second: float = 0.0, text: str = "", brand: str = "acme") -> Mapped:
    time = f"2026-01-01T00:00:{second:06.3f}Z"
    return Mapped(number, {"id": str(number), "time": time, "data": {"brand": brand, "text": text}})


def ids(request: httpx2.Request) -> list[str]:
    return [event["id"] for event in msgspec.json.decode(request.content)]


def taken(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(202, json={"accepted": len(ids(request)), "events": [], "rejected": []})


def intake(handler: Handler, *, concurrency: int = 4, patience_s: float = 5.0) -> Intake:
    return Intake(
        "http://intake", "key", concurrency=concurrency, patience_s=patience_s,
        transport=httpx2.MockTransport(handler),
    )  # fmt: skip


async def test_every_row_is_sent_once_in_batches_of_the_size() -> None:
    seen: list[list[str]] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "Bearer key"
        seen.append(ids(request))
        return taken(request)

    tally = Tally()
    async with intake(handler) as sender:
        await sender.send((row(n) for n in range(25)), tally, size=10)
    assert sorted(len(batch) for batch in seen) == [5, 10, 10]
    assert {one for batch in seen for one in batch} == {str(n) for n in range(25)}
    assert (tally.accepted, tally.rejected) == (25, 0)


async def test_no_more_requests_are_open_at_once_than_allowed() -> None:
    open_now = most = 0

    async def handler(request: httpx2.Request) -> httpx2.Response:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        for _ in range(5):
            await asyncio.sleep(0)
        open_now -= 1
        return taken(request)

    sender = Intake("http://intake", "key", concurrency=3, transport=httpx2.MockTransport(handler))
    async with sender:
        await sender.send((row(n, brand=f"brand-{n % 5}") for n in range(40)), Tally(), size=1)
    assert most == 3


async def test_events_of_a_brand_arrive_in_order_though_some_requests_take_longer_and_others_are_repeated() -> None:
    seen: list[int] = []
    refused: set[int] = set()

    async def handler(request: httpx2.Request) -> httpx2.Response:
        numbers = [int(one) for one in ids(request)]
        await asyncio.sleep(0.001 * (-numbers[0] % 7))
        if numbers[0] % 5 == 0 and numbers[0] not in refused:
            refused.add(numbers[0])
            return httpx2.Response(503, headers={"Retry-After": "0"})
        seen.extend(numbers)
        return taken(request)

    async with Intake("http://intake", "key", transport=httpx2.MockTransport(handler)) as sender:
        await sender.send((row(n, brand=f"brand-{n % 3}") for n in range(90)), Tally(), size=2)
    by_brand = [[n for n in seen if n % 3 == brand] for brand in range(3)]
    assert by_brand == [list(range(brand, 90, 3)) for brand in range(3)]
    assert seen != sorted(seen), "requests of brands went one after the other"


async def test_a_request_that_found_no_room_is_repeated_with_the_same_ids() -> None:
    seen: list[list[str]] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(ids(request))
        return httpx2.Response(503, headers={"Retry-After": "0"}) if len(seen) < 3 else taken(request)

    tally = Tally()
    async with intake(handler) as sender:
        await sender.send([row(1)], tally)
    assert seen == [["1"]] * 3
    assert (tally.accepted, tally.retries) == (1, 2)


async def test_an_intake_that_stays_away_ends_the_sending_with_its_address() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    async with intake(handler, patience_s=0.05) as sender:
        with pytest.raises(SendingFailed, match=r"http://intake did not take the events: refused"):
            await sender.send([row(1), row(2)], Tally(), size=1)


async def test_a_wrong_key_ends_the_sending_at_once() -> None:
    async with intake(lambda _: httpx2.Response(401, json={"title": "A valid API key is needed"})) as sender:
        with pytest.raises(SendingFailed, match=r"HTTP 401 .*A valid API key is needed"):
            await sender.send((row(n) for n in range(100)), Tally(), size=1)


async def test_rejected_events_are_counted_with_row_and_reason() -> None:
    problem = {"title": "No such brand", "errors": [{"pointer": "/1/data/brand", "detail": "no such brand"}]}
    answer = {"accepted": 1, "events": [], "rejected": [{"index": 1, "id": "8", "problem": problem}]}
    tally = Tally()
    async with intake(lambda _: httpx2.Response(202, json=answer)) as sender:
        await sender.send([row(7), row(8)], tally)
    assert (tally.accepted, tally.rejected) == (1, 1)
    assert [(r.row, r.id, r.reason) for r in tally.rejections] == [(8, "8", "data.brand: no such brand")]


def test_a_batch_that_was_bad_as_a_whole_tells_each_reason_it_knows() -> None:
    problem = {"detail": "2 of 2 events are bad", "errors": [{"pointer": "/0/time", "detail": "lies before 1970"}]}
    response = httpx2.Response(422, json=problem, request=httpx2.Request("POST", "http://intake"))
    assert rejections(response, 2) == {0: "time: lies before 1970", 1: "2 of 2 events are bad"}


async def test_rows_without_an_event_are_counted_and_not_sent() -> None:
    tally = Tally()
    found = list(batches([Mapped(1, fault="id is empty"), Mapped(2), row(3)], tally, 10))
    assert [[one.row for one in batch.rows] for batch in found] == [[3]]
    assert (tally.rejected, tally.skipped) == (1, 1)
    assert tally.rejections[0].reason == "id is empty"


def test_a_request_stays_below_the_size_that_the_intake_takes() -> None:
    rows = [row(n, text="x" * 100_000) for n in range(100)]
    found = list(batches(rows, Tally(), 1000))
    assert all(len(batch.body) <= MAX_BYTES + 2 for batch in found)
    assert sum(len(batch.rows) for batch in found) == 100
    assert len(found) == 3


async def test_paced_rows_keep_their_gaps_divided_by_the_speed() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    moments: dict[int, float] = {}
    async for group in paced([row(1), row(2, second=2.0), row(3, second=6.0)], speed=10.0):
        moments |= {one.row: loop.time() - began for one in group}
    assert list(moments) == [1, 2, 3]
    assert moments[3] >= 0.59
    assert all(later >= earlier for earlier, later in pairwise(moments.values()))


@pytest.mark.parametrize(("header", "expected"), [("7", 7.0), ("", None), ("soon", None)])
def test_retry_after_is_read_as_seconds(header: str, expected: float | None) -> None:
    assert retry_after_s(httpx2.Response(503, headers={"Retry-After": header})) == expected


def test_retry_after_may_be_a_date_that_has_passed() -> None:
    response = httpx2.Response(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    assert retry_after_s(response) == 0.0
