"""The stream of the API, a process of its own on real PostgreSQL: who is told what, once and in order, and how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack

import httpx2
import pytest

from bellwether.adapters.postgres.keys import revoke_key
from bellwether.domain.keys import Scope, key_id_of
from tests.support.api import READER, seeding
from tests.support.backends import Servers
from tests.support.listener import Ended, Heard, listening
from tests.support.patience import PATIENCE_S
from tests.support.streaming import Ground, World, new_slug, on_ground, streaming
from tests.support.telling import HOME, KPI, telling


@pytest.fixture(scope="module")
async def world(
    stack: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    async with streaming(stack, template_database, tmp_path_factory.mktemp("api")) as world:
        yield world


@pytest.fixture
async def ground(world: World) -> AsyncIterator[Ground]:
    async with on_ground(world) as ground:
        yield ground


def mentions(heard: Heard, window: str = HOME) -> float | None:
    found: float | None = heard.data["kpis"][KPI][window]["value"]
    return found


def told(heard: Iterable[Heard]) -> list[str]:
    """The ids of the events behind the steps that were told."""
    return [one.data["step"]["event_id"] for one in heard if one.event == "incident"]


async def test_whoever_listens_is_told_the_present_and_then_what_changes_and_nothing_else(ground: Ground) -> None:
    await ground.teller.values(ground.brand_id, 3, others={"content_reach": 8.0})
    async with ground.listen() as listener:
        assert listener.status == 200
        assert listener.head["content-type"].startswith("text/event-stream")
        assert listener.head["cache-control"] == "no-store"
        present, ready = await listener.ready()
        assert (present.event, present.data["whole"], present.data["brand"]) == ("kpis", True, ground.slug)
        assert (mentions(present), present.data["kpis"]["content_reach"][HOME]["value"]) == (3.0, 8.0)
        assert (present.id, ready.id is not None, ready.data["brands"]) == (None, True, [ground.slug])
        await ground.teller.values(ground.brand_id, 4, others={"content_reach": 8.0})
        assert mentions(await listener.next()) == 4.0  # the first one after the present may be whole
        await ground.teller.values(ground.brand_id, 5, others={"content_reach": 8.0})
        changed = await listener.next()
    assert (changed.data["whole"], list(changed.data["kpis"]), mentions(changed)) == (False, [KPI], 5.0)


async def test_figures_have_the_shape_and_the_values_that_a_read_of_them_has(ground: Ground) -> None:
    await ground.teller.values(ground.brand_id, 7)
    query = f"keys={KPI}&window=1h,24h,month"
    async with ground.listen(f"?{query}") as listener, httpx2.AsyncClient(base_url=ground.world.url) as client:
        present, _ = await listener.ready()
        read = await client.get(f"/v1/brands/{ground.slug}/kpis?{query}", headers=ground.headers)
    (cut,) = read.json()["cuts"]
    assert present.data == {"brand": ground.slug, "whole": True, **cut}


async def test_a_cut_and_topics_are_chosen_and_what_is_not_chosen_is_not_told(ground: Ground) -> None:
    await ground.teller.values(ground.brand_id, 1)
    await ground.teller.values(ground.brand_id, 2, cut="channel=x")
    async with (
        ground.listen("?cut=channel%3Dx&topics=kpis") as of_channel,
        ground.listen("?topics=incidents") as of_crises,
    ):
        present, _ = await of_channel.ready()
        assert (present.data["cut"], mentions(present)) == ("channel=x", 2.0)
        assert [one.event for one in await of_crises.ready()] == ["ready"]
        (opened,) = await ground.teller.steps(ground.brand_id, "chosen", 1)
        await ground.teller.values(ground.brand_id, 9)
        await ground.teller.values(ground.brand_id, 3, cut="channel=x")
        step = await of_crises.next()
        assert told([step]) == [opened]
        assert (step.data["incident"]["id"], step.data["incident"]["state"], step.data["step"]["phase"]) == (
            *("chosen", "open"),
            "opened",
        )
        assert mentions(await of_channel.next()) == 3.0


async def test_a_transaction_that_began_earlier_and_commits_later_is_told_once_live_and_after_a_resume(
    ground: Ground,
) -> None:
    async with telling(ground.world.dsn) as early, ground.listen() as listener:
        await listener.ready()
        begun = early.connection.transaction()
        await begun.start()
        first = await early.step(ground.brand_id, "early", "opened", 0)
        await early.values(ground.brand_id, 41, cut="channel=x")
        second = (await ground.teller.steps(ground.brand_id, "late", 1))[0]
        assert told([await listener.next()]) == [second]
        before = listener.last_id
        async with ground.listen("", before) as resumed:
            assert [one.event for one in await resumed.ready()] == ["ready"]
        await begun.commit()
        assert told([await listener.next()]) == [first]
        async with ground.listen("", before) as resumed:
            assert told(await resumed.ready()) == [first]
        async with ground.listen("?cut=channel%3Dx", before) as resumed:
            again = await resumed.ready()
            assert told(again) == [first]
            assert [mentions(one) for one in again if one.event == "kpis"] == [41.0]
        async with ground.listen("", listener.last_id) as resumed:
            assert told(await resumed.ready()) == []


async def test_a_listener_cut_off_after_any_event_goes_on_without_gap_and_without_a_step_twice(ground: Ground) -> None:
    async with ground.listen() as listener:
        await listener.ready()
        last_id = listener.last_id
    wanted = [
        event_id
        for name, steps in (("a", 3), ("b", 1), ("c", 2))
        for event_id in await ground.teller.steps(ground.brand_id, name, steps)
    ]
    await ground.teller.values(ground.brand_id, 6)
    found: list[Heard] = []
    for _ in range(20):
        async with ground.listen("", last_id) as listener:
            found.append(await listener.next())
            if found[-1].event == "kpis":
                found.append(await listener.next())
            last_id = listener.last_id
        if found[-1].event == "ready":
            break
    assert told(found) == wanted
    assert next(mentions(one) for one in found if one.event == "kpis") == 6.0


async def test_steps_of_one_transaction_are_told_live_one_by_one_with_ids_to_go_on_after_each(ground: Ground) -> None:
    async with ground.listen() as listener:
        await listener.ready()
        wanted = await ground.teller.steps(ground.brand_id, "one-by-one", 5)
        heard = [await listener.next() for _ in wanted]
    assert told(heard) == wanted
    for number, one in enumerate(heard, start=1):
        assert one.id is not None
        async with ground.listen("", one.id) as resumed:
            assert told(await resumed.ready()) == wanted[number:]


@pytest.mark.parametrize("what", ["nonsense", "giant", "foreign", "future", "bent"])
async def test_an_id_that_leads_nowhere_is_answered_with_resync_and_the_present(ground: Ground, what: str) -> None:
    await ground.teller.values(ground.brand_id, 2)
    await ground.teller.steps(ground.brand_id, f"resync-{what}", 1)
    async with ground.listen() as listener:
        await listener.ready()
    lineage, _, snapshot = listener.last_id.partition(";")
    least, beyond, _ = snapshot.split(":")
    wrong = {
        "nonsense": "42 or 1=1",
        "giant": f"{lineage};{least}:{beyond}:" + ",".join(["1"] * 20_000),
        "foreign": f"{'0' * 8};{snapshot}",
        "future": f"{lineage};{least}:{int(beyond) + 10**9}:",
        "bent": f"{lineage};{beyond}:{int(least) - 1}:",
    }
    async with ground.listen("", wrong[what]) as resumed:
        resync, present, ready = await resumed.ready()
    assert (resync.event, resync.data["reason"], resync.id) == ("resync", "unknown", None)
    assert (mentions(present), present.data["whole"], ready.id is not None) == (2.0, True, True)


async def test_too_many_steps_for_one_resume_are_told_as_resync(ground: Ground) -> None:
    other = await ground.world.seed.key(brands=[await _another(ground.world)])
    async with ground.listen() as listener, listening(ground.world.url, other) as not_concerned:
        await listener.ready()
        await not_concerned.ready()
        last_id = listener.last_id
        await _say_much(ground)
        told_live, _ = await listener.ready()
        with pytest.raises(TimeoutError):
            await not_concerned.next(1)
    async with ground.listen("", last_id) as resumed:
        told_later, ready = await resumed.ready()
    for resync in (told_live, told_later):
        assert (resync.event, resync.data["reason"], ready.event) == ("resync", "too_much", "ready")


async def _say_much(ground: Ground) -> None:
    await ground.teller.connection.execute(
        """
        INSERT INTO incident_word (brand_id, incident_id, at, phase, source, event_id, by_name, note, other_incident,
            signal, numbers, known_on, recorded_at)
        SELECT $1, 'many', 0, 'noted', '/partner', n::text, '', '', '', '', '', 0, 0 FROM generate_series(1, 1001) n
        """,
        ground.brand_id,
    )


async def test_a_line_break_in_a_field_stays_in_one_line_of_data(ground: Ground) -> None:
    note = 'data: {"forged": true}\r\n\r\nevent: resync\ndata: 1\u2028\u0085\n\n'
    async with ground.listen() as listener:
        await listener.ready()
        await ground.teller.step(ground.brand_id, "broken", "opened", 0, note)
        heard = await listener.next()
    assert (heard.event, heard.lines, heard.data["step"]["note"]) == ("incident", 1, note)


async def test_silence_is_broken_by_comments_and_a_client_is_told_when_to_come_back(ground: Ground) -> None:
    async with ground.listen() as listener:
        await listener.ready()
        assert listener.retry_ms == 2_000
        before = listener.comments
        with pytest.raises(TimeoutError):
            await listener.next(1.0)
        assert listener.comments > before


async def test_another_tenants_brand_is_as_if_it_were_not_and_never_heard_of(ground: Ground) -> None:
    async with seeding(ground.world.dsn, f"stranger-{ground.slug}") as stranger:
        theirs = await stranger.brand(f"theirs-{ground.slug}")
        headers = await stranger.key()
    answers = []
    for slug in (f"theirs-{ground.slug}", "absent"):
        async with ground.listen(f"?brands={ground.slug},{slug}") as refused:
            answers.append((refused.status, await refused.body()))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    async with (
        ground.listen() as ours,
        listening(ground.world.url, headers) as stranger_listens,
        listening(ground.world.url, headers, last_id=await _id_of(ground)) as with_our_id,
    ):
        await ours.ready()
        for listener in (stranger_listens, with_our_id):
            assert (await listener.ready())[-1].data["brands"] == [f"theirs-{ground.slug}"]
        await ground.teller.steps(ground.brand_id, "ours", 1)
        await ground.teller.values(ground.brand_id, 1)
        await ground.teller.steps(theirs, "theirs", 1)
        assert {(await stranger_listens.next()).data["incident"]["id"]} == {"theirs"}
        assert told([await with_our_id.next()]) == ["theirs 0"]
        assert told(await ours.until(lambda one: one.event == "incident")) == ["ours 0"]


async def _id_of(ground: Ground) -> str:
    async with ground.listen() as listener:
        await listener.ready()
        return str(listener.last_id)


async def test_a_key_is_taken_from_the_header_alone_and_needs_the_scope(ground: Ground) -> None:
    key = ground.headers["Authorization"].removeprefix("Bearer ")
    sender = await ground.world.seed.key((Scope.EVENTS_WRITE,))
    for query, headers, status in (
        (f"?access_token={key}", {}, 401),
        (f"?access_token={key}", ground.headers, 422),
        ("", sender, 403),
        ("?topics=weather", ground.headers, 422),
        ("?cut=channel", ground.headers, 422),
        ("?keys=nonsense", ground.headers, 422),
    ):
        async with listening(ground.world.url, headers, query) as refused:
            assert refused.status == status
            assert key not in str(await refused.body())


async def test_streams_end_within_seconds_of_their_key_being_revoked_or_narrowed(ground: Ground) -> None:
    world = ground.world
    revoked, narrowed = await world.seed.key(), await world.seed.key(brands=[ground.slug, await _another(world)])
    key_ids = [key_id_of(headers["Authorization"].removeprefix("Bearer ")) for headers in (revoked, narrowed)]
    async with (
        listening(world.url, revoked) as first,
        listening(world.url, revoked, receive_bytes=2_048) as deaf,
        listening(world.url, narrowed) as second,
        ground.listen() as other,
    ):
        for listener in (first, second, other):
            await listener.ready()
        async with ground.teller.connection.transaction():
            for number in range(30):
                await ground.teller.step(ground.brand_id, "large", "noted", number, "x" * 40_000)
        for listener in (first, second, other):
            assert len([await listener.next() for _ in range(30)]) == 30
        began = time.monotonic()
        connection = world.seed.connection
        await revoke_key(connection, world.seed.tenant_id, key_ids[0] or "")
        await connection.execute("UPDATE api_key SET brands = $2 WHERE key_id = $1", key_ids[1], [ground.slug])
        for listener in (first, second):
            with pytest.raises(Ended):
                await listener.until(lambda _: False)
        await _only_open(world, 1)  # also that of the deaf one, to whom nothing more can be written
        assert time.monotonic() - began < 20
        with pytest.raises(Ended):
            await deaf.until(lambda _: False)
        await ground.teller.values(ground.brand_id, 1)
        assert (await other.next()).event == "kpis"
        async with listening(world.url, revoked) as refused:
            assert refused.status == 401


async def _only_open(world: World, streams: int) -> None:
    async with httpx2.AsyncClient(base_url=world.url) as client, asyncio.timeout(PATIENCE_S):
        while f"bellwether_streams_open {streams}.0" not in (await client.get("/metrics")).text:
            await asyncio.sleep(0.1)


async def _another(world: World) -> str:
    slug = new_slug()
    await world.seed.brand(slug)
    return slug


async def test_whoever_listens_to_all_brands_begins_to_hear_of_a_new_one_where_it_left_off(world: World) -> None:
    async with seeding(world.dsn, f"growing-{new_slug()}") as seed, telling(world.dsn) as teller:
        await seed.brand("first")
        headers = await seed.key()
        async with listening(world.url, headers) as listener:
            await listener.ready()
            brand_id = await seed.brand("second")
            await teller.values(brand_id, 5)
            with pytest.raises(Ended):
                await listener.until(lambda _: False)
        async with listening(world.url, headers, last_id=listener.last_id) as resumed:
            *values, ready = await resumed.ready()
    assert [(one.data["brand"], mentions(one)) for one in values] == [("second", 5.0)]
    assert ready.data["brands"] == ["first", "second"]


async def test_a_key_has_so_many_streams_and_no_more_until_one_ends(ground: Ground) -> None:
    async with AsyncExitStack() as exits:
        opened = [await exits.enter_async_context(ground.listen()) for _ in range(4)]
        assert {listener.status for listener in opened} == {200}
        async with ground.listen() as refused:
            assert (refused.status, int(refused.head["retry-after"]) >= 1) == (429, True)
        async with listening(ground.world.url, await ground.world.seed.key(READER)) as of_another_key:
            assert of_another_key.status == 200
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with ground.listen() as again:
                if again.status == 200:
                    return


async def test_a_reader_that_does_not_read_is_told_to_begin_anew_and_nobody_waits_for_it(ground: Ground) -> None:
    wanted: list[str] = []
    async with ground.listen() as quick, ground.listen(receive_bytes=2_048) as slow:
        await quick.ready()
        await slow.ready()
        rounds = 24
        for number in range(rounds):
            wanted += await ground.teller.steps(ground.brand_id, f"flood-{number}", 40)
            heard = [await quick.next() for _ in range(40)]
            assert told(heard) == wanted[-40:]
        await ground.teller.values(ground.brand_id, 1)
        late = await slow.until(lambda one: one.event == "resync")
        assert late[-1].data["reason"] == "too_slow"
        assert told(late) == wanted[: len(told(late))]
        assert (await slow.ready())[-1].id is not None
        await ground.teller.steps(ground.brand_id, "after", 1)
        assert told(await slow.until(lambda one: one.event == "incident")) == ["after 0"]


async def test_streams_and_what_they_told_are_in_the_metrics(ground: Ground) -> None:
    async with ground.listen() as listener, httpx2.AsyncClient(base_url=ground.world.url) as client:
        await listener.ready()
        text = (await client.get("/metrics")).text
    assert "bellwether_streams_open 1.0" in text
    assert 'bellwether_stream_events_total{event="ready"}' in text
    assert ground.slug not in text


async def test_a_stop_ends_streams_at_once_and_a_postgres_that_was_away_costs_nothing(
    world: World, ground: Ground
) -> None:
    async with ground.listen() as listener:
        await listener.ready()
        began = time.monotonic()
        await world.place.stop()
        with pytest.raises(Ended):
            await listener.until(lambda _: False)
        assert time.monotonic() - began < 10
        (missed,) = await ground.teller.steps(ground.brand_id, "missed", 1)
    assert "Traceback" not in world.place.log
    await world.place.start()
    await world.place.ready()
    async with ground.listen("", listener.last_id) as resumed:
        assert told(await resumed.ready()) == [missed]
        await world.seed.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bellwether-api'"
        )
        (later,) = await ground.teller.steps(ground.brand_id, "later", 1)
        assert told([await resumed.next()]) == [later]
