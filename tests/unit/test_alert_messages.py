"""What receivers get: Standard Webhooks, Alertmanager's alerts; and how secrets are kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bellwether.adapters.alerting import alertmanager, senders, webhooks
from bellwether.adapters.alerting.messages import Address, Message, Secret
from bellwether.adapters.sealing import Sealer
from bellwether.domain.alerts import Alert, Kind, alert_id
from bellwether.domain.errors import Unavailable

NOW = 1_731_705_121
SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl"


def _alert(kind: Kind, at: int, severity: float = 7.0, **fields: Any) -> Alert:
    told: dict[str, Any] = {"id": alert_id(1, "storm", kind, at), "title": f"{kind.value} at {at}"}
    return Alert(**told, tenant_id=1, brand_id=1, incident="storm", kind=kind, severity=severity, at=at, **fields)


def _message(*course: Alert, kind: str = "alertmanager") -> Message:
    return Message("msg", kind, Address("https://example.org"), "acme", "roast", course[-1:], course)


def _posted(*course: Alert) -> list[dict[str, Any]]:
    return msgspec.json.decode(alertmanager.body(_message(*course), NOW), type=list[dict[str, Any]])


def test_a_signature_is_that_of_the_published_vector() -> None:
    body = b'{"event_type":"ping","data":{"success":true}}'
    told = webhooks.signature(SECRET, "msg_loFOjxBNrRLzqYUf", NOW, body)
    assert told == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_while_a_secret_is_rotated_a_message_carries_the_signatures_of_both() -> None:
    old, new = Secret(SECRET, NOW + 1), Secret(webhooks.new_secret())
    during = webhooks.headers("m", NOW, b"{}", (new, old))["webhook-signature"].split()
    after = webhooks.headers("m", NOW + 1, b"{}", (new, old))["webhook-signature"].split()
    assert during == [webhooks.signature(one.text, "m", NOW, b"{}") for one in (new, old)]
    assert after == [webhooks.signature(new.text, "m", NOW + 1, b"{}")]


def test_an_id_can_be_signed_without_being_mistaken_for_other_parts() -> None:
    assert "." not in alert_id(1, "an.incident", Kind.OPENED, 1)


def test_a_webhook_keeps_below_20_kb_with_the_largest_evidence() -> None:
    evidence = msgspec.json.encode({"terms": "x" * 16_000}).decode()
    assert len(webhooks.body(_message(_alert(Kind.OPENED, NOW, evidence=evidence), kind="webhook"))) < 20_000


def test_an_incident_that_goes_on_fires_until_three_repeats_were_missed() -> None:
    (one,) = _posted(_alert(Kind.OPENED, NOW - 100))
    assert one["labels"] == {
        "alertname": "BellwetherCrisis", "tenant": "acme", "brand": "roast", "incident": "storm", "severity": "warning"
    }  # fmt: skip
    assert (one["startsAt"], one["endsAt"]) == (webhooks.moment(NOW - 100), webhooks.moment(NOW + 180))


def test_where_the_severity_gets_another_word_the_alert_under_the_former_one_is_resolved() -> None:
    former, latter = _posted(_alert(Kind.OPENED, NOW - 100), _alert(Kind.GREW, NOW - 50, 9.0))
    assert (former["labels"]["severity"], former["endsAt"]) == ("warning", webhooks.moment(NOW))
    assert (latter["labels"]["severity"], latter["endsAt"]) == ("critical", webhooks.moment(NOW + 180))


@pytest.mark.parametrize("kind", [Kind.RESOLVED, Kind.MERGED])
def test_an_incident_that_is_over_is_resolved_under_all_its_words_and_not_told_again(kind: Kind) -> None:
    course = _alert(Kind.OPENED, NOW - 100), _alert(Kind.GREW, NOW - 50, 9.0), _alert(kind, NOW - 10, 0.0)
    assert [one["endsAt"] for one in _posted(*course)] == [webhooks.moment(NOW)] * 2
    assert senders.repeats_in(_message(*course)) is None


def test_only_calls_of_an_incident_that_goes_on_are_told_again_and_only_to_alertmanager() -> None:
    opened, seen = _alert(Kind.OPENED, NOW - 100), _alert(Kind.ACKNOWLEDGED, NOW - 50)
    late = Message("m", "alertmanager", Address(""), "", "", (opened,), (opened, _alert(Kind.RESOLVED, NOW)))
    assert senders.repeats_in(_message(opened)) == 60
    assert senders.repeats_in(_message(opened, seen)) is None
    assert senders.repeats_in(_message(opened, kind="webhook")) is None
    assert senders.repeats_in(late) is None


def test_an_incident_that_is_reopened_fires_again() -> None:
    course = _alert(Kind.OPENED, NOW - 100), _alert(Kind.RESOLVED, NOW - 50), _alert(Kind.REOPENED, NOW - 10)
    assert [one["endsAt"] for one in _posted(*course)] == [webhooks.moment(NOW + 180)]


def test_an_alertmanager_may_stand_behind_a_path() -> None:
    assert alertmanager.url("https://example.org") == "https://example.org/api/v2/alerts"
    assert alertmanager.url("https://example.org:9093/am/") == "https://example.org:9093/am/api/v2/alerts"


def test_what_is_sealed_opens_under_the_same_key_for_the_same_purpose_only() -> None:
    sealer = Sealer("a key of sixteen chars")
    sealed = sealer.seal(b"whsec", "one")
    assert sealer.open(sealed, "one") == b"whsec"
    assert b"whsec" not in sealed
    assert sealer.seal(b"whsec", "one") != sealed
    for other, about in ((sealer, "two"), (Sealer("another key altogether"), "one"), (Sealer(), "one")):
        with pytest.raises(Unavailable):
            other.open(sealed, about)
    with pytest.raises(Unavailable):
        sealer.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "one")


def test_after_a_key_is_replaced_what_the_old_one_sealed_still_opens() -> None:
    sealed = Sealer("the key of last year").seal(b"whsec", "one")
    assert Sealer("the key of this year", "the key of last year").open(sealed, "one") == b"whsec"


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(Unavailable):
        Sealer().seal(b"whsec", "one")
