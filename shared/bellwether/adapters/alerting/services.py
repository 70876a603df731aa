"""Chat, mail and paging services, through the library apprise.

Its plugins speak to addresses of their own, which cannot be pinned. So only those are taken that speak to one known
vendor; those that speak to a host that the address names are taken where the operator allows its network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import parse_qs, urlsplit

from bellwether.adapters.alerting.addresses import Forbidden, Network, check_host, resolve
from bellwether.adapters.alerting.messages import Outcome

VENDORS: Final = frozenset(
    {
        *("discord", "gchat", "opsgenie", "pagerduty", "pushover", "sendgrid", "slack", "spike", "splunk", "tgram"),
        *("twilio", "victorops", "wxteams"),
    }
)
"""Schemes of services that live at one known place."""
HOSTED: Final = frozenset(
    {
        *("gotify", "gotifys", "json", "jsons", "mailto", "mailtos", "matrix", "matrixs", "mmost", "mmosts"),
        *("ntfy", "ntfys", "rocket", "rockets", "workflows"),
    }
)
"""Schemes of services that live where the address says."""
TIMEOUT_S: Final = 15.0
_LONGEST: Final = 2_048
_PORT: Final = 443

# It blocks, and a thread cannot be ended: threads of its own, so that others are not held up by it.
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="apprise")


def scheme(address: str) -> str:
    """The scheme of a service's address. Raises Forbidden for one that is not among those that are taken."""
    found = address.partition("://")[0].lower()
    if len(address) > _LONGEST or not address.isprintable():
        raise Forbidden("must be at most 2048 printable characters")
    if found not in VENDORS | HOSTED:
        raise Forbidden(f"must begin with one of {', '.join(sorted(VENDORS | HOSTED))}, and ://")
    return found


async def judge(address: str, allowed: Sequence[Network]) -> None:
    """Refuse a service at an address of its own outside of the networks that the operator allows. Raises Forbidden."""
    if scheme(address) in VENDORS:
        return
    parts = urlsplit(address)
    named = [parts.hostname or "", *parse_qs(parts.query).get("smtp", [])]
    for host in named:
        found = await resolve(check_host(host), _PORT)
        if not all(any(one in network for network in allowed) for one in found):
            raise Forbidden("is not in a network that the operator allows")


async def notify(address: str, title: str, text: str, allowed: Sequence[Network]) -> Outcome:
    """Tell a service; apprise says no more than whether it went well."""
    try:
        await judge(address, allowed)
        async with asyncio.timeout(TIMEOUT_S):
            went_well = await asyncio.get_running_loop().run_in_executor(_threads, _notify, address, title, text)
    except TimeoutError:
        return Outcome(error=f"no answer within {TIMEOUT_S:.0f} s")
    except Forbidden as error:
        return Outcome(error=f"the address {error}")
    except OSError:
        return Outcome(error="cannot be connected to")
    return Outcome() if went_well else Outcome(error="the service did not take it")


def _notify(address: str, title: str, text: str) -> bool:
    import apprise  # noqa: PLC0415 - half a second of imports, of which only who uses it has need

    service = apprise.Apprise()
    return service.add(address) and bool(service.notify(title=title, body=text))
