"""Where alerts may go: to public addresses, and to networks that the operator names. Nothing else can be reached.

What tenants enter is resolved here, once for each attempt, and whoever sends connects to the address that was judged,
not to the name: a name may resolve to another address a moment later.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from bellwether.domain.errors import BellwetherError

Network = IPv4Network | IPv6Network

# Our own list: `is_global` of the standard library says yes to NAT64, 6to4, site-local and multicast addresses.
_DENIED: Final = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/3", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
_UNICAST6: Final = IPv6Network("2000::/3")  # all else of IPv6 is local, multicast, or an IPv4 address in disguise
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?")
_PORTS: Final = {"https": 443, "http": 80}
_LONGEST: Final = 2_048


class Forbidden(BellwetherError):
    """An address that nothing is sent to. The message says why, and never to what a name resolves."""

    title = "Nothing is sent to this address"


class Destination(NamedTuple):
    """An HTTP address in its parts. target: path and query; host: as in the address, without brackets."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What the header Host says."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks in CIDR notation. Raises ValueError for what is none."""
    return tuple(ip_network(text) for text in texts)


def destination(url: str) -> Destination:
    """The parts of an HTTP address. Raises Forbidden for other schemes, credentials, fragments, and odd characters."""
    if len(url) > _LONGEST or not (url.isascii() and url.isprintable()) or set(url) & set(" \\"):
        raise Forbidden("must be at most 2048 printable ASCII characters, without blanks or backslashes")
    parts, port = _split(url)
    if parts.scheme not in _PORTS:
        raise Forbidden("must begin with https://")
    if "@" in parts.netloc or parts.fragment:
        raise Forbidden("must not hold credentials or a fragment")
    host = check_host(parts.hostname or "")
    return Destination(parts.scheme, host, port or _PORTS[parts.scheme], _target(parts))


def check_host(host: str) -> str:
    """A host name or an address, as it came. Raises Forbidden for what is neither."""
    if ":" in host:
        _address(host)
    elif not _HOST.fullmatch(host):
        raise Forbidden("must name a host")
    return host


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Forbidden("is not an address") from None
    return parts, port


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public Internet."""
    if isinstance(address, IPv6Address) and address not in _UNICAST6:
        return False
    return not any(address in network for network in _DENIED)


async def judged(place: Destination, allowed: Sequence[Network]) -> str:
    """The address to connect to: all that the name resolves to are public, or in a network that the operator allows.

    Without TLS only such a network can be reached. Raises Forbidden; and OSError where the name does not resolve.
    """
    found = await resolve(place.host, place.port)
    mine = [any(address in network for network in allowed) for address in found]
    if not all(ours or is_public(address) for ours, address in zip(mine, found, strict=True)):
        raise Forbidden("is not a public address")
    if place.scheme != "https" and not all(mine):
        raise Forbidden("must begin with https://")
    return str(found[0])


async def resolve(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    """All addresses of a host, in the resolver's order, at least one. Raises OSError."""
    told = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [_address(str(one[4][0])) for one in told]


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError:
        raise Forbidden("is not an address") from None
