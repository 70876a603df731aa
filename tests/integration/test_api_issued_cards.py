"""Issued scorecards: frozen for ever, and shown beside what they would be today."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import date
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from bellwether.domain.clock import day_of
from bellwether.domain.keys import Scope
from tests.support.api import WRITER, Seed, seeding, serving

NOW = "2026-10-27T12:20:30+00:00"
LATER = "2026-11-05T09:00:00+00:00"
MONTHS_LATER = "2027-01-05T09:00:00+00:00"
ISSUE = "/v1/brands/acme/scorecards/social-media-manager/issue"
ISSUED = "/v1/brands/acme/scorecards/social-media-manager/issued"
KEY = "share_of_voice"
OCTOBER, SEPTEMBER = "2026-10-10T08:00:00Z", "2026-09-10T08:00:00Z"


@pytest.fixture
async def seed(database: str) -> AsyncIterator[Seed]:
    async with seeding(database) as seed:
        yield seed


async def _brand(seed: Seed) -> int:
    brand = await seed.brand("acme")
    await seed.rollups(
        brand,
        [
            ("", OCTOBER, {"mentions": 30, "competitor_mentions": 10}),
            ("", SEPTEMBER, {"mentions": 10, "competitor_mentions": 10}),
            ("channel=x", OCTOBER, {"mentions": 20}),
        ],
    )
    return brand


async def _issue(seed: Seed, database: str, now: str = NOW, **body: str) -> dict[str, Any]:
    async with serving(database, now) as client:
        answer = await client.post(ISSUE, json={"period": "2026-10", **body}, headers=await seed.key(WRITER))
    assert answer.status_code == 201, answer.text
    head: dict[str, Any] = answer.json()
    return head


async def _read(seed: Seed, database: str, head: dict[str, Any], now: str = LATER) -> dict[str, Any]:
    async with serving(database, now) as client:
        answer = await client.get(f"{ISSUED}/{head['id']}", headers=await seed.key())
    assert answer.status_code == 200, answer.text
    issued: dict[str, Any] = answer.json()
    return issued


def _line(card: dict[str, Any], key: str = KEY) -> dict[str, Any]:
    found: dict[str, Any] = next(
        line for area in card["cuts"][0]["areas"] for line in area["lines"] if line["kpi"] == key
    )
    return found


def _restated(issued: dict[str, Any], key: str = KEY) -> dict[str, Any]:
    found: dict[str, Any] = next(line for line in issued["restatement"]["lines"] if line["kpi"] == key)
    return found


async def test_a_card_is_frozen_as_it_reads_with_inputs_and_definitions(seed: Seed, database: str) -> None:
    await _brand(seed)
    headers = await seed.key(WRITER)
    async with serving(database, NOW) as client:
        live = (await client.get(ISSUE.removesuffix("/issue"), headers=headers)).json()
        made = await client.post(ISSUE, json={"period": "2026-10", "note": " as agreed "}, headers=headers)
        read = await client.get(made.headers["location"], headers=headers)
    head, issued = made.json(), read.json()
    assert issued["card"] == live
    assert issued["issued"] == head
    assert (head["period"], head["cut"], head["partial"], head["note"]) == ("2026-10", None, True, "as agreed")
    assert (head["issued_at"], head["score"]) == ("2026-10-27T12:20:30Z", live["cuts"][0]["score"])
    assert head["issued_by"] == headers["Authorization"].removeprefix("Bearer bw_")[:12]
    assert _line(issued["card"])["parts"] == {"mentions": 30, "competitor_mentions": 10}
    keys = {line["kpi"] for area in live["cuts"][0]["areas"] for line in area["lines"]}
    assert {definition["key"] for definition in issued["definitions"]} == keys
    (definition,) = (one for one in issued["definitions"] if one["key"] == KEY)
    assert (definition["version"], definition["formula"]["operator"]) == (1, "ratio")


async def test_what_is_frozen_is_named_by_its_hash(seed: Seed, database: str) -> None:
    await _brand(seed)
    head = await _issue(seed, database)
    body = await seed.connection.fetchval("SELECT body FROM issued_card")
    assert sha256(body).hexdigest() == head["content_hash"]
    assert set(json.loads(body)) == {"card", "definitions"}


async def test_late_events_stand_beside_the_card_and_not_in_it(seed: Seed, database: str) -> None:
    brand = await _brand(seed)
    head = await _issue(seed, database)
    untouched = await _read(seed, database, head)
    assert (untouched["restatement"]["changed"], _restated(untouched)["causes"]) == (0, [])
    late = [("", OCTOBER, {"competitor_mentions": 20})]
    await seed.rollups(brand, late, known_on=day_of(date(2026, 11, 2)))
    issued = await _read(seed, database, head)
    assert issued["card"] == untouched["card"]
    assert _line(issued["card"])["value"] == 75.0
    line = _restated(issued)
    assert (line["issued"], line["today"], line["difference"]) == (75.0, 50.0, -25.0)
    assert line["causes"] == ["late_events"]
    mentions = _restated(issued, "content_reach")
    assert (mentions["difference"], mentions["causes"]) == (0, [])
    assert issued["restatement"]["changed"] == 1


async def test_what_came_on_the_day_of_issue_but_after_it_is_told_apart(seed: Seed, database: str) -> None:
    brand = await _brand(seed)
    head = await _issue(seed, database)
    await seed.rollups(brand, [("", OCTOBER, {"competitor_mentions": 20})], known_on=day_of(date(2026, 10, 27)))
    assert _restated(await _read(seed, database, head))["causes"] == ["same_day_events"]


async def test_events_after_the_issue_are_no_restatement_of_a_running_period(seed: Seed, database: str) -> None:
    brand = await _brand(seed)
    head = await _issue(seed, database)
    await seed.rollups(brand, [("", "2026-10-28T08:00:00Z", {"competitor_mentions": 50})])
    issued = await _read(seed, database, head)
    assert (issued["restatement"]["changed"], _restated(issued)["today"]) == (0, 75.0)


async def test_a_running_period_whose_minutes_are_gone_says_so(seed: Seed, database: str) -> None:
    brand = await _brand(seed)
    await seed.rollups(brand, [("", "2026-10-27T12:10:00Z", {"competitor_mentions": 20})])
    head = await _issue(seed, database)
    line = _restated(await _read(seed, database, head, MONTHS_LATER))
    assert (line["issued"], line["today"], line["causes"]) == (50.0, 75.0, ["shorter_span"])


async def test_a_target_that_was_changed_after_the_issue_is_a_cause_of_its_own(seed: Seed, database: str) -> None:
    await _brand(seed)
    headers = await seed.key((Scope.KPIS_READ, Scope.TARGETS_WRITE))
    target = {"kpi": KEY, "aim": {"form": "level", "value": 75}, "time": {"kind": "every", "period": "month"}}
    path = "/v1/brands/acme/targets/voice"
    async with serving(database, NOW) as client:
        assert (await client.put(path, json=target, headers=headers)).status_code == 201
    head = await _issue(seed, database)
    target["aim"] = {"form": "level", "value": 100}
    async with serving(database, LATER) as client:
        changed = await client.put(path, json=target, headers={**headers, "If-Match": "*"})
    assert changed.status_code == 200, changed.text
    issued = await _read(seed, database, head)
    line = _restated(issued)
    assert (line["issued_attainment"], line["today_attainment"]) == (100.0, 75.0)
    assert (line["difference"], line["causes"]) == (0, ["target_changed"])
    restatement = issued["restatement"]
    assert (restatement["issued_score"], restatement["score"], restatement["changed"]) == (100.0, 75.0, 1)
    assert _line(issued["card"])["target"]["words"] == "at least 75 % every month"


async def test_late_events_of_the_period_before_move_a_target_against_it(seed: Seed, database: str) -> None:
    brand = await _brand(seed)
    headers = await seed.key((Scope.KPIS_READ, Scope.TARGETS_WRITE))
    every = {"kind": "every", "period": "month"}
    target = {"kpi": "social_leads", "aim": {"form": "change", "percent": 100}, "time": every}
    await seed.rollups(
        brand, [("", moment, {"leads": 10}) for moment in ("2026-10-11T08:00:00Z", "2026-09-11T08:00:00Z")]
    )
    specialist = ISSUE.replace("social-media-manager", "smm-specialist")
    async with serving(database, NOW) as client:
        assert (await client.put("/v1/brands/acme/targets/leads", json=target, headers=headers)).status_code == 201
        issue = await client.post(specialist, json={"period": "2026-10"}, headers=await seed.key(WRITER))
    await seed.rollups(brand, [("", "2026-09-12T08:00:00Z", {"leads": 10})], known_on=day_of(date(2026, 11, 2)))
    async with serving(database, LATER) as client:
        issued = (await client.get(issue.headers["location"], headers=headers)).json()
    line = _restated(issued, "social_leads")
    assert (line["issued"], line["today"], line["difference"]) == (10, 10, 0)
    assert (line["issued_attainment"], line["today_attainment"]) == (50.0, 25.0)
    assert line["causes"] == ["late_events"]


async def test_a_card_of_one_cut_is_issued_and_restated_in_that_cut(seed: Seed, database: str) -> None:
    await _brand(seed)
    head = await _issue(seed, database, cut="channel=x")
    issued = await _read(seed, database, head)
    assert (head["cut"], _line(issued["card"])["value"]) == ("channel=x", 100.0)
    assert _restated(issued)["today"] == 100.0


async def test_the_same_post_under_the_same_key_issues_one_card(seed: Seed, database: str) -> None:
    await _brand(seed)
    headers = {**await seed.key(WRITER), "Idempotency-Key": '"one"'}
    async with serving(database, NOW) as client:
        posts = (client.post(ISSUE, json={"period": "2026-10"}, headers=headers) for _ in range(4))
        answers = await asyncio.gather(*posts)
        other = await client.post(ISSUE, json={"period": "2026-09"}, headers=headers)
        page = (await client.get(ISSUED, headers=headers)).json()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers["idempotency-replayed"] for answer in answers) == ["false", "true", "true", "true"]
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/Idempotency-Key")
    assert [one["id"] for one in page["items"]] == [answers[0].json()["id"]]


async def test_issued_cards_are_listed_the_latest_first_by_pages(seed: Seed, database: str) -> None:
    await _brand(seed)
    ids = [(await _issue(seed, database, note=str(at)))["id"] for at in range(3)]
    headers = await seed.key()
    async with serving(database, NOW) as client:
        first = await client.get(ISSUED, params={"limit": 2}, headers=headers)
        second = await client.get(first.links["next"]["url"], headers=headers)
        of_another_role = await client.get(ISSUED.replace("social-media", "community"), headers=headers)
    assert [one["id"] for one in first.json()["items"]] == [ids[2], ids[1]]
    assert ([one["id"] for one in second.json()["items"]], second.json()["next"]) == ([ids[0]], None)
    assert of_another_role.json()["items"] == []


async def test_an_issued_card_is_printed_as_it_was(seed: Seed, database: str) -> None:
    brand = await _brand(seed)
    head = await _issue(seed, database)
    await seed.rollups(brand, [("", OCTOBER, {"competitor_mentions": 20})], known_on=day_of(date(2026, 11, 2)))
    path, headers = f"{ISSUED}/{head['id']}", await seed.key()
    async with serving(database, LATER) as client:
        csv_answer = await client.get(path, params={"format": "csv"}, headers=headers)
        page = await client.get(path, headers={**headers, "Accept": "text/html"})
    (row,) = (row for row in csv.DictReader(io.StringIO(csv_answer.text, newline="")) if row["kpi"] == KEY)
    assert row["value"] == "75.0"
    assert f"_issued_{head['id']}.csv" in csv_answer.headers["content-disposition"]
    assert ">75 %</td>" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_nobody_can_change_an_issued_card(seed: Seed, database: str) -> None:
    await _brand(seed)
    await _issue(seed, database)
    for statement in (
        "UPDATE issued_card SET note = 'another'",
        "DELETE FROM issued_card",
        "TRUNCATE issued_card",
    ):
        with pytest.raises(asyncpg.PostgresError, match="never changes"):
            await seed.connection.execute(statement)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/period"),
        ({"period": "2026-13"}, "/period"),
        ({"period": "2026-11"}, "/period"),
        ({"period": "2026-10", "cut": "channel"}, "/cut"),
        ({"period": "2026-10", "cut": "weather=wet"}, "/cut"),
        ({"period": "2026-10", "note": "a\u0007b"}, "/note"),
        ({"period": "2026-10", "more": 1}, "/more"),
    ],
)
async def test_what_cannot_be_issued_is_refused(
    seed: Seed, database: str, body: dict[str, object], pointer: str
) -> None:
    await _brand(seed)
    async with serving(database, NOW) as client:
        answer = await client.post(ISSUE, json=body, headers=await seed.key(WRITER))
    assert (answer.status_code, [fault["pointer"] for fault in answer.json()["errors"]]) == (422, [pointer])


async def test_issuing_needs_the_right_to_write_and_cards_stay_with_their_brand(seed: Seed, database: str) -> None:
    await _brand(seed)
    await seed.brand("other")
    head = await _issue(seed, database)
    async with serving(database, NOW) as client:
        refused = await client.post(ISSUE, json={"period": "2026-10"}, headers=await seed.key())
        elsewhere = await client.get(f"{ISSUED}/{head['id']}".replace("acme", "other"), headers=await seed.key())
        other_role = await client.get(
            f"{ISSUED}/{head['id']}".replace("social-media", "community"), headers=await seed.key()
        )
    assert refused.status_code == 403
    assert [one.status_code for one in (elsewhere, other_role)] == [404, 404]
    assert elsewhere.json()["type"] == "urn:bellwether:problem:unknown-issued-card"


_OWN_ROLE = """
roles:
  own-voice:
    title: Voice
    areas:
      - {title: Loud, weight: 3, lines: [{kpi: share_of_voice, weight: 2}, brand_mentions]}
      - {title: Deep, lines: [share_of_voice]}
