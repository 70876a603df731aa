"""Declared campaigns over the API: the same ones as the command's, by key and brand."""

from __future__ import annotations

from bellwether.adapters.postgres.campaigns import campaigns_of, list_campaigns
from tests.support.api import READER, WRITER, seconds, seeding, serving

_NOW = "2026-02-01T00:00:00Z"
_PATH = "/v1/brands/acme/campaigns"
_SPRING = {"name": "spring / 50 %", "starts": "2026-03-20T00:00:00Z", "ends": "2026-03-27T00:00:00Z"}


async def test_a_campaign_is_declared_moved_listed_and_withdrawn_by_all_ways_alike(database: str) -> None:
    async with seeding(database) as seed, serving(database, _NOW) as client:
        brand_id = await seed.brand("acme")
        headers = await seed.key(WRITER)
        made = await client.post(_PATH, json={**_SPRING, "ends": "2026-03-21T00:00:00Z"}, headers=headers)
        assert made.status_code == 201, made.text
        moved = await client.post(_PATH, json=_SPRING, headers=headers)
        assert (moved.status_code, moved.json()) == (201, _SPRING)
        assert (await client.get(_PATH, headers=headers)).json() == {"items": [_SPRING]}
        (told,) = await list_campaigns(seed.connection, "acme", "acme")
        assert (told.name, f"{told.ends:%Y-%m-%d}") == (_SPRING["name"], "2026-03-27")
        judged = await campaigns_of(seed.connection, brand_id)
        assert judged == [(seconds("2026-03-20T00:00:00+00:00"), seconds("2026-03-27T00:00:00+00:00"))]
        gone = await client.delete(moved.headers["location"], headers=headers)
        assert gone.status_code == 204, gone.text
        assert (await client.get(_PATH, headers=headers)).json() == {"items": []}
        assert (await client.delete(moved.headers["location"], headers=headers)).status_code == 404


async def test_what_is_wrong_or_not_the_keys_is_refused_and_changes_nothing(database: str) -> None:
    async with seeding(database) as seed, serving(database, _NOW) as client:
        brand_id = await seed.brand("acme")
        writer, reader = await seed.key(WRITER), await seed.key(READER)
        await seed.brand("other")
        elsewhere = await seed.key(WRITER, ["other"])
        backwards = {**_SPRING, "ends": _SPRING["starts"]}
        refused = await client.post(_PATH, json=backwards, headers=writer)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/ends")
        for body, headers, status in (
            ({**_SPRING, "name": ""}, writer, 422),
            ({**_SPRING, "name": "a\nb"}, writer, 422),
            (_SPRING, reader, 403),
            (_SPRING, elsewhere, 404),
        ):
            assert (await client.post(_PATH, json=body, headers=headers)).status_code == status
        assert await campaigns_of(seed.connection, brand_id) == []
