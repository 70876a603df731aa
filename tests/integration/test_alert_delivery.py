"""Alerts from the outbox to a real HTTP endpoint that fails, dawdles, and goes away."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from bellwether.adapters.alerting import webhooks
from bellwether.adapters.postgres import alert_outbox
from bellwether.adapters.postgres.alert_watch import forget_alerts, standing
from bellwether.adapters.postgres.pool import open_pool
from bellwether.domain import alerts as rules
from bellwether.domain.alerts import Kind
from bellwether.observability import metrics
from bellwether_compute import alert_sender
from tests.support.alert_receiver import Receiver, receiving, status
from tests.support.alerting import SECRET, Desk, delivering, desk

DEAD = "EXISTS (SELECT FROM alert_message WHERE state = 'dead')"
_INCIDENT = """
    INSERT INTO incident (brand_id, incident_id, state, since, opened_at, opened_by, source, cuts, signal, numbers,
        merged_into, steps, recorded_at)
    VALUES ($1, $2, $3, 0, 0, '', '', '{}', '', '', '', 1, 0)
"""
_EARLIER = "UPDATE alert SET written_at = now() - $2 * interval '1 second' WHERE incident_id = $1"


@pytest.fixture
async def at_desk(database: str) -> AsyncIterator[Desk]:
    async with desk(database) as made:
        yield made


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedule with its waits shortened, three attempts."""
    monkeypatch.setattr(rules, "RETRY_S", (0.05, 0.05))


async def test_an_alert_is_received_signed_under_its_own_id_within_a_second_of_its_commit(
    at_desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_sender, "_TICK_S", 60.0)  # it is the commit that wakes the sender
    await at_desk.route(await at_desk.endpoint(receiver.url))
    alert = at_desk.alert("storm", evidence='{"mentions":12}', onset=1_699_999_000, cut="channel=x")
    async with delivering(at_desk.dsn):
        await at_desk.until("EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN%')")
        began = time.time()
        await at_desk.write(alert)
        await receiver.until(lambda: len(receiver.requests) == 1)
    (request,) = receiver.requests
    signed = webhooks.signature(SECRET, alert.id, int(request.headers["webhook-timestamp"]), request.body)
    assert (request.headers["webhook-id"], request.headers["webhook-signature"]) == (alert.id, signed)
    assert request.document == {
        "type": "crisis.opened",
        "timestamp": "2023-11-14T22:13:20Z",
        "data": {
            "id": alert.id,
            "tenant": "acme",
            "brand": "roast",
            "incident": "storm",
            "severity": 7.0,
            "cut": "channel=x",
            "onset": "2023-11-14T21:56:40Z",
            "title": "storm opened",
            "unacknowledged": False,
            "evidence": {"mentions": 12},
        },
    }
    assert request.at - began < 3


async def test_an_alert_written_twice_is_sent_once(at_desk: Desk, receiver: Receiver) -> None:
    endpoint = await at_desk.endpoint(receiver.url)
    await at_desk.route(endpoint)
    alert = at_desk.alert("storm")
    async with delivering(at_desk.dsn):
        await at_desk.write(alert, alert)
        await at_desk.until("EXISTS (SELECT FROM alert_message WHERE state = 'delivered')")
        await at_desk.write(alert, at_desk.alert("other"))
        await receiver.until(lambda: len(receiver.requests) > 1)
    assert [request.document["data"]["incident"] for request in receiver.requests] == ["storm", "other"]


async def test_what_is_refused_is_sent_again_under_the_same_id_until_it_is_taken(
    at_desk: Desk, receiver: Receiver, in_a_hurry: None
) -> None:
    receiver.behave = lambda number: status(500) if number < 3 else status(200)
    endpoint = await at_desk.endpoint(receiver.url)
    await at_desk.route(endpoint)
    alert = at_desk.alert("storm")
    async with delivering(at_desk.dsn):
        await at_desk.write(alert)
        await receiver.until(lambda: len(receiver.taken) == 1)
        await at_desk.until("EXISTS (SELECT FROM alert_message WHERE state = 'delivered')")
    assert [request.headers["webhook-id"] for request in receiver.requests] == [alert.id] * 3
    assert len({request.body for request in receiver.requests}) == 1


