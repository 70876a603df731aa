"""Every row of 'Answers of the intake', over real HTTP into a real Kafka, and what then stands in the log."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from bellwether.adapters.kafka.partitions import Partitions
from bellwether.adapters.postgres.pool import open_pool
from bellwether.domain.keys import new_key
from tests.support.backends import Servers
from tests.support.databases import PARTITIONS, Topics, database_from, fresh_topics
from tests.support.intake import FOREIGN_BRAND, Intake, Keys, intake_process, mention, populate, written
from tests.support.patience import PATIENCE_S


@pytest.fixture(scope="module")
async def shared_database(stack: Servers, template_database: str) -> AsyncIterator[str]:
    async with database_from(stack.postgres_dsn, template_database) as dsn:
        yield dsn


@pytest.fixture(scope="module")
async def shared_topics(stack: Servers) -> AsyncIterator[Topics]:
    async with fresh_topics(stack.kafka_bootstrap) as fresh:
        yield fresh


@pytest.fixture(scope="module")
async def keys(shared_database: str) -> Keys:
    return await populate(shared_database)


@pytest.fixture(scope="module")
async def intake(
    stack: Servers, shared_database: str, keys: Keys, shared_topics: Topics, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Intake]:
    folder = tmp_path_factory.mktemp("intake")
    servers: dict[str, Any] = {"kafka": stack.kafka_bootstrap, "dsn": shared_database}
    async with intake_process(
        folder, **servers, events_topic=shared_topics.events, body_timeout_s=2, head_timeout_s=1
    ) as running:
        yield running


class Log:
    """The topic that the shared intake writes to."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._where = bootstrap, topic

    async def of(self, *ids: str) -> list[ConsumerRecord]:
        """The records with these event ids, in the order of the ids and then of the log."""
        found: dict[str, list[ConsumerRecord]] = {}
        for record in await written(*self._where):
            found.setdefault(json.loads(record.value)["id"], []).append(record)
        return [record for wanted in ids for record in found.get(wanted, [])]


@pytest.fixture
def log(stack: Servers, shared_topics: Topics) -> Log:
    return Log(stack.kafka_bootstrap, shared_topics.events)


async def test_an_accepted_event_is_in_kafka_as_it_came(intake: Intake, keys: Keys, log: Log) -> None:
    body = (
        b'{ "specversion":"1.0", "id":"as-it-came",  "source":"/s", "type":"social.mention.v1",'
        b' "data":{"brand":"acme","channel":"x","of":"acme","text":"\\u00e9 \xc3\xa9","more":[1.50]}, "extra": 1 }'
    )
    before = int(time.time() * 1000)
    answer = await intake.send(body, keys.writer)
    after = int(time.time() * 1000)
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 1, "events": [{"index": 0, "id": "as-it-came"}], "rejected": []}
    (record,) = await log.of("as-it-came")
    assert (record.key, record.value, record.headers) == (b"north/acme", body, ())
    assert record.partition == Partitions(PARTITIONS).of(b"north/acme")
    assert before <= record.timestamp <= after
    assert record.timestamp_type == 0  # CreateTime


async def test_a_batch_goes_to_its_brands_partitions_in_order(intake: Intake, keys: Keys, log: Log) -> None:
    batch = [mention(f"batch-{number}", ("acme", "globex")[number % 2]) for number in range(3000)]
    answer = await intake.send(batch, keys.writer)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 3000)
    assert answer.json()["events"][2999] == {"index": 2999, "id": "batch-2999"}
    for brand, odd in (("acme", 0), ("globex", 1)):
        key = f"north/{brand}".encode()
        mine = [one for one in await log.of(*(f"batch-{n}" for n in range(odd, 3000, 2))) if one.key == key]
        assert {one.partition for one in mine} == {Partitions(PARTITIONS).of(key)}
        assert [one.offset for one in mine] == sorted(one.offset for one in mine)
        assert len(mine) == 1500


async def test_a_batch_larger_than_one_kafka_batch_arrives_whole(intake: Intake, keys: Keys, log: Log) -> None:
    batch = [mention(f"large-{number}", data={"text": "x" * 60_000}) for number in range(80)]
    answer = await intake.send(batch, keys.writer)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 80)
    assert len(await log.of(*(f"large-{number}" for number in range(80)))) == 80


