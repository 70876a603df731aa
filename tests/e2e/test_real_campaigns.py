"""Real advertising, followers and posts through the whole of Bellwether: every ratio is that of the file's sums."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pytest

from tests.support.backends import Servers
from tests.support.databases import Topics
from tests.support.whole import DATA, Bellwether, bellwether

ADS = DATA / "ads" / "KAG_conversion_data.csv"
FOLLOWERS = DATA / "followers" / "stats.csv"
POSTS = DATA / "instagram_accounts_posts.json"

needs_ads = pytest.mark.skipif(not ADS.exists(), reason=f"the real data is not here: {ADS}")
needs_followers = pytest.mark.skipif(not FOLLOWERS.exists(), reason=f"the real data is not here: {FOLLOWERS}")
needs_posts = pytest.mark.skipif(not POSTS.exists(), reason=f"the real data is not here: {POSTS}")

Event = dict[str, Any]
Point = dict[str, Any]


def rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened)


def day_of(text: str, form: str) -> datetime:
    return datetime.strptime(text, form).replace(tzinfo=UTC)


def event(kind: str, event_id: str, moment: datetime, /, **data: object) -> Event:
    envelope = {"specversion": "1.0", "id": event_id, "source": "/file", "type": kind, "time": moment.isoformat()}
    return {**envelope, "data": {"channel": "facebook", **data}}


async def points(whole: Bellwether, brand: str, key: str, start: str, end: str, **more: str) -> dict[str, Point]:
    """The points of a KPI by month: the total's, or those of the cut that is named."""
    params = {"from": f"{start}T00:00:00Z", "to": f"{end}T00:00:00Z", "grain": "month", **more}
    answer = await whole.get(f"/v1/brands/{brand}/kpis/{key}/series", **params)
    (of_cut,) = answer["cuts"]
    return {point["start"][:7]: point for point in of_cut["points"]}


def ad_event(row: dict[str, str], brand: str) -> Event:
    day = day_of(row["Date"], "%d-%m-%Y")
    return event(
        "ads.delivery.v1", row["ad_id"], day + timedelta(hours=23), brand=brand, campaign=row["xyz_campaign_id"],
        **{"from": day.isoformat(), "to": (day + timedelta(days=1)).isoformat()}, spend=row["Spent"], currency="USD",
        impressions=int(row["Impressions"]), clicks=int(row["Clicks"]), conversions=int(row["Total_Conversion"]),
    )  # fmt: skip


class Sums(NamedTuple):
    """What a campaign's ads add up to; money in millionths, each ad rounded for itself."""

    impressions: int
    clicks: int
    conversions: int
    micros: int


def summed(of: list[dict[str, str]]) -> Sums:
    def total(name: str) -> int:
        return sum(int(row[name]) for row in of)

    micros = [int((Decimal(row["Spent"]) * 10**6).quantize(Decimal(1), ROUND_HALF_EVEN)) for row in of]
    return Sums(total("Impressions"), total("Clicks"), total("Total_Conversion"), sum(micros))


RATIOS: dict[str, Callable[[Sums], float]] = {
    "click_through_rate.paid": lambda sums: 100 * sums.clicks / sums.impressions,
    "cost_per_click": lambda sums: sums.micros / 10**6 / sums.clicks,
    "paid_conversion_rate": lambda sums: 100 * sums.conversions / sums.clicks,
}


