"""The administrative commands on a real database and a real log."""

import asyncio
import secrets

import pytest
from aiokafka import AIOKafkaConsumer
from typer.testing import CliRunner, Result

from bellwether.adapters.kafka.topics import Topic, TopicFailed, create_topics
from bellwether.adapters.postgres.pool import open_pool
from bellwether.domain.keys import key_id_of
from bellwether_cli.__main__ import app
from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.patience import PATIENCE_S

PEPPER = "a pepper of sixteen or more"


async def bellwether(dsn: str, *words: str) -> Result:
    """Run a command in a thread of its own, because it brings its own event loop."""
    return await asyncio.to_thread(CliRunner().invoke, app, [*words, "--postgres", dsn])


async def test_a_tenant_is_made_once(database: str) -> None:
    assert (await bellwether(database, "tenants", "create", "acme", "--name", "Acme Ltd")).exit_code == 0
    again = await bellwether(database, "tenants", "create", "acme")
    assert (again.exit_code, again.stderr) == (1, "error: There is a tenant acme already.\n")
    assert "Acme Ltd" in (await bellwether(database, "tenants", "list")).stdout


async def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(database: str) -> None:
    await bellwether(database, "tenants", "create", "acme")
    made = await bellwether(
        database, "keys", "create", "-t", "acme", "--pepper", PEPPER, "--name", "shop", "-s", "events:write"
    )
    key = made.stdout.strip()
    key_id = key_id_of(key)
    assert key_id is not None
    listed = (await bellwether(database, "keys", "list", "-t", "acme")).stdout
    assert key_id in listed
    assert "valid" in listed
    assert key not in listed
    assert (await bellwether(database, "keys", "revoke", key_id, "-t", "acme")).exit_code == 0
    assert "revoked" in (await bellwether(database, "keys", "list", "-t", "acme")).stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("keys", "list", "-t", "nobody"), "There is no tenant nobody."),
        (("keys", "revoke", "abc", "-t", "acme"), "There is no key abc."),
        (("keys", "create", "-t", "acme", "--pepper", PEPPER, "--name", "x", "-s", "admin", "--brand", "b"), "No such"),
    ],
)
async def test_what_does_not_exist_is_told_in_one_line(database: str, words: tuple[str, ...], told: str) -> None:
    await bellwether(database, "tenants", "create", "acme")
    result = await bellwether(database, *words)
    assert result.exit_code == 1
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


async def test_topics_that_exist_stay_as_they_are(stack: Servers) -> None:
    name = f"made.{secrets.token_hex(4)}"
    wanted = [Topic(name, 3, configs={"retention.ms": "-1"})]
    assert await create_topics(stack.kafka_bootstrap, wanted) == [name]
    assert await create_topics(stack.kafka_bootstrap, wanted) == []


async def test_a_topic_that_kafka_refuses_is_named(stack: Servers) -> None:
    with pytest.raises(TopicFailed, match=r"^not allowed!"):
        await create_topics(stack.kafka_bootstrap, [Topic("not allowed!", 1)])


async def test_what_was_put_aside_goes_through_the_log_again_once(
    database: str, topics: Topics, stack: Servers
) -> None:
    async with open_pool(database) as pool:
        await pool.execute(
            "insert into quarantine (stream, part, log_offset, reason, detail, record_key, record_value, recorded_at)"
            " values ('events', 0, 7, 'malformed', 'not JSON', 'acme/shop', '{\"a\":', now()),"
            " ('events', 0, 8, 'no_key', 'no key', null, 'x', now())"
        )
    listed = (await bellwether(database, "quarantine", "list")).stdout
    assert "events-0-7" in listed
    assert "not JSON" in listed
    replayed = await bellwether(
        database, "quarantine", "replay", "--kafka", stack.kafka_bootstrap, "--topic", topics.events
    )
    assert replayed.stdout == "1 replayed\n"
    consumer = AIOKafkaConsumer(
        topics.events, bootstrap_servers=stack.kafka_bootstrap, auto_offset_reset="earliest", group_id=None
    )
    async with consumer:
        record = await asyncio.wait_for(consumer.getone(), PATIENCE_S)
    assert (record.key, record.value) == (b"acme/shop", b'{"a":')
    assert "events-0-7" not in (await bellwether(database, "quarantine", "list")).stdout
