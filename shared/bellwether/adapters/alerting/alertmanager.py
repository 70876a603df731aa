"""Prometheus Alertmanager's API v2: it is told how an incident stands, again and again while it goes on.

An alert there is its set of labels. The word of the severity is among them, since people route by it; where it changes,
the alert under the former word is resolved in the same request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from bellwether.adapters.alerting.addresses import destination
from bellwether.adapters.alerting.messages import Message
from bellwether.adapters.alerting.webhooks import moment
from bellwether.domain.alerts import CALLING, OVER, Alert

PATH: Final = "/api/v2/alerts"
REPEAT_S: Final = 60
"""How often an alert that goes on is told again; its end is put three such spans ahead each time."""
_WORDS: Final = ((8.0, "critical"), (4.0, "warning"), (0.0, "info"))


def url(base: str) -> str:
    """Where to post, from the address of an Alertmanager, which may stand behind a path. Raises Forbidden."""
    place = destination(base)
    return f"{place.scheme}://{place.authority}{place.target.partition('?')[0].rstrip('/')}{PATH}"


def is_over(course: Sequence[Alert]) -> bool:
    """Whether an incident's last turn ended it. What is no incident's at all, as a test, is over when it is told."""
    turns = [alert.kind for alert in course if alert.kind in CALLING or alert.kind in OVER]
    return not turns or turns[-1] in OVER


def repeats(message: Message) -> bool:
    """Whether a message is to be told again after it went well: a call, while its incident goes on."""
    return message.alerts[-1].kind in CALLING and not is_over(message.course)


def body(message: Message, now: int) -> bytes:
    """The alerts of an incident as they stand at the UTC second `now`: one goes on at most, the others are resolved."""
    weighing = [alert for alert in message.course if alert.kind in CALLING] or list(message.alerts)
    over = is_over(message.course) and bool(message.alerts[0].incident)
    words = dict.fromkeys(_word(alert.severity) for alert in weighing)
    going_on = None if over else _word(weighing[-1].severity)
    ends = {word: now + 3 * REPEAT_S if word == going_on else now for word in words}
    return msgspec.json.encode([_alert(message, weighing, word, ends[word]) for word in words])


def _alert(message: Message, weighing: Sequence[Alert], word: str, ends_at: int) -> dict[str, Any]:
    last = weighing[-1]
    labels = {
        "alertname": "BellwetherCrisis" if last.incident else "BellwetherAlert",
        "tenant": message.tenant,
        "brand": message.brand,
        "incident": last.incident or last.id,
        "cut": weighing[0].cut,
        "severity": word,
    }
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {"summary": last.title, "score": f"{last.severity:g}", "alert_id": last.id},
        "startsAt": moment(min(weighing[0].at, ends_at)),
        "endsAt": moment(ends_at),
    }


def _word(severity: float) -> str:
    return next(word for least, word in _WORDS if severity >= least)
