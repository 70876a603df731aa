"""`bellwether partitions` on a real database and a real log."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from bellwether.domain.errors import Unavailable
from bellwether_cli.__main__ import app
from tests.support.backends import Servers
from tests.support.databases import PARTITIONS, Topics
from tests.support.intake import free_port
from tests.support.log import initialise_stream, write_records

_ACCEPTED = [f"partition {part}" for part in range(PARTITIONS)]


async def partitions(stack: Servers, dsn: str, topics: Topics, *words: str) -> Result:
    servers = ("--kafka", stack.kafka_bootstrap, "--postgres", dsn, "--topic", topics.events)
    return await asyncio.to_thread(CliRunner().invoke, app, ["partitions", *words, *servers])


async def rows_of(dsn: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_a_stream_is_tied_to_nothing_while_kafka_does_not_answer(database: str) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        await initialise_stream(database, f"127.0.0.1:{free_port()}", "events")
    assert await rows_of(database, "SELECT stream FROM stream_guard") == []


async def test_the_list_says_where_log_and_database_stand(stack: Servers, database: str, topics: Topics) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    await write_records(stack.kafka_bootstrap, topics.events, [(b"acme/one", b"{}")] * 3)
    told = (await partitions(stack, database, topics, "list")).stdout.splitlines()
    assert told[0].split() == ["partition", "next", "log", "begins", "log", "ends", "owner", "halts"]
    assert sorted(line.split()[3] for line in told[1:]) == ["0", "0", "0", "3"]
    assert {line.split()[-1] for line in told[1:]} == {"–"}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("accept", "1"), 1, "Partition 1 is not halted: there is nothing to decide."),
        (("accept", "99"), 1, "There is no partition 99."),
        (("accept",), 2, "name partitions, or say --all"),
        (("accept", "1", "--all"), 2, "name partitions, or say --all"),
    ],
)
async def test_only_what_is_halted_can_be_decided_on(
    stack: Servers, database: str, topics: Topics, words: tuple[str, ...], code: int, told: str
) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    result = await partitions(stack, database, topics, *words)
    assert result.exit_code == code
    assert told in result.stderr


async def test_a_topic_without_offsets_is_told_in_one_line(stack: Servers, database: str, topics: Topics) -> None:
    result = await partitions(stack, database, topics, "list")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "was never initialised" in result.stderr


async def test_another_cluster_is_decided_on_as_a_whole(stack: Servers, database: str, topics: Topics) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    ours = await rows_of(database, "SELECT cluster_id FROM stream_guard")
    await rows_of(database, "UPDATE stream_guard SET cluster_id = 'another'")
    assert "for all partitions at once" in (await partitions(stack, database, topics, "accept", "1")).stderr
    told = (await partitions(stack, database, topics, "accept", "--all")).stdout.splitlines()
    assert [line.partition(":")[0] for line in told] == _ACCEPTED
    assert await rows_of(database, "SELECT cluster_id FROM stream_guard") == ours
    assert (await partitions(stack, database, topics, "accept", "--all")).stdout == "nothing is halted\n"


async def test_what_a_lost_log_had_in_quarantine_makes_way_for_the_new_one_however_often(
    stack: Servers, database: str, topics: Topics
) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    for body in ("first", "second", "third"):
        await rows_of(
            database,
            "INSERT INTO quarantine (stream, part, log_offset, reason, detail, record_value, recorded_at)"
            f" SELECT stream, 0, 7, 'malformed', '', '{body}', now() FROM stream_guard",
        )
        await rows_of(database, "UPDATE stream_offset SET next_offset = 8 WHERE part = 0")
        result = await partitions(stack, database, topics, "accept", "0")
        assert result.stdout == "partition 0: range; 0 records are gone; goes on at 0\n"
    kept = await rows_of(database, "SELECT record_value FROM quarantine WHERE log_offset < 0 ORDER BY log_offset DESC")
    assert kept == [(b"first",), (b"second",), (b"third",)]
    assert await rows_of(database, "SELECT next_offset, last_fingerprint FROM stream_offset WHERE part = 0") == [
        (0, None)
    ]


async def test_an_own_measure_is_not_filled_from_records_that_were_counted_after_the_decision(
    stack: Servers, database: str, topics: Topics
) -> None:
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    await rows_of(database, "INSERT INTO tenant (slug, name) VALUES ('acme', 'acme')")
    await rows_of(
        database,
        "INSERT INTO own_measure_start (stream, part, tenant_id, measure, since_offset)"
        " SELECT stream, 0, tenant_id, 'own', 7 FROM stream_guard, tenant",
    )
    await rows_of(database, "UPDATE stream_offset SET next_offset = 8 WHERE part = 0")
    assert (await partitions(stack, database, topics, "accept", "0")).exit_code == 0
    assert await rows_of(database, "SELECT since_offset FROM own_measure_start") == [(0,)]
