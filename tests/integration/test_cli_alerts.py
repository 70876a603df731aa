"""`bellwether alerts` against a real API: what was sent is shown, a test goes out, dead letters go once more."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from bellwether.adapters.postgres.keys import create_key
from bellwether.domain.keys import Scope
from bellwether_cli.stack.folder import open_folder
from bellwether_cli.stack.ports import free_port
from bellwether_cli.stack.services import Service, Wiring
from tests.support.alert_receiver import receiving
from tests.support.alerting import KEY, delivering, desk
from tests.support.backends import Servers
from tests.support.command import command
from tests.support.databases import Topics

PEPPER = "a pepper of the tests"


async def test_a_test_is_sent_and_dead_letters_are_listed_and_replayed(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    wiring = Wiring(stack.kafka_bootstrap, database, PEPPER, topics.events, topics.quarantine, topics.updates)
    environment = {**wiring.environment("api"), "BELLWETHER_API_ALERT_KEY": KEY}
    async with receiving() as receiver, desk(database) as at_desk, delivering(database):
        endpoint = await at_desk.endpoint(receiver.url)
        key = await _admin_key(at_desk.connection, at_desk.tenant_id)
        with open_folder(tmp_path / "api") as folder:
            service = Service(folder, "api", free_port(), environment)
            await service.start()
            try:
                await service.ready()
                told = ("--api", service.url, "--key", key)
                assert endpoint in await _alerts("endpoints", *told)
                sent = (await _alerts("test", endpoint, *told)).strip()
                await receiver.until(lambda: len(receiver.taken) == 1)
                await at_desk.until("(SELECT state FROM alert_message WHERE message_id = $1) = 'delivered'", sent)
                assert "A test: alerts arrive here" in await _alerts("deliveries", endpoint, *told)
                await at_desk.connection.execute("UPDATE alert_message SET state = 'dead' WHERE message_id = $1", sent)
                assert sent in await _alerts("dead", endpoint, *told)
                assert "1 replayed" in await _alerts("replay", endpoint, *told)
                await receiver.until(lambda: len(receiver.taken) == 2)
                assert sent not in await _alerts("dead", endpoint, *told)
            finally:
                await service.stop()
    assert {request.headers["webhook-id"] for request in receiver.taken} == {sent}


async def _alerts(*words: str) -> str:
    code, told = await command("alerts", *words)
    assert code == 0, told
    return told


async def _admin_key(connection: asyncpg.Connection[asyncpg.Record], tenant_id: int) -> str:
    return await create_key(connection, tenant_id, "admin", (Scope.ADMIN,), None, None, PEPPER)
