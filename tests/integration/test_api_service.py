"""The API as a service: keys, problems, probes, the catalogue, and Postgres going away and coming back."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2
import pytest

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.domain.keys import Scope
from bellwether_api.app import documentation
from tests.support.api import PEPPER, READER, WRITER, Seed, seeding, serving
from tests.support.backends import Servers
from tests.support.patience import PATIENCE_S
from tests.support.proxy import proxy_to

NOW = "2026-10-13T12:00:30+00:00"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


async def test_without_a_valid_key_every_route_answers_alike(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    paths = ["/v1/brands", "/v1/brands/acme", "/v1/kpis", "/v1/kpis/brand_mentions", "/v1/brands/acme/kpis?nonsense=1"]
    wrong = [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}]
    async with serving(database, NOW) as client:
        for path in paths:
            for headers in wrong:
                answer = await client.get(path, headers=headers)
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="bellwether"')
                assert answer.json()["type"] == "urn:bellwether:problem:unauthenticated"


async def test_a_key_without_the_scope_is_told_which_it_lacks(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    sender, reader, admin = [await seed.key(s) for s in ((Scope.EVENTS_WRITE,), READER, (Scope.ADMIN,))]
    async with serving(database, NOW) as client:
        refused = [
            await client.get("/v1/brands/acme/kpis", headers=sender),
            await client.post("/v1/brands", json={"slug": "b", "name": "B"}, headers=reader),
            await client.patch("/v1/brands/acme", json={"name": "B"}, headers=reader),
        ]
        assert [answer.status_code for answer in refused] == [403, 403, 403]
        assert ["kpis:read" in answer.text for answer in refused] == [True, False, False]
        assert "kpis:write" in refused[1].json()["detail"]
        assert (await client.get("/v1/brands/acme/kpis", headers=admin)).status_code == 200
        assert (await client.patch("/v1/brands/acme", json={"name": "B"}, headers=admin)).status_code == 200


_ROUTES = [
    (method.upper(), path, [one["name"] for one in told.get("parameters", ()) if one["in"] == "query"])
    for path, methods in documentation()["paths"].items()
    for method, told in methods.items()
    if path.startswith("/v1")
]
_KNOWN = {"brand": "acme", "key": "brand_mentions", "role": "smm-specialist"}


def _url(path: str) -> str:
    """A path whose brand, KPI and role there are."""
    return re.sub(r"{(\w+)}", lambda found: _KNOWN.get(found[1], "one"), path)


async def test_a_parameter_given_twice_or_unknown_is_refused_by_name_on_every_route(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    headers = await seed.key((Scope.ADMIN,))
    async with serving(database, NOW) as client:
        for method, path, names in _ROUTES:
            url = _url(path)
            for name in ("no~such/one", *names):
                query = httpx2.QueryParams([(name, "2026-10-01"), (name, "2026-10-01")])
                answer = await client.request(method, url, headers=headers, params=query, json={})
                assert answer.status_code == 422, (method, url, name, answer.text)
                pointer = f"/{name}".replace("~", "~0").replace("such/", "such~1")
                assert pointer in [fault["pointer"] for fault in answer.json()["errors"]], (method, url, name)


async def test_no_parameter_is_ignored_on_any_route(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    headers = await seed.key((Scope.ADMIN,))
    async with serving(database, NOW) as client:
        for method, path, _ in _ROUTES:
            answer = await client.request(method, _url(path), headers=headers, params={"nonsense": "1"}, json={})
            assert answer.status_code == 422, (method, path, answer.text)
            assert "/nonsense" in [fault["pointer"] for fault in answer.json()["errors"]], (method, path)


def test_no_parameter_is_a_list_so_that_each_may_be_asked_for_once() -> None:
    schemas = [
        (path, one["name"], one["schema"].get("type"))
        for path, methods in documentation()["paths"].items()
        for told in methods.values()
        for one in told.get("parameters", ())
    ]
    assert schemas
    assert not [one for one in schemas if one[2] == "array"]


async def test_what_no_route_answers_is_a_problem_too(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    headers = await seed.key(WRITER)
    async with serving(database, NOW) as client:
        for method, path, status in (
            ("GET", "/v1/nothing", 404),
            ("GET", "/v1/brands/", 404),
            ("GET", "/v1/brands/acme/kpis/nothing", 404),
            ("GET", "/v1/kpis/nothing", 404),
            ("DELETE", "/v1/brands/acme", 405),
            ("PUT", "/v1/kpis", 405),
        ):
            answer = await client.request(method, path, headers=headers)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == status


async def test_the_catalogue_lists_every_kpi_and_is_not_sent_twice(seed: Seed, database: str) -> None:
    headers = await seed.key()
    async with serving(database, NOW) as client:
        whole = await client.get("/v1/kpis", headers=headers)
        again = await client.get("/v1/kpis", headers={**headers, "If-None-Match": f'"x", {whole.headers["etag"]}'})
        one = await client.get("/v1/kpis/message_response_time.p90", headers=headers)
    items = whole.json()["items"]
    assert [item["key"] for item in items] == list(CATALOGUE)
    assert again.status_code == 304
    assert one.json() in items


async def test_health_readiness_metrics_and_the_document_need_no_key(database: str) -> None:
    async with serving(database, NOW) as client:
        health, ready = await client.get("/healthz"), await client.get("/readyz")
        assert (health.status_code, ready.status_code) == (200, 200)
        assert ready.json() == {"ready": True, "checks": {"postgres": "ok"}}
        assert (await client.get("/openapi.json")).json()["openapi"].startswith("3.1")
        assert (await client.get("/docs")).status_code == 200
        await client.get("/v1/brands/acme/kpis")
        metrics = (await client.get("/metrics")).text
    assert 'bellwether_http_requests_total{route="/v1/brands/{brand}/kpis",status="4xx"}' in metrics
    assert "bellwether_ready 1.0" in metrics
    assert "acme" not in metrics


async def _until(client: httpx2.AsyncClient, path: str, status: int, headers: dict[str, str]) -> httpx2.Response:
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await client.get(path, headers=headers)).status_code != status:
            await asyncio.sleep(0.05)
        return answer


@pytest.mark.fault
async def test_while_postgres_is_away_readiness_falls_and_reads_are_503_until_it_is_back(
    stack: Servers, seed: Seed, database: str
) -> None:
    brand = await seed.brand("acme")
    await seed.rollups(brand, [("", "2026-10-13T11:30:00Z", {"mentions": 5})])
    headers = await seed.key()
    path = "/v1/brands/acme/kpis?keys=brand_mentions&window=1h"
    async with serving(database, NOW, directory_refresh_s=0.2) as client:
        before = await client.get(path, headers=headers)
        await stack.postgres.kill()
        try:
            away = await client.get(path, headers=headers)
            assert away.status_code == 503
            assert (away.json()["type"], int(away.headers["retry-after"]) >= 1) == (
                "urn:bellwether:problem:unavailable",
                True,
            )
            not_ready = await _until(client, "/readyz", 503, headers)
            assert not_ready.json() == {"ready": False, "checks": {"postgres": "does not answer"}}
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/v1/kpis", headers=headers)).status_code == 200
        finally:
            await stack.postgres.start()
        await _until(client, "/readyz", 200, headers)
        assert (await client.get(path, headers=headers)).json() == before.json()


@pytest.mark.fault
async def test_while_postgres_is_silent_every_read_ends_in_time_and_the_next_ones_work(
    seed: Seed, database: str
) -> None:
    await seed.brand("acme")
    headers = await seed.key()
    address = urlsplit(database)
    async with proxy_to(address.hostname or "", address.port or 0) as proxy:
        through = database.replace(f":{address.port}/", f":{proxy.port}/")
        async with serving(through, NOW, read_timeout_s=1, directory_refresh_s=0.5, connections=4) as client:
            assert (await client.get("/v1/brands/acme/kpis", headers=headers)).status_code == 200
            proxy.silence()
            async with asyncio.timeout(5):
                reads = [client.get("/v1/brands/acme/kpis", headers=headers) for _ in range(8)]
                assert {answer.status_code for answer in await asyncio.gather(*reads)} == {503}
            await _until(client, "/readyz", 503, headers)
            proxy.heal()
            await _until(client, "/readyz", 200, headers)
            assert (await client.get("/v1/brands/acme/kpis", headers=headers)).status_code == 200


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def test_the_program_serves_and_ends_well_when_asked_to(seed: Seed, database: str) -> None:
    await seed.brand("acme")
    headers = await seed.key()
    port = _free_port()
    environment = {
        **os.environ,
        "BELLWETHER_API_PORT": str(port),
        "BELLWETHER_API_POSTGRES_DSN": database,
        "BELLWETHER_API_KEY_PEPPER": PEPPER,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bellwether_api", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await _answers(client)
            answer = await client.get("/v1/brands/acme/kpis", headers=headers)
            assert (answer.status_code, len(answer.json()["cuts"][0]["kpis"])) == (200, len(CATALOGUE))
    finally:
        process.send_signal(signal.SIGTERM)
        _, logged = await process.communicate()
    assert process.returncode in (0, -signal.SIGTERM)
    assert b'"event": "stopping"' in logged
    assert b"Traceback" not in logged


async def _answers(client: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.05)