@pytest.mark.parametrize("answer", [status(302, "Location: http://169.254.169.254/latest"), b"garbage\r\n\r\n"])
async def test_a_redirect_and_what_is_no_http_are_failures_and_not_followed(
    at_desk: Desk, receiver: Receiver, answer: bytes
) -> None:
    receiver.behave = lambda _number: answer
    await at_desk.route(await at_desk.endpoint(receiver.url))
    async with delivering(at_desk.dsn):
        await at_desk.write(at_desk.alert("storm"))
        await at_desk.until("EXISTS (SELECT FROM alert_message WHERE error IS NOT NULL AND state = 'waiting')")
    assert {request.path for request in receiver.requests} == {"/hook"}


async def test_after_its_schedule_a_message_is_a_dead_letter_its_endpoint_disabled_and_the_others_are_told(
    at_desk: Desk, receiver: Receiver, in_a_hurry: None
) -> None:
    receiver.behave = lambda _number: status(503)
    broken = await at_desk.endpoint(receiver.url)
    async with receiving() as other, delivering(at_desk.dsn):
        await at_desk.route(broken, await at_desk.endpoint(other.url))
        alert = at_desk.alert("storm")
        await at_desk.write(alert)
        await at_desk.until(DEAD)
        await other.until(lambda: len(other.taken) == 2)
        later = at_desk.alert("later")
        await at_desk.write(later)
        await other.until(lambda: len(other.taken) == 3)
        told = [request.document["type"] for request in other.taken]
        assert alert.id in [message for state, message, _ in await at_desk.messages(broken) if state == "dead"]
        assert ("dead", later.id, "the endpoint is disabled") in await at_desk.messages(broken)
    why = await at_desk.connection.fetchval("SELECT disabled_why FROM alert_endpoint WHERE endpoint_id = $1", broken)
    assert why == "every attempt of its schedule failed"
    assert told == ["crisis.opened", "alert.undeliverable", "crisis.opened"]
    assert len(receiver.requests) == len(rules.RETRY_S) + 1


async def test_an_endpoint_that_is_gone_is_disabled_at_once(at_desk: Desk, receiver: Receiver) -> None:
    receiver.behave = lambda _number: status(410)
    await at_desk.route(await at_desk.endpoint(receiver.url))
    async with delivering(at_desk.dsn):
        await at_desk.write(at_desk.alert("storm"))
        await at_desk.until("EXISTS (SELECT FROM alert_endpoint WHERE disabled_why = 'it answered 410 Gone')")
    assert len(receiver.requests) == 1


async def test_an_overloaded_endpoint_is_left_alone_for_as_long_as_it_asks(
    at_desk: Desk, receiver: Receiver, in_a_hurry: None
) -> None:
    receiver.behave = lambda number: status(429, "Retry-After: 2") if number == 1 else status(200)
    await at_desk.route(await at_desk.endpoint(receiver.url))
    async with delivering(at_desk.dsn):
        await at_desk.write(at_desk.alert("storm"))
        await at_desk.until("EXISTS (SELECT FROM alert_endpoint WHERE not_before > now())")
        await at_desk.write(at_desk.alert("other"))
        await receiver.until(lambda: len(receiver.taken) == 2)
    refused, *taken = receiver.requests
    assert min(request.at for request in taken) - refused.at >= 1.9


async def test_no_more_requests_are_open_than_the_endpoint_takes_and_others_do_not_wait_for_it(
    at_desk: Desk, receiver: Receiver
) -> None:
    receiver.dawdle_s = 0.3
    async with receiving() as quick, delivering(at_desk.dsn), delivering(at_desk.dsn):
        await at_desk.route(await at_desk.endpoint(receiver.url, at_once=2), await at_desk.endpoint(quick.url))
        await at_desk.write(*(at_desk.alert(f"incident {number}") for number in range(12)))
        await quick.until(lambda: len(quick.taken) == 12)
        assert len(receiver.taken) < 12
        await receiver.until(lambda: len(receiver.taken) == 12)
    assert receiver.most_open == 2
    assert len(quick.requests) == len(receiver.requests) == 12


