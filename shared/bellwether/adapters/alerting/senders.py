"""How a message goes out, by the type of its endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from bellwether.adapters.alerting import alertmanager, services, webhooks
from bellwether.adapters.alerting.addresses import destination
from bellwether.adapters.alerting.client import Client
from bellwether.adapters.alerting.messages import Message, Outcome
from bellwether.domain.alerts import Alert

Sender = Callable[[Client, Message, int], Awaitable[Outcome]]
_LONGEST_TITLE: Final = 200


async def send_webhook(client: Client, message: Message, now: int) -> Outcome:
    """As a Standard Webhook, signed at the UTC second `now`."""
    body = webhooks.body(message)
    headers = webhooks.headers(message.id, now, body, message.address.secrets)
    return await client.post(destination(message.address.url), body, headers)


async def send_to_alertmanager(client: Client, message: Message, now: int) -> Outcome:
    """As the state of the incident at the UTC second `now`, whatever the message was written for."""
    place = destination(alertmanager.url(message.address.url))
    return await client.post(place, alertmanager.body(message, now), {})


async def send_to_service(client: Client, message: Message, _now: int) -> Outcome:
    """As a title and lines of text."""
    first, *others = message.alerts
    title = f"Nobody has acknowledged: {first.title}" if message.escalates else first.title
    text = "\n".join([_line(message, first), *(_line(message, alert) for alert in others)])
    return await services.notify(message.address.url, title[:_LONGEST_TITLE], text, client.allowed)


def _line(message: Message, alert: Alert) -> str:
    where = f"{message.brand} {alert.cut}".strip()
    told = (
        f"{alert.title} ({where}: {alert.kind.value}, severity {alert.severity:g} of 10, {webhooks.moment(alert.at)})"
    )
    return f"{told} {alert.id}"


SENDERS: Final[Mapping[str, Sender]] = MappingProxyType(
    {"webhook": send_webhook, "alertmanager": send_to_alertmanager, "apprise": send_to_service}
)
"""By the type of the endpoint."""


def repeats_in(message: Message) -> int | None:
    """After how many seconds a message that went well is sent again; None for never."""
    return alertmanager.REPEAT_S if message.type == "alertmanager" and alertmanager.repeats(message) else None