async def test_an_event_of_the_largest_size_is_accepted(intake: Intake, keys: Keys, log: Log) -> None:
    event = mention("largest", data={"text": "x" * 60_000}, more="y" * 463_900)
    assert (await intake.send(event, keys.writer)).status_code == 202
    assert len(await log.of("largest")) == 1


async def test_many_small_requests_at_once_all_arrive_once(intake: Intake, keys: Keys, log: Log) -> None:
    ids = [f"small-{number}" for number in range(300)]
    answers = await asyncio.gather(*(intake.send(mention(one), keys.writer) for one in ids))
    assert {answer.status_code for answer in answers} == {202}
    assert [json.loads(one.value)["id"] for one in await log.of(*ids)] == ids


async def test_binary_mode_builds_the_envelope_around_the_data(intake: Intake, keys: Keys, log: Log) -> None:
    data = b'{ "brand": "acme", "channel": "x", "of": "acme" }'
    headers = {
        "Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "binary", "ce-source": "/s",
        "ce-type": "social.mention.v1", "ce-subject": "caf%C3%A9",
    }  # fmt: skip
    assert (await intake.send(data, keys.writer, headers=headers)).status_code == 202
    (record,) = await log.of("binary")
    assert data in record.value
    assert json.loads(record.value)["subject"] == "café"


async def test_lines_plain_json_and_gzip_are_understood(intake: Intake, keys: Keys, log: Log) -> None:
    lines = b"\n".join(json.dumps(mention(f"line-{number}")).encode() for number in range(3))
    answer = await intake.send(lines, keys.writer, headers={"Content-Type": "application/x-ndjson"})
    assert answer.json()["accepted"] == 3
    plain = json.dumps([mention("plain")]).encode()
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert (await intake.send(gzip.compress(plain), keys.writer, headers=packed)).status_code == 202
    assert len(await log.of("line-0", "line-1", "line-2", "plain")) == 4


async def test_some_bad_events_of_a_batch_leave_the_good_ones_accepted(intake: Intake, keys: Keys, log: Log) -> None:
    answer = await intake.send([mention("fine"), mention("bad", time="2099-01-01T00:00:00Z")], keys.writer)
    assert answer.status_code == 202
    assert answer.json()["events"] == [{"index": 0, "id": "fine"}]
    (rejected,) = answer.json()["rejected"]
    assert (rejected["index"], rejected["id"], rejected["problem"]["status"]) == (1, "bad", 422)
    assert rejected["problem"]["errors"][0]["pointer"] == "/1/time"
    assert len(await log.of("fine", "bad")) == 1