async def test_an_endpoint_gets_no_more_a_minute_than_it_takes(at_desk: Desk, receiver: Receiver) -> None:
    endpoint = await at_desk.endpoint(receiver.url, per_minute=3)
    await at_desk.route(endpoint)
    async with receiving() as other, delivering(at_desk.dsn):
        await at_desk.route(await at_desk.endpoint(other.url))
        await at_desk.write(*(at_desk.alert(f"incident {number}") for number in range(5)))
        await other.until(lambda: len(other.taken) == 5)
        await at_desk.until("(SELECT count(*) FROM alert_message WHERE state = 'delivered') >= 8")
    assert len(receiver.requests) == 3


async def test_what_a_dead_sender_had_leased_is_sent_by_another_when_the_lease_is_over(
    at_desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.dawdle_s = 30.0
    await at_desk.route(await at_desk.endpoint(receiver.url))
    alert = at_desk.alert("storm")
    async with delivering(at_desk.dsn):
        await at_desk.write(alert)
        await at_desk.until("EXISTS (SELECT FROM alert_message WHERE leased_until > now())")
    receiver.dawdle_s = 0.0
    await at_desk.connection.execute("UPDATE alert_message SET leased_until = now() + interval '1 second'")
    async with delivering(at_desk.dsn):
        await at_desk.until("EXISTS (SELECT FROM alert_message WHERE state = 'delivered' AND attempts = 2)")
    assert {request.headers["webhook-id"] for request in receiver.requests} == {alert.id}


async def test_a_sender_whose_lease_is_over_cannot_undo_what_the_next_one_noted(at_desk: Desk) -> None:
    await at_desk.route(await at_desk.endpoint("http://127.0.0.1:9/"))
    await at_desk.write(at_desk.alert("storm"))
    async with open_pool(at_desk.dsn) as pool:
        (zombie,) = await alert_outbox.lease(pool, "zombie", 9)
        assert await alert_outbox.lease(pool, "early", 9) == []
        await at_desk.connection.execute("UPDATE alert_message SET leased_until = now()")
        (heir,) = await alert_outbox.lease(pool, "heir", 9)
        await alert_outbox.failed(pool, zombie, 500, "answered 500", 0.0)
        assert await alert_outbox.lease(pool, "third", 9) == []
        assert not await alert_outbox.delivered(pool, zombie, 200, None)
        assert await alert_outbox.delivered(pool, heir, 200, None)
        assert not await alert_outbox.given_up(pool, zombie, 500, "answered 500", "why", 1)
    assert await at_desk.connection.fetchval("SELECT state FROM alert_message") == "delivered"


async def test_a_follow_up_goes_where_the_call_went_and_nowhere_else(at_desk: Desk, receiver: Receiver) -> None:
    async with receiving() as severe, delivering(at_desk.dsn):
        await at_desk.route(await at_desk.endpoint(receiver.url), min_severity=5.0)
        await at_desk.route(await at_desk.endpoint(severe.url), min_severity=9.0)
        await at_desk.write(at_desk.alert("storm"), at_desk.alert("storm", Kind.RESOLVED, 1_700_000_100, severity=0.0))
        await receiver.until(lambda: len(receiver.taken) == 2)
        await at_desk.write(at_desk.alert("worse", severity=9.5))
        await severe.until(lambda: len(severe.taken) == 1)
    assert {request.document["type"] for request in receiver.taken[:2]} == {"crisis.opened", "crisis.resolved"}
    assert [request.document["data"]["incident"] for request in severe.taken] == ["worse"]


async def test_calls_of_one_span_go_out_together(at_desk: Desk, receiver: Receiver) -> None:
    await at_desk.route(await at_desk.endpoint(receiver.url), group_s=2)
    written = [at_desk.alert(f"incident {number}") for number in range(3)]
    async with delivering(at_desk.dsn):
        for alert in written:
            await at_desk.write(alert)
        await receiver.until(lambda: len(receiver.taken) == 1)
    (request,) = receiver.requests
    assert [one["data"]["id"] for one in request.document["data"]["alerts"]] == [alert.id for alert in written]
    assert (request.headers["webhook-id"], request.document["type"]) == (written[0].id, "crisis.alerts")


async def test_who_is_next_is_called_only_where_nobody_acknowledges_in_time(at_desk: Desk, receiver: Receiver) -> None:
    async with receiving() as boss, delivering(at_desk.dsn):
        second = await at_desk.endpoint(boss.url)
        await at_desk.route(await at_desk.endpoint(receiver.url), escalate_after_s=4, escalate_to=[second])
        await at_desk.write(at_desk.alert("seen"), at_desk.alert("unseen"))
        await at_desk.write(at_desk.alert("seen", Kind.ACKNOWLEDGED, 1_700_000_050))
        await boss.until(lambda: len(boss.taken) == 1)
        await at_desk.until("EXISTS (SELECT FROM alert_message WHERE state = 'unneeded')")
    (request,) = boss.requests
    assert (request.document["data"]["incident"], request.document["data"]["unacknowledged"]) == ("unseen", True)


async def test_who_is_next_is_not_called_where_what_was_acknowledged_grows_but_where_it_begins_again(
    at_desk: Desk, receiver: Receiver
) -> None:
    async with receiving() as boss, delivering(at_desk.dsn):
        second = await at_desk.endpoint(boss.url)
        await at_desk.route(await at_desk.endpoint(receiver.url), escalate_after_s=1, escalate_to=[second])
        for incident in ("grows", "again"):
            await at_desk.write(at_desk.alert(incident), at_desk.alert(incident, Kind.ACKNOWLEDGED, 1_700_000_050))
        await at_desk.until("(SELECT count(*) FROM alert_message WHERE state = 'unneeded') = 2")
        await at_desk.write(at_desk.alert("grows", Kind.GREW, 1_700_000_100, severity=9.0))
        await at_desk.write(at_desk.alert("again", Kind.REOPENED, 1_700_000_100))
        await at_desk.until("(SELECT count(*) FROM alert_message WHERE state = 'unneeded') = 3")
        await boss.until(lambda: len(boss.taken) == 1)
    assert [request.document["type"] for request in boss.requests] == ["crisis.reopened"]


async def test_the_oldest_crisis_that_was_alerted_of_and_nobody_has_acknowledged_is_known(at_desk: Desk) -> None:
    for number, (incident, state) in enumerate([("old", "acknowledged"), ("long", "open"), ("new", "open")]):
        await at_desk.connection.execute(_INCIDENT, at_desk.brand_id, incident, state)
        await at_desk.write(at_desk.alert(incident))
        await at_desk.connection.execute(_EARLIER, incident, 400 - 100 * number)
    await at_desk.connection.execute(_INCIDENT, at_desk.brand_id, "history", "open")
    async with open_pool(at_desk.dsn) as pool:
        assert (await standing(pool)).unattended_s == pytest.approx(300, abs=20)
        await at_desk.connection.execute("UPDATE incident SET state = 'resolved'")
        assert (await standing(pool)).unattended_s == 0


async def test_alerts_of_crises_that_are_long_over_are_forgotten_with_their_messages_and_others_are_kept(
    at_desk: Desk, receiver: Receiver
) -> None:
    await at_desk.route(await at_desk.endpoint(receiver.url))
    told = {"over": "resolved", "goes-on": "open", "lately": "resolved", "dead": "resolved"}
    async with delivering(at_desk.dsn):
        for incident, state in told.items():
            await at_desk.connection.execute(_INCIDENT, at_desk.brand_id, incident, state)
            await at_desk.write(at_desk.alert(incident), at_desk.alert(incident, Kind.RESOLVED, 1_700_000_100))
        await receiver.until(lambda: len(receiver.taken) == 8)
        await at_desk.until("(SELECT count(*) FROM alert_message WHERE state = 'delivered' AND brand_id > 0) = 8")
    for incident in told:
        await at_desk.connection.execute(_EARLIER, incident, 1_000)
    await at_desk.connection.execute(
        "UPDATE alert SET written_at = now() WHERE incident_id = 'lately' AND kind = 'resolved'"
    )
    await at_desk.connection.execute(
        "UPDATE alert_message SET state = 'dead' WHERE message_id = "
        "(SELECT alert_id FROM alert WHERE incident_id = 'dead' AND kind = 'opened')"
    )
    async with open_pool(at_desk.dsn) as pool:
        assert await forget_alerts(pool, int(time.time()) - 500) == 3
        assert await forget_alerts(pool, int(time.time()) - 500) == 0
    left = await at_desk.connection.fetch("SELECT incident_id, kind FROM alert WHERE brand_id > 0 ORDER BY seq")
    assert [tuple(row) for row in left] == [
        *(("goes-on", "opened"), ("goes-on", "resolved"), ("lately", "opened"), ("lately", "resolved")),
        ("dead", "opened"),
    ]
    for table in ("alert_message", "alert_delivery"):
        kept = await at_desk.connection.fetchval(f"SELECT count(*) FROM {table} WHERE endpoint_id <> 'canary'")
        assert kept == 5


async def test_the_canary_goes_all_the_way_again_and_again(at_desk: Desk, receiver: Receiver) -> None:
    metrics.ALERT_CANARY_SUCCESS.set(0)
    async with delivering(at_desk.dsn, alert_canary_s=1, alert_canary_url=receiver.url):
        await receiver.until(lambda: len(receiver.taken) == 3)
    assert time.time() - metrics.ALERT_CANARY_SUCCESS._value.get() < 5.0
    assert {request.document["type"] for request in receiver.taken} == {"alert.canary"}
    assert len({request.headers["webhook-id"] for request in receiver.taken}) == 3


async def test_a_canary_that_nobody_takes_is_no_success(at_desk: Desk, receiver: Receiver) -> None:
    receiver.behave = lambda _number: status(500)
    metrics.ALERT_CANARY_SUCCESS.set(0)
    async with delivering(at_desk.dsn, alert_canary_s=1, alert_canary_url=receiver.url):
        await receiver.until(lambda: len(receiver.requests) == 2)
    assert metrics.ALERT_CANARY_SUCCESS._value.get() == 0


async def test_nothing_is_sent_to_an_address_that_is_not_public_unless_the_operator_allows_it(
    at_desk: Desk, receiver: Receiver
) -> None:
    await at_desk.route(await at_desk.endpoint(receiver.url))
    async with delivering(at_desk.dsn, alert_networks=()):
        await at_desk.write(at_desk.alert("storm"))
        await at_desk.until(
            "(SELECT error FROM alert_message WHERE endpoint_id <> 'canary') = 'the address is not a public address'"
        )
    assert receiver.requests == []


async def test_an_address_sealed_for_another_endpoint_is_not_opened(at_desk: Desk, receiver: Receiver) -> None:
    first, second = await at_desk.endpoint(receiver.url), await at_desk.endpoint(receiver.url)
    await at_desk.route(second)
    await at_desk.connection.execute(
        "UPDATE alert_endpoint SET sealed = (SELECT sealed FROM alert_endpoint WHERE endpoint_id = $1) "
        "WHERE endpoint_id = $2",
        first,
        second,
    )
    async with delivering(at_desk.dsn):
        await at_desk.write(at_desk.alert("storm"))
        await at_desk.until("EXISTS (SELECT FROM alert_message WHERE error LIKE 'What was sealed is damaged%')")
    assert receiver.requests == []
