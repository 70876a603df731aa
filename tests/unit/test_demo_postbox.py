"""What the demo takes for a good webhook."""

import time

import httpx2
import pytest

from bellwether.adapters.alerting.messages import Secret
from bellwether.adapters.alerting.webhooks import headers, new_secret
from bellwether_cli.demo.postbox import is_signed, open_postbox

BODY = b'{"type":"crisis.opened","timestamp":"2026-10-13T12:00:00Z","data":{"brand":"aurora"}}'
SECRET = new_secret()
NOW = 1_791_000_000


def test_what_is_signed_with_the_secret_is_taken_for_signed() -> None:
    assert is_signed(SECRET, headers("alr_1", NOW, BODY, [Secret(new_secret()), Secret(SECRET)]), BODY, NOW + 2)


@pytest.mark.parametrize(
    ("change", "body", "later_s"),
    [
        ({}, BODY + b" ", 0),
        ({}, BODY, 301),
        ({"webhook-id": "alr_2"}, BODY, 0),
        ({"webhook-signature": "v1,AAAA"}, BODY, 0),
        ({"webhook-timestamp": "now"}, BODY, 0),
    ],
    ids=["body", "age", "id", "signature", "timestamp"],
)
def test_what_is_changed_or_old_is_not(change: dict[str, str], body: bytes, later_s: int) -> None:
    told = headers("alr_1", NOW, BODY, [Secret(SECRET)]) | change
    assert not is_signed(SECRET, told, body, NOW + later_s)


def test_what_is_not_signed_at_all_is_not() -> None:
    assert not is_signed(SECRET, {}, BODY, NOW)


async def test_a_webhook_that_is_sent_arrives() -> None:
    async with open_postbox() as box, httpx2.AsyncClient() as client:
        box.secret = SECRET
        signed = headers("alr_1", int(time.time()), BODY, [Secret(SECRET)])
        assert (await client.post(box.url, content=BODY, headers=signed)).status_code == 204
        assert await box.until(lambda: len(box.letters) == 1, 5.0)
    (letter,) = box.letters
    assert (letter.type, letter.data["brand"], letter.signed) == ("crisis.opened", "aurora", True)
    assert not await box.until(lambda: len(box.letters) == 2, 0.05)