"""


async def test_a_role_of_the_tenants_own_is_scored_and_its_issued_card_outlives_it(seed: Seed, database: str) -> None:
    await _brand(seed)
    headers = await seed.key((*WRITER, Scope.TARGETS_WRITE))
    yaml = {**headers, "Content-Type": "application/yaml"}
    every = {"kind": "every", "period": "month"}
    path = "/v1/brands/acme/scorecards/own-voice"
    async with serving(database, NOW) as client:
        made = await client.put("/v1/catalogue", content=_OWN_ROLE, headers={**yaml, "If-Match": '"0"'})
        assert made.status_code == 200, made.text
        for name, key, value in (("voice", KEY, 100), ("mentions", "brand_mentions", 120)):
            target = {"kpi": key, "aim": {"form": "level", "value": value}, "time": every}
            assert (
                await client.put(f"/v1/brands/acme/targets/{name}", json=target, headers=headers)
            ).status_code == 201
        issue = await client.post(f"{path}/issue", json={"period": "2026-10"}, headers=headers)
        assert issue.status_code == 201, issue.text
        first = (await client.get(issue.headers["location"], headers=headers)).json()
        (cut,) = first["card"]["cuts"]
        # Loud: (2 × 75 + 1 × 25) / 3; Deep: 75; the card: (3 × 58.3 + 1 × 75) / 4.
        assert [area["score"] for area in cut["areas"]] == [58.333333, 75]
        assert (cut["score"], cut["rating"]) == (62.5, 3)
        assert cut["expression"] == "(3 × 58.33 [Loud] + 1 × 75 [Deep]) / 4 = 62.5"
        gone = await client.put("/v1/catalogue", content="roles: {}", headers={**yaml, "If-Match": '"1"'})
        assert gone.status_code == 200, gone.text
        assert (await client.get(path, headers=headers)).status_code == 404
        later = (await client.get(issue.headers["location"], headers=headers)).json()
    assert first["restatement"]["changed"] == 0
    assert later == {**first, "restatement": None}