@needs_ads
async def test_click_rate_cost_and_conversions_of_1143_ads_are_ratios_of_sums(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    ads = list(rows(ADS))
    campaigns: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in ads:
        campaigns[row["xyz_campaign_id"]].append(row)
    idle = [row for row in ads if row["Clicks"] == "0"]
    assert (len(ads), len(idle), len(campaigns)) == (1143, 207, 3)
    days = sorted({day_of(row["Date"], "%d-%m-%Y") for row in ads})
    span = (f"{days[0]:%Y-%m}-01", f"{days[-1] + timedelta(days=31):%Y-%m}-01")
    async with bellwether(stack, database, topics, tmp_path) as whole:
        for brand in ("shop", "idle"):
            await whole.create_brand(brand, currency="USD")
        await whole.send([ad_event(row, "shop") for row in ads] + [ad_event(row, "idle") for row in idle])
        for campaign, of_campaign in campaigns.items():
            by_month: dict[str, list[dict[str, str]]] = defaultdict(list)
            for row in of_campaign:
                by_month[f"{day_of(row['Date'], '%d-%m-%Y'):%Y-%m}"].append(row)
            for key, ratio in RATIOS.items():
                found = await points(whole, "shop", key, *span, cut=f"campaign={campaign}")
                for month, of_month in by_month.items():
                    assert found[month]["value"] == pytest.approx(ratio(summed(of_month)), rel=1e-14), (campaign, key)
        for key in ("cost_per_click", "paid_conversion_rate"):
            for point in (await points(whole, "idle", key, *span)).values():
                assert (point["value"], point["reason"]) == (None, "no_data")
        shown = (await points(whole, "idle", "click_through_rate.paid", *span)).values()
        assert {point["value"] for point in shown if point["denominator"]} == {0}


def audience_events(row: dict[str, str]) -> Iterator[Event]:
    """A month of the file: each person who came or went, and the size at its end."""
    start = day_of(row["period_start"], "%m/%d/%Y")
    last = day_of(row["period_end"], "%m/%d/%Y") + timedelta(hours=23, minutes=59)
    for audience, channel in (("followers", "x"), ("subscribers", "youtube")):
        about = {"brand": "creator", "audience": audience, "channel": channel}
        for verb in ("gained", "lost"):
            kind = "social.audience.joined.v1" if verb == "gained" else "social.audience.left.v1"
            for n in range(int(row[f"{audience}_{verb}"])):
                member = f"{audience}-{verb}-{start:%Y-%m}-{n}"
                yield event(kind, member, start + timedelta(minutes=n), **about, member_id=member)
        count = int(row[f"{audience}_total"])
        yield event("social.audience.snapshot.v1", f"{audience}-{last:%Y-%m}", last, **about, count=count)


@needs_followers
async def test_gains_losses_and_growth_of_followers_are_those_of_the_file(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    months = list(rows(FOLLOWERS))
    named = [f"{day_of(row['period_start'], '%m/%d/%Y'):%Y-%m}" for row in months]
    span = (f"{named[0]}-01", "2021-09-01")
    async with bellwether(stack, database, topics, tmp_path) as whole:
        await whole.create_brand("creator")
        await whole.send([e for row in months for e in audience_events(row)])
        net = await points(whole, "creator", "subscriber_growth", *span)
        rate = await points(whole, "creator", "follower_growth_rate", *span)
        churn = await points(whole, "creator", "audience_churn_rate", *span)
        for month, row, before in zip(named, months, [None, *months], strict=False):
            told = {name: int(value) for name, value in row.items() if name.startswith(("followers", "subscribers"))}
            for audience in ("followers", "subscribers"):
                counted = tuple(rate[month]["parts"][f"{verb}_{audience}"] for verb in ("joined", "left"))
                assert counted == (told[f"{audience}_gained"], told[f"{audience}_lost"]), month
            if before is None:
                assert (net[month]["value"], rate[month]["value"]) == (None, None)
                continue
            sizes = {name: int(before[f"{name}_total"]) for name in ("followers", "subscribers")}
            start, gained = sum(sizes.values()), told["followers_net"] + told["subscribers_net"]
            assert net[month]["value"] == told["subscribers_net"], month
            assert rate[month]["value"] == 100 * gained / start, month
            assert rate[month]["numerator"] == gained
            left = 100 * told["subscribers_lost"] / sizes["subscribers"] if sizes["subscribers"] else None
            assert churn[month]["value"] == left, month


def post_events(account: dict[str, Any], brand: str) -> Iterator[Event]:
    """Posts in the order of the file, each with what it had earned when the file was made."""
    about = {"brand": brand, "channel": "instagram"}
    times = [datetime.fromtimestamp(at, UTC) for at in account["mediaUploadTimes"]]
    yield event(
        "social.audience.snapshot.v1", "followers", min(times) - timedelta(days=1), **about, audience="followers",
        count=account["userFollowerCount"],
    )  # fmt: skip
    for n, (at, likes, comments) in enumerate(
        zip(times, account["mediaLikeNumbers"], account["mediaCommentNumbers"], strict=True)
    ):
        yield event("social.content.published.v1", f"p{n}", at, **about, content_id=f"p{n}")
        counted = {"likes": likes, "comments": comments}
        seen = at + timedelta(days=1)
        counters = {"cumulative": counted, "observed_at": seen.isoformat()}
        yield event("social.content.metrics.v1", f"m{n}", seen, **about, content_id=f"p{n}", **counters)


def engagement(account: dict[str, Any]) -> dict[str, list[int]]:
    """Interactions of every post by the month of its publication."""
    found: dict[str, list[int]] = defaultdict(list)
    for at, *counts in zip(
        account["mediaUploadTimes"], account["mediaLikeNumbers"], account["mediaCommentNumbers"], strict=True
    ):
        found[f"{datetime.fromtimestamp(at, UTC):%Y-%m}"].append(sum(counts))
    return found


@needs_posts
async def test_engagement_rates_of_real_accounts_are_those_of_an_independent_computation(
    stack: Servers, database: str, topics: Topics, tmp_path: Path
) -> None:
    accounts = [a for a in json.loads(POSTS.read_text()) if a["userFollowerCount"] and a["mediaUploadTimes"]]
    async with bellwether(stack, database, topics, tmp_path) as whole:
        for number in range(len(accounts)):
            await whole.create_brand(f"account-{number}")
        await whole.send([e for n, account in enumerate(accounts) for e in post_events(account, f"account-{n}")])
        compared = 0
        for number, account in enumerate(accounts):
            expected, followers = engagement(account), account["userFollowerCount"]
            span = f"{min(expected)}-01", "2026-11-01"
            pooled = await points(whole, f"account-{number}", "content_engagement_rate", *span)
            mean = await points(whole, f"account-{number}", "content_engagement_rate.item_mean", *span)
            middle = await points(whole, f"account-{number}", "content_engagement_rate.item_median", *span)
            for month, interactions in expected.items():
                assert pooled[month]["value"] == 100 * sum(interactions) / (followers * len(interactions))
                floored = [1_000_000 * each // followers for each in interactions]
                assert mean[month]["value"] == pytest.approx(sum(floored) / len(floored) / 10_000, rel=1e-12)
                lower = sorted(floored)[(len(floored) - 1) // 2] / 10_000
                assert middle[month]["value"] == pytest.approx(lower, rel=1 / 1024)
                assert middle[month]["value"] <= 100 * median(interactions) / followers + 1e-9
                compared += 1
        assert compared > len(accounts)