async def test_atomic_means_all_or_none(intake: Intake, keys: Keys, log: Log) -> None:
    answer = await intake.send([mention("none"), {}], keys.writer, params={"atomic": "true"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/1/type")
    assert await log.of("none") == []
    assert (await intake.send([mention("all")], keys.writer, params={"atomic": "true"})).status_code == 202
    assert (await intake.send([mention("odd")], keys.writer, params={"atomic": "maybe"})).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[" * 10_000, 413), ([], 202), ([{}], 422), ({}, 422), ([1, 2], 422)],
    ids=["nothing", "half", "too deep", "empty batch", "no event", "not CloudEvents", "numbers"],
)
async def test_what_is_no_event_is_a_problem(intake: Intake, keys: Keys, body: object, status: int) -> None:
    answer = await intake.send(body, keys.writer)
    assert answer.status_code == status
    if status != 202:
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["status"], answer.json()["instance"]) == (status, "/v1/events")


@pytest.mark.parametrize(
    "kind", ["none", "malformed", "checksum", "unknown", "expired", "revoked", "basic", "text", "twice"]
)
async def test_without_a_valid_key_every_answer_is_the_same_401(intake: Intake, keys: Keys, kind: str) -> None:
    wrong = {
        "malformed": "Bearer bw_short", "checksum": f"Bearer {keys.writer[:-1]}é", "unknown": f"Bearer {new_key()}",
        "expired": f"Bearer {keys.expired}", "revoked": f"Bearer {keys.revoked}", "basic": f"Basic {keys.writer}",
        "text": "Bearer ключ",
    }  # fmt: skip
    headers = [(b"authorization", wrong[kind].encode())] if kind in wrong else []
    if kind == "twice":
        headers = [(b"authorization", f"Bearer {keys.writer}".encode())] * 2
    url = f"/v1/events?access_token={keys.writer}"
    answer = await intake.client.post(url, content=b"{}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="bellwether"'
    assert answer.json() == {
        "type": "urn:bellwether:problem:unauthenticated", "title": "A valid API key is needed", "status": 401,
        "instance": "/v1/events",
    }  # fmt: skip
    assert keys.writer[16:] not in intake.log.read_text()


async def test_a_key_without_the_scope_is_told_which_one(intake: Intake, keys: Keys) -> None:
    answer = await intake.send(mention(), keys.reader)
    assert (answer.status_code, "events:write" in answer.json()["detail"]) == (403, True)


async def test_a_brand_that_is_not_the_tenants_or_not_the_keys_is_not_there(intake: Intake, keys: Keys) -> None:
    foreign = await intake.send(mention("f", FOREIGN_BRAND), keys.writer)
    absent = await intake.send(mention("f", "nobody"), keys.writer)
    outside = await intake.send(mention("f", "globex"), keys.only_acme)
    assert foreign.status_code == absent.status_code == outside.status_code == 404
    assert foreign.json() == absent.json() == outside.json()
    assert (await intake.send(mention("ours-alone"), keys.only_acme)).status_code == 202
    assert (await intake.send(mention("theirs", FOREIGN_BRAND), keys.foreign)).status_code == 202


async def test_a_brand_made_a_moment_ago_is_known(intake: Intake, keys: Keys, shared_database: str) -> None:
    async with open_pool(shared_database) as pool:
        await pool.execute("insert into brand (tenant_id, slug, name) select tenant_id, 'new', 'New' from tenant "
                           "where slug = 'north'")  # fmt: skip
    assert (await intake.send([mention("new", "new")], keys.writer)).status_code == 202


async def test_other_media_types_and_encodings_are_not_understood(intake: Intake, keys: Keys) -> None:
    for headers in (
        {"Content-Type": "text/csv"}, {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Encoding": "br"}, {"Content-Encoding": "gzip, gzip"},
    ):  # fmt: skip
        answer = await intake.send(mention(), keys.writer, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")


async def test_a_gzip_bomb_is_too_large(intake: Intake, keys: Keys) -> None:
    bomb = gzip.compress(bytes(100 * 1024**2), 9)
    assert len(bomb) < 110_000
    answer = await intake.send(bomb, keys.writer, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 413


async def test_too_many_events_and_too_many_bytes_are_too_large(intake: Intake, keys: Keys) -> None:
    assert (await intake.send([{}] * 10_001, keys.writer)).status_code == 413
    assert (await intake.send(b" " * (5 * 1024**2 + 1), keys.writer)).status_code == 413


async def test_200_mb_without_a_key_are_refused_unread(intake: Intake) -> None:
    sent, status = await asyncio.to_thread(push, intake.port, 200 * 1024**2, None)
    assert status == 401
    assert sent < 12 * 1024**2


async def test_a_chunked_body_is_read_to_the_limit_and_no_further(intake: Intake, keys: Keys) -> None:
    sent, status = await asyncio.to_thread(push, intake.port, 200 * 1024**2, keys.writer)
    assert status == 413
    assert sent < 32 * 1024**2


async def test_a_body_that_does_not_come_is_given_up(intake: Intake, keys: Keys) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", intake.port)
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys.writer}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    async with asyncio.timeout(PATIENCE_S):
        assert b" 408 " in await reader.readline()
    writer.close()


async def test_whoever_sends_no_head_or_an_endless_one_does_not_stay(intake: Intake) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", intake.port) for _ in range(200)]
    begun = [await asyncio.open_connection("127.0.0.1", intake.port) for _ in range(20)]
    for _, writer in begun:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
    assert (await intake.client.get("/healthz")).status_code == 200
    async with asyncio.timeout(PATIENCE_S):
        assert {await reader.read() for reader, _ in (*idle, *begun)} == {b""}
    reader, writer = await asyncio.open_connection("127.0.0.1", intake.port)
    writer.write(b"GET /healthz HTTP/1.1\r\n" + b"X-Filler: y\r\n" * 30_000)
    assert b" 431 " in await reader.readline()
    for _, one in (*idle, *begun, (reader, writer)):
        one.close()


def push(port: int, total: int, key: str | None) -> tuple[int, int]:
    """Send a chunked body until all of it is sent or somebody stops us; gives the bytes sent and the status."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{authorization}Content-Type: application/json\r\n"
    chunk, sent = b"10000\r\n" + b" " * 65_536 + b"\r\n", 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            while sent < total:
                connection.sendall(chunk)
                sent += 65_536
        return sent, int(connection.recv(4096).split()[1])


async def test_the_webhook_handshake_is_answered(intake: Intake) -> None:
    headers = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}
    answer = await intake.client.options("/v1/events", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["webhook-allowed-origin"] == "*"
    assert int(answer.headers["webhook-allowed-rate"]) >= 120
    assert (await intake.client.get("/v1/events")).headers["allow"] == "OPTIONS, POST"
    assert (await intake.client.get("/v1/events")).status_code == 405


async def test_probes_metrics_and_documents_are_there(intake: Intake) -> None:
    assert (await intake.client.get("/healthz")).json() == {"status": "alive"}
    assert (await intake.client.get("/readyz")).json() == {
        "ready": True, "checks": {"postgres": "ok", "kafka": "ok"}
    }  # fmt: skip
    metrics = (await intake.client.get("/metrics")).text
    for name in ("events_accepted_total", "events_rejected_total", "produce_duration_seconds_count", "ready 1.0"):
        assert f"bellwether_{name}" in metrics
    document = (await intake.client.get("/openapi.json")).json()
    assert set(document["paths"]["/v1/events"]["post"]["responses"]) >= {"202", "400", "401", "413", "429", "503"}


async def test_a_key_over_its_limit_waits_and_another_does_not(
    stack: Servers, shared_database: str, keys: Keys, topics: Topics, tmp_path: Path
) -> None:
    servers: dict[str, Any] = {"kafka": stack.kafka_bootstrap, "dsn": shared_database, "events_topic": topics.events}
    async with intake_process(tmp_path, **servers, events_per_s=10, burst_events=20) as intake:
        first = await intake.send([mention(f"r-{number}") for number in range(50)], keys.writer)
        assert (first.status_code, first.headers["ratelimit-policy"]) == (202, '"events";q=20;w=2')
        assert first.headers["ratelimit"].startswith('"events";r=0;')
        refused = await intake.send(mention(), keys.writer)
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
        assert 1 <= int(refused.headers["retry-after"]) <= 4
        assert refused.headers["ratelimit"].startswith('"events";r=0;')
        assert (await intake.send(mention("other"), keys.only_acme)).status_code == 202


async def test_whoever_tries_many_wrong_keys_is_slowed_down_and_the_owner_of_a_right_one_is_not(
    stack: Servers, shared_database: str, keys: Keys, topics: Topics, tmp_path: Path
) -> None:
    servers: dict[str, Any] = {"kafka": stack.kafka_bootstrap, "dsn": shared_database, "events_topic": topics.events}
    async with intake_process(tmp_path, **servers, refusals_per_minute=20) as intake:
        statuses = [(await intake.send(mention(), "bw_wrong")).status_code for _ in range(60)]
        assert statuses[:10] == [401] * 10
        assert statuses[-1] == 429
        assert (await intake.send(mention("owner"), keys.writer)).status_code == 202


async def test_more_requests_than_fit_are_sent_away_and_not_queued(
    stack: Servers, shared_database: str, keys: Keys, topics: Topics, tmp_path: Path
) -> None:
    servers: dict[str, Any] = {"kafka": stack.kafka_bootstrap, "dsn": shared_database, "events_topic": topics.events}
    async with intake_process(tmp_path, **servers, max_bytes_in_flight=2048, linger_s=0.5) as intake:
        body = mention("big", data={"text": "x" * 1000})
        answers = await asyncio.gather(*(intake.send(body, keys.writer) for _ in range(4)))
        statuses = sorted(answer.status_code for answer in answers)
        assert (statuses[0], statuses[-1]) == (202, 503)
        assert all("retry-after" in one.headers for one in answers if one.status_code == 503)
        assert (await intake.send(mention("later"), keys.writer)).status_code == 202
