"""Own measures, KPIs and roles over HTTP: checked as a whole, replaced by version, kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from bellwether.domain.keys import Scope
from tests.support.api import READER, WRITER, Seed, seeding, serving

NOW = "2026-10-13T12:00:30+00:00"
EXAMPLE = Path(__file__).parents[2] / "docs/examples/own-kpis.yaml"
YAML = {"Content-Type": "application/yaml"}
FIRST = {**YAML, "If-Match": '"0"'}


def document(formula: str, kind: str = "signup", more: str = "") -> str:
    return f"""
measures:
  own.signups:
    title: Sign-ups
    events: sales.conversion.v1
    where: {{kind: {kind}}}
kpis:
  own.signup_rate:
    title: Sign-up rate
    meaning: Sign-ups over sessions.
    formula: {formula}
    unit: percent
    kra: Newsletter
{more}
"""


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


@pytest.fixture
async def client(seed: Seed, database: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(database, NOW) as client:
        client.headers.update(await seed.key(WRITER))
        yield client


async def put(client: httpx2.AsyncClient, text: str, version: int, **query: str) -> httpx2.Response:
    headers = {**YAML, "If-Match": f'"{version}"'}
    return await client.put("/v1/catalogue", content=text.encode(), headers=headers, params=query)


async def test_a_document_is_given_back_as_it_was_sent(client: httpx2.AsyncClient) -> None:
    nothing = await client.get("/v1/catalogue")
    assert (nothing.headers["etag"], nothing.json()["version"], nothing.json()["kpis"]) == ('"0"', 0, [])
    text = EXAMPLE.read_text(encoding="utf-8")
    made = await put(client, text, 0)
    assert (made.status_code, made.headers["etag"]) == (200, '"1"')
    read = await client.get("/v1/catalogue")
    assert read.json() == made.json()
    assert read.json()["document"] == text
    assert read.json()["measures"][0]["counted_as"] == "own.newsletter_signups"
    assert (await put(client, text, 1)).headers["etag"] == '"1"'


async def test_a_formula_that_changes_is_a_new_version_and_a_title_is_not(client: httpx2.AsyncClient) -> None:
    formula = "100 * own.signups / sessions"
    await put(client, document(formula, more="    valid_from: 2026-09-01"), 0)
    await put(client, document(formula, more="    better: down").replace("Sign-up rate", "Rate"), 1)
    (kpi,) = (await client.get("/v1/catalogue")).json()["kpis"]
    assert (kpi["title"], [one["version"] for one in kpi["versions"]]) == ("Rate", [1])
    await put(client, document("100 * own.signups / visits"), 2)
    (kpi,) = (await client.get("/v1/catalogue")).json()["kpis"]
    told = [(one["version"], one["valid_from"], one["formula"]) for one in kpi["versions"]]
    assert told == [(1, "2026-09-01", formula), (2, "2026-10-13", "100 * own.signups / visits")]


async def test_a_measure_that_counts_something_else_is_counted_apart(client: httpx2.AsyncClient) -> None:
    await put(client, document("100 * own.signups / sessions"), 0)
    changed = (await put(client, document("100 * own.signups / sessions", kind="trial"), 1)).json()
    assert [(one["version"], one["counted_as"]) for one in changed["measures"]] == [(2, "own.signups#2")]
    assert [one["version"] for one in changed["kpis"][0]["versions"]] == [1, 2]
    again = (await put(client, document("100 * own.signups / sessions"), 2)).json()
    assert [one["counted_as"] for one in again["measures"]] == ["own.signups#3"]


async def test_the_past_is_restated_only_on_purpose(client: httpx2.AsyncClient) -> None:
    await put(client, document("leads", more="    valid_from: 2026-09-01"), 0)
    await put(client, document("sessions", more="    valid_from: 2026-09-15"), 1)
    refused = await put(client, document("visits", more="    valid_from: 2026-09-10"), 2)
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert (fault["line"], fault["column"], fault["pointer"]) == (14, 17, "/kpis/own.signup_rate/valid_from")
    restated = await put(client, document("visits", more="    valid_from: 2026-09-10\n    restate: true"), 2)
    (kpi,) = restated.json()["kpis"]
    assert [(one["version"], one["formula"]) for one in kpi["versions"]] == [(1, "leads"), (3, "visits")]
    wholly = await put(client, document("mentions", more="    restate: true"), 3)
    assert [one["formula"] for one in wholly.json()["kpis"][0]["versions"]] == ["mentions"]


async def test_everything_wrong_is_told_with_line_and_column(client: httpx2.AsyncClient) -> None:
    refused = await put(client, document("100 * own.signups / sesions", kind="[]"), 0)
    assert refused.status_code == 422
    told = [(one["line"], one["column"], one["pointer"]) for one in refused.json()["errors"]]
    assert told == [
        (6, 19, "/measures/own.signups/where/kind"),
        (11, 34, "/kpis/own.signup_rate/formula"),
    ]
    assert (await client.get("/v1/catalogue")).json()["version"] == 0


async def test_a_check_says_what_would_be_and_changes_nothing(client: httpx2.AsyncClient) -> None:
    checked = await put(client, document("leads"), 0, check="true")
    assert (checked.json()["version"], checked.json()["stored"]) == (1, False)
    assert (await put(client, "kpis: 1", 0, check="true")).status_code == 422
    assert (await put(client, document("leads"), 0, cheque="true")).status_code == 422
    assert (await client.get("/v1/catalogue")).json()["version"] == 0


async def test_a_document_replaces_only_the_version_it_was_meant_for(client: httpx2.AsyncClient) -> None:
    text = document("leads").encode()
    assert (await client.put("/v1/catalogue", content=text, headers=YAML)).status_code == 428
    assert (await client.put("/v1/catalogue", content=text, headers=FIRST)).status_code == 200
    stale = await client.put("/v1/catalogue", content=document("visits").encode(), headers=FIRST)
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:bellwether:problem:stale-version")


async def test_a_body_that_says_nothing_takes_nothing_away(client: httpx2.AsyncClient) -> None:
    await put(client, document("leads"), 0)
    for nothing in ("", "# a remark\n", "{}", "kpis:\n"):
        refused = await put(client, nothing, 1)
        assert refused.status_code == 422, nothing
        assert "measures: {}" in refused.json()["errors"][0]["detail"]
    assert [one["key"] for one in (await client.get("/v1/catalogue")).json()["kpis"]] == ["own.signup_rate"]
    emptied = await put(client, "measures: {}\n", 1)
    assert (emptied.status_code, emptied.json()["version"], emptied.json()["kpis"]) == (200, 2, [])


async def test_json_is_taken_and_other_media_types_are_not(client: httpx2.AsyncClient) -> None:
    body = {"measures": {"own.a": {"title": "A", "events": ["web.session.v1"]}}}
    made = await client.put("/v1/catalogue", json=body, headers={"If-Match": "*"})
    assert (made.status_code, made.json()["measures"][0]["key"]) == (200, "own.a")
    refused = await client.put("/v1/catalogue", content=b"a", headers={"If-Match": "*", "Content-Type": "text/plain"})
    assert refused.status_code == 415
    unreadable = await client.put("/v1/catalogue", content=b"\xff", headers={**YAML, "If-Match": "*"})
    assert unreadable.status_code == 400
    too_large = await client.put("/v1/catalogue", content=b"#" * 70_000, headers={**YAML, "If-Match": "*"})
    assert too_large.status_code == 413


async def test_tenants_do_not_see_each_other_and_keys_need_the_scope(
    client: httpx2.AsyncClient, seed: Seed, database: str
) -> None:
    await put(client, document("leads"), 0)
    async with seeding(database, "other") as other:
        headers = await other.key([*READER, Scope.KPIS_WRITE])
    assert (await client.get("/v1/catalogue", headers=headers)).json()["version"] == 0
    reader = {**FIRST, **await seed.key(READER)}
    assert (await client.put("/v1/catalogue", content=b"", headers=reader)).status_code == 403
    await seed.brand("acme")
    limited = {**FIRST, **await seed.key(WRITER, brands=["acme"])}
    assert (await client.put("/v1/catalogue", content=b"", headers=limited)).status_code == 403
