"""Where alerts go, over HTTP: endpoints whose secrets are shown once, routes, messages and their replay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from bellwether.adapters.alerting import webhooks
from bellwether.adapters.postgres.alerts import write_alerts
from bellwether.domain import alerts as rules
from bellwether.domain.alerts import Alert, Kind, alert_id
from bellwether.domain.keys import Scope
from tests.support.alert_receiver import Receiver, receiving, status
from tests.support.alerting import KEY, LOOPBACK, delivering
from tests.support.api import READER, Seed, seeding, serving
from tests.support.patience import PATIENCE_S

NOW = datetime.now(UTC).isoformat()  # the sender beside it goes by the real clock
PUBLIC = "https://8.8.8.8/hooks/T0K3N"
PATH = "/v1/webhook-endpoints"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


@pytest.fixture
async def client(seed: Seed, database: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(database, NOW, alert_key=SecretStr(KEY), alert_networks=LOOPBACK) as client:
        client.headers.update(await seed.key((Scope.ADMIN,)))
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


async def make(client: httpx2.AsyncClient, **fields: Any) -> dict[str, Any]:
    """An endpoint and its secret."""
    made = await client.post(PATH, json={"name": "On call", "url": PUBLIC, **fields})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def write(seed: Seed, brand_id: int, incident: str) -> Alert:
    """An alert in the outbox."""
    told = {"incident": incident, "kind": Kind.OPENED, "severity": 7.0, "at": 1_700_000_000, "title": incident}
    name = alert_id(brand_id, incident, Kind.OPENED, 1_700_000_000)
    alert = Alert(id=name, tenant_id=seed.tenant_id, brand_id=brand_id, **told)  # type: ignore[arg-type]
    async with seed.connection.transaction():
        await write_alerts(seed.connection, [alert])
    return alert


async def test_an_endpoint_is_made_with_a_secret_that_is_shown_once_and_in_no_table(
    client: httpx2.AsyncClient, seed: Seed
) -> None:
    made = await client.post(PATH, json={"name": "On call", "url": PUBLIC}, headers={"Idempotency-Key": "once"})
    again = await client.post(PATH, json={"name": "On call", "url": PUBLIC}, headers={"Idempotency-Key": "once"})
    other = await client.post(PATH, json={"name": "Other", "url": PUBLIC}, headers={"Idempotency-Key": "once"})
    secret, endpoint = made.json()["secret"], made.json()["endpoint"]
    assert webhooks.signature(secret, "m", 1, b"")
    assert (endpoint["shown"], endpoint["disabled"]) == ("https://8.8.8.8", False)
    assert (again.json()["endpoint"]["id"], again.json()["secret"]) == (endpoint["id"], None)
    assert (made.headers["idempotency-replayed"], again.headers["idempotency-replayed"]) == ("false", "true")
    assert other.status_code == 422
    read = await client.get(made.headers["location"])
    assert read.json() == endpoint
    for table in ("alert_endpoint", "idempotency_key"):
        rows = await seed.connection.fetchval(f"SELECT string_agg(t::text, '') FROM {table} t")
        sealed = await seed.connection.fetchval("SELECT sealed FROM alert_endpoint")
        for told in (secret, secret.removeprefix("whsec_"), "T0K3N"):
            assert told not in rows
            assert told.encode() not in sealed
            assert told.encode().hex() not in rows


@pytest.mark.parametrize(
    "url",
    [
        *("http://8.8.8.8/", "ftp://8.8.8.8/", "https://u:p@8.8.8.8/", "https://10.0.0.1/", "https://167772161/x"),
        *("https://169.254.169.254/latest", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/"),
    ],
)
async def test_an_address_that_nothing_may_be_sent_to_is_refused_without_being_repeated(
    client: httpx2.AsyncClient, url: str
) -> None:
    refused = await client.post(PATH, json={"name": "x", "url": url})
    assert refused.status_code == 422
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/url"]
    assert url not in refused.text


async def test_an_endpoint_is_changed_by_version_and_deleted_when_no_route_names_it(client: httpx2.AsyncClient) -> None:
    endpoint = (await make(client))["endpoint"]
    place = f"{PATH}/{endpoint['id']}"
    changed = await client.patch(
        place, json={"name": "Night", "url": "https://1.1.1.1:444/x"}, headers={"If-Match": '"1"'}
    )
    stale = await client.patch(place, json={"name": "Day"}, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.json()["shown"], changed.headers["etag"]) == (
        *("Night", "https://1.1.1.1:444"),
        '"2"',
    )
    assert stale.status_code == 412
    route = await client.post("/v1/alert-routes", json={"name": "All", "endpoints": [endpoint["id"]]})
    assert (await client.delete(place)).status_code == 409
    assert (await client.delete(route.headers["location"])).status_code == 204
    assert (await client.delete(place)).status_code == 204
    assert (await client.get(place)).status_code == 404


async def test_a_route_is_made_replaced_by_version_and_says_what_it_was_given(
    client: httpx2.AsyncClient, seed: Seed
) -> None:
    await seed.brand("roast")
    endpoint = (await make(client))["endpoint"]["id"]
    new = {
        "name": "Nights",
        "brand": "roast",
        "endpoints": [endpoint],
        "min_severity": 5.5,
        "kinds": ["opened", "resolved"],
        "quiet": [{"start": "22:00", "end": "07:00", "days": ["mon", "sun"]}],
        "quiet_below": 8.0,
        "group_s": 30,
        "cool_down_s": 600,
        "escalate_after_s": 300,
        "escalate_to": [endpoint],
    }
    made = await client.post("/v1/alert-routes", json=new)
    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in new} == new
    assert (await client.get("/v1/alert-routes")).json()["items"] == [made.json()]
    place = made.headers["location"]
    changed = await client.put(place, json={"name": "All", "endpoints": [endpoint]}, headers={"If-Match": '"1"'})
    assert (changed.json()["brand"], changed.json()["quiet"], changed.headers["etag"]) == (None, [], '"2"')
    assert (await client.put(place, json=new, headers={"If-Match": '"1"'})).status_code == 412


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"endpoints": ["whe_nobody"]}, "/endpoints/0"),
        ({"brand": "nobody"}, "/brand"),
        ({"kinds": ["canary"]}, "/kinds/0"),
        ({"quiet": [{"start": "24:00", "end": "07:00"}]}, "/quiet/0/start"),
        ({"escalate_after_s": 60}, ""),
        ({"min_severity": 11}, "/min_severity"),
    ],
)
async def test_a_route_that_cannot_be_is_refused_at_its_place(
    client: httpx2.AsyncClient, wrong: dict[str, object], pointer: str
) -> None:
    endpoint = (await make(client))["endpoint"]["id"]
    refused = await client.post("/v1/alert-routes", json={"name": "x", "endpoints": [endpoint], **wrong})
    assert (refused.status_code, [one["pointer"] for one in refused.json()["errors"]]) == (422, [pointer])


async def test_nobody_else_sees_or_names_what_a_tenant_has(client: httpx2.AsyncClient, database: str) -> None:
    endpoint = (await make(client))["endpoint"]["id"]
    route = (await client.post("/v1/alert-routes", json={"name": "All", "endpoints": [endpoint]})).json()["id"]
    async with seeding(database, "other") as other:
        theirs = await other.key((Scope.ADMIN,))
    for method, path in (
        *(("GET", f"{PATH}/{endpoint}"), ("DELETE", f"{PATH}/{endpoint}"), ("POST", f"{PATH}/{endpoint}/secret")),
        *(("POST", f"{PATH}/{endpoint}/test"), ("GET", f"{PATH}/{endpoint}/messages")),
        *(("POST", f"{PATH}/{endpoint}/replay"), ("GET", f"/v1/alert-routes/{route}")),
        ("DELETE", f"/v1/alert-routes/{route}"),
    ):
        assert (await client.request(method, path, headers=theirs)).status_code == 404, path
    named = await client.post("/v1/alert-routes", json={"name": "x", "endpoints": [endpoint]}, headers=theirs)
    assert named.status_code == 422
    assert (await client.get(PATH, headers=theirs)).json() == {"items": []}


async def test_only_a_key_with_the_scope_admin_and_for_all_brands_will_do(
    client: httpx2.AsyncClient, seed: Seed
) -> None:
    await seed.brand("roast")
    for headers in (await seed.key(READER), await seed.key((Scope.ADMIN,), ["roast"])):
        assert (await client.get(PATH, headers=headers)).status_code == 403
        assert (await client.post(PATH, json={"name": "x", "url": PUBLIC}, headers=headers)).status_code == 403


async def test_a_replaced_secret_signs_beside_the_new_one_until_it_ends(
    client: httpx2.AsyncClient, seed: Seed, database: str, receiver: Receiver
) -> None:
    made = await make(client, url=receiver.url)
    place = f"{PATH}/{made['endpoint']['id']}"
    rotated = await client.post(f"{place}/secret", json={"keep_old_s": 604_800})
    assert rotated.headers["etag"] == '"2"'
    async with delivering(database):
        alert = (await client.post(f"{place}/test")).json()["alert"]
        await receiver.until(lambda: len(receiver.taken) == 1)
    (request,) = receiver.requests
    at = int(request.headers["webhook-timestamp"])
    valid = [webhooks.signature(one, alert, at, request.body) for one in (rotated.json()["secret"], made["secret"])]
    assert request.headers["webhook-signature"].split() == valid
    assert request.document["type"] == "alert.test"


async def test_dead_letters_are_listed_and_sent_again_when_their_endpoint_is_enabled(
    client: httpx2.AsyncClient, seed: Seed, database: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "RETRY_S", ())
    receiver.behave = lambda _number: status(500)
    brand_id = await seed.brand("roast")
    endpoint = (await make(client, url=receiver.url))["endpoint"]["id"]
    place = f"{PATH}/{endpoint}"
    await client.post("/v1/alert-routes", json={"name": "All", "endpoints": [endpoint], "kinds": ["opened"]})
    async with delivering(database):
        first, second = await write(seed, brand_id, "storm"), await write(seed, brand_id, "leak")
        async with asyncio.timeout(PATIENCE_S):
            while len((dead := await client.get(f"{place}/messages", params={"state": "dead"})).json()["items"]) < 2:
                await asyncio.sleep(0.05)
        assert {one["id"] for one in dead.json()["items"]} == {first.id, second.id}
        assert (await client.get(place)).json()["disabled_why"] == "every attempt of its schedule failed"
        assert (await client.post(f"{place}/replay")).status_code == 409
        receiver.behave = lambda _number: status(200)
        await client.patch(place, json={"disabled": False})
        assert (await client.post(f"{place}/replay")).json() == {"messages": 2}
        await receiver.until(lambda: len(receiver.taken) == 2)
        async with asyncio.timeout(PATIENCE_S):
            while (await client.get(f"{place}/messages", params={"state": "waiting"})).json()["items"]:
                await asyncio.sleep(0.05)
        again = await client.post(f"{place}/messages/{first.id}/replay")
        assert (again.status_code, again.json()["alerts"][0]["title"]) == (200, "storm")
        await receiver.until(lambda: len(receiver.taken) == 3)
    ids = [request.headers["webhook-id"] for request in receiver.taken]
    assert sorted(ids) == sorted([first.id, first.id, second.id])
    assert (await client.post(f"{place}/messages/alr_none/replay")).status_code == 404


async def test_messages_come_in_pages(
    client: httpx2.AsyncClient, seed: Seed, database: str, receiver: Receiver
) -> None:
    place = f"{PATH}/{(await make(client, url=receiver.url))['endpoint']['id']}"
    async with delivering(database):
        written = [(await client.post(f"{place}/test")).json()["alert"] for _ in range(3)]
        await receiver.until(lambda: len(receiver.taken) == 3)
    first = await client.get(f"{place}/messages", params={"limit": 2})
    rest = await client.get(f"{place}/messages", params={"limit": 2, "cursor": first.json()["next"]})
    assert [one["id"] for page in (first, rest) for one in page.json()["items"]] == written[::-1]
    assert f"cursor={first.json()['next']}" in first.headers["link"]
    assert rest.json()["next"] is None


async def test_a_real_service_of_the_library_apprise_is_told_the_title(
    client: httpx2.AsyncClient, seed: Seed, database: str, receiver: Receiver
) -> None:
    brand_id = await seed.brand("roast")
    url = f"json://127.0.0.1:{receiver.port}/chat"
    made = await make(client, url=url, type="apprise")
    assert (made["secret"], made["endpoint"]["shown"]) == (None, "json://")
    await client.post("/v1/alert-routes", json={"name": "All", "endpoints": [made["endpoint"]["id"]]})
    async with delivering(database):
        alert = await write(seed, brand_id, "A storm of complaints")
        await receiver.until(lambda: len(receiver.taken) == 1)
    document = receiver.requests[0].document
    assert document["title"] == "A storm of complaints"
    assert alert.id in document["message"]


async def test_without_a_key_to_seal_with_no_endpoint_is_made(seed: Seed, database: str) -> None:
    headers = await seed.key((Scope.ADMIN,))
    async with serving(database, NOW) as client:
        refused = await client.post(PATH, json={"name": "x", "url": PUBLIC}, headers=headers)
    assert refused.status_code == 503
