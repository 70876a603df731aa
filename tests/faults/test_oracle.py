"""The oracle says of small cases what a person says, and of a large one what compute says when nothing goes wrong."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.faults.profile import Profile
from tests.support.audit import audit
from tests.support.backends import Servers
from tests.support.compute_process import ComputeProcess, compute_environment
from tests.support.databases import Topics
from tests.support.flow import LedgerWriter, expected_of_log, make_ledger_brands
from tests.support.ledger import make_ledger
from tests.support.log import applied, initialise_stream
from tests.support.oracle import Bucket, Expected, Logged, Oracle
from tests.support.oracle_conversations import Receipt

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z


def expected(*events: tuple[str, int, dict[str, Any]], zone: str = "UTC") -> Expected:
    """What a log of these (type, moment, data) has to come to; each is recorded when it happened."""
    oracle = Oracle({"aurora": zone}, {})
    for number, (kind, moment, data) in enumerate(events):
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
        body = {"brand": "aurora", "channel": "x", **data}
        event = {"id": f"e{number}", "source": "/s", "type": kind, "time": when, "data": body}
        oracle.take(Logged(0, number, moment * 1000, b"acme/aurora", json.dumps(event).encode()))
    return oracle.expected()


def in_hour(found: Expected, start: int) -> Counter[str]:
    return found.rollups["hour"].get(Bucket("aurora", "", start), Counter())


def snapshot(moment: int, **counts: int) -> tuple[str, int, dict[str, Any]]:
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    data = {"content_id": "c", "cumulative": counts, "observed_at": when}
    return "social.content.metrics.v1", moment, data


def published(moment: int) -> tuple[str, int, dict[str, Any]]:
    return "social.content.published.v1", moment, {"content_id": "c"}


def message(moment: int, message_id: str, kind: str = "direct") -> tuple[str, int, dict[str, Any]]:
    return "social.message.received.v1", moment, {"conversation_id": "t", "message_id": message_id, "kind": kind}


def reply(moment: int, message_id: str, **to: str) -> tuple[str, int, dict[str, Any]]:
    return "social.message.sent.v1", moment, {"conversation_id": "t", "message_id": message_id, **to}


def test_a_repeat_counts_once_and_a_contradiction_not_at_all() -> None:
    oracle = Oracle({"aurora": "UTC"}, {})
    data = {"brand": "aurora", "channel": "x", "of": "aurora", "sentiment": 0.05}
    event = {"id": "1", "source": "/s", "type": "social.mention.v1", "time": "2026-01-01T12:00:00Z", "data": data}
    same, other = json.dumps(event).encode(), json.dumps({**event, "subject": "s"}).encode()
    for offset, value in enumerate((same, same, other)):
        oracle.take(Logged(0, offset, NOON * 1000, b"acme/aurora", value))
    found = oracle.expected()
    assert found.outcomes == {(0, "applied"): 1, (0, "duplicate"): 1, (0, "conflicting"): 1}
    assert found.quarantine == {(0, 2): ("conflicting", b"acme/aurora", other)}
    assert in_hour(found, NOON) == {"mentions": 1, "positive_n": 1, "sentiment_n": 1, "sentiment_sum": 500}


def test_hours_and_days_are_those_of_the_brand() -> None:
    late_evening = NOON + 7 * 3600 + 900  # 00:45 on the next day in Kolkata
    found = expected(("social.mention.v1", late_evening, {"of": "rival"}), zone="Asia/Kolkata")
    assert list(found.rollups["hour"]) == [Bucket("aurora", cut, NOON + 6 * 3600 + 1800) for cut in ("", "channel=x")]
    assert {bucket.start for bucket in found.rollups["day"]} == {20_455}  # 2026-01-02


def test_snapshots_count_by_their_differences_and_a_fall_takes_nothing_back() -> None:
    shown = (snapshot(NOON + 60 * n, impressions=count) for n, count in enumerate((100, 150, 140, 145), start=1))
    found = expected(published(NOON), *shown)
    totals = in_hour(found, NOON)
    assert (totals["impressions"], totals["item_impressions"]) == (100 + 50 + 5, 145)


def test_a_late_first_snapshot_only_says_where_counting_starts() -> None:
    late = NOON + 3 * 86_400
    found = expected(published(NOON), snapshot(late, reach=1000), snapshot(late + 60, reach=1010))
    assert (in_hour(found, late)["reach"], in_hour(found, NOON)["item_reach"]) == (10, 1010)


def test_what_snapshots_show_interactions_do_not_add_to() -> None:
    like = ("social.interaction.v1", NOON + 30, {"content_id": "c", "kind": "reaction", "count": 7})
    share = ("social.interaction.v1", NOON + 30, {"content_id": "c", "kind": "share"})
    removed = ("social.interaction.v1", NOON + 90, {"content_id": "c", "kind": "share", "op": "remove", "count": 3})
    found = in_hour(expected(published(NOON), like, share, removed, snapshot(NOON + 60, likes=5)), NOON)
    assert (found["reactions"], found["shares"], found["interactions"]) == (5, -2, 3)


def test_the_first_answer_counts_and_a_second_part_is_none() -> None:
    found = expected(
        message(NOON, "q", "query"), message(NOON + 10, "d"), reply(NOON + 5, "early", in_reply_to="d"),
        reply(NOON + 60, "first", in_reply_to="q"), reply(NOON + 70, "second part", in_reply_to="first"),
        message(NOON + 80, "last"),
    )  # fmt: skip
    assert {key[3]: receipt for key, receipt in found.receipts.items()} == {
        "q": Receipt("query", NOON, NOON + 60, "first"),
        "d": Receipt("direct", NOON + 10, NOON + 10, "early"),
        "last": Receipt("direct", NOON + 80, None, None),
    }
    assert found.response_seconds("aurora") == [0, 60]


def test_an_answer_to_nobody_in_particular_answers_all_who_wait() -> None:
    found = expected(message(NOON, "a"), message(NOON + 5000, "b"), reply(NOON + 4999, "r"))
    assert [receipt.answered_at for receipt in found.receipts.values()] == [NOON + 4999, None]
    assert in_hour(found, NOON)["response_time[4996]"] == 1


def test_what_is_recorded_on_a_later_day_is_known_since_that_day() -> None:
    oracle = Oracle({"aurora": "UTC"}, {})
    for number, (moment, days_late) in enumerate(((NOON, 0), (NOON, 2), (NOON + 86_400, 1))):
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
        data = {"brand": "aurora", "channel": "x", "of": "aurora"}
        event = {"id": f"{number}", "source": "/s", "type": "social.mention.v1", "time": when, "data": data}
        recorded = (moment + days_late * 86_400) * 1000
        oracle.take(Logged(0, number, recorded, b"acme/aurora", json.dumps(event).encode()))
    first_day = NOON // 86_400
    known = {(bucket.start, on): n for (bucket, on), n in oracle.expected().known["day"].items() if not bucket.cut}
    assert known == {
        (first_day, 0): {"mentions": 1},
        (first_day, first_day + 2): {"mentions": 1},
        (first_day + 1, first_day + 2): {"mentions": 1},
    }


def test_the_same_seed_gives_the_same_ledger() -> None:
    assert make_ledger(1, 2000, NOON) == make_ledger(1, 2000, NOON)
    assert make_ledger(1, 2000, NOON) != make_ledger(2, 2000, NOON)


async def test_a_ledger_without_any_fault_comes_out_as_the_oracle_says(
    stack: Servers, database: str, topics: Topics, profile: Profile, tmp_path: Path
) -> None:
    ledger = make_ledger(profile.seed + 1, 6_000, int(time.time()))
    await initialise_stream(database, stack.kafka_bootstrap, topics.events)
    await make_ledger_brands(database, ledger.zones)
    process = ComputeProcess(tmp_path, "compute", compute_environment(stack.kafka_bootstrap, database, topics))
    try:
        async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, enable_idempotence=True) as producer:
            await LedgerWriter(producer, topics.events).write(ledger.entries)
        await process.start()
        await applied(database, topics.events, len(ledger.entries))
    finally:
        await process.kill()
    wanted, _ = await expected_of_log(ledger, stack.kafka_bootstrap, topics.events)
    found = await audit(database, topics.events, wanted)
    assert not found.differences, "\n".join(found.differences)
