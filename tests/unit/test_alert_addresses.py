"""What alerts are never sent to, however it is written."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest

from bellwether.adapters.alerting import addresses, services
from bellwether.adapters.alerting.addresses import Destination, Forbidden, destination, is_public, judged, networks
from bellwether.adapters.alerting.client import Client
from tests.support.alert_receiver import receiving, status

LOOPBACK = networks(["127.0.0.0/8"])


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
        *("192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1"),
        *("::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::"),
        *("3fff::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
    ],
)
def test_no_address_that_is_local_reserved_or_another_in_disguise_is_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::1"])
def test_addresses_of_the_internet_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "//example.org/", "example.org", ""),
        *("https://user@example.org/", "https://user:pass@example.org/", "https://a@b@example.org/"),
        *("https://example.org\\@127.0.0.1/", "https://example.org/#x", "https://", "https://exa mple.org/"),
        *("https://example.org:99999/", "https://example.org:x/", "https://[::1/", "https://ex\u00e4mple.org/"),
        *(
            "https://example.org/\r\nHost: x",
            "https://-x.org/",
            "https://[fe80::zz]/",
            "https://example.org/" + "a" * 2048,
        ),
    ],
)
def test_an_address_in_an_odd_form_is_refused_before_anything_is_resolved(url: str) -> None:
    with pytest.raises(Forbidden):
        destination(url)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.1",
            "2130706433",
            "0x7f.1",
            "017700000001",
            "0",
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ),
        *("169.254.169.254", "[fd00::1]", "10.0.0.1"),
    ],
)
async def test_every_way_to_write_a_local_address_is_refused_when_it_is_resolved(host: str) -> None:
    with pytest.raises(Forbidden):
        await judged(destination(f"https://{host}/"), ())


async def test_without_tls_only_networks_that_the_operator_allows_are_reached() -> None:
    assert await judged(destination("http://127.0.0.1:8080/"), LOOPBACK) == "127.0.0.1"
    with pytest.raises(Forbidden):
        await judged(destination("http://8.8.8.8/"), LOOPBACK)
    assert await judged(destination("https://8.8.8.8/"), ()) == "8.8.8.8"


async def test_one_local_address_among_public_ones_is_enough_to_refuse_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(Forbidden):
        await judged(destination("https://example.org/"), ())


async def test_a_name_that_resolves_elsewhere_a_moment_later_is_connected_to_where_it_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = _resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    async with receiving() as vetted:
        place = Destination("http", "hooks.example.org", vetted.port, "/hook")
        async with Client.open(LOOPBACK) as client:
            outcome = await client.post(place, b"{}", {})
    assert (outcome.status, asked) == (204, ["hooks.example.org"])
    (request,) = vetted.requests
    assert request.headers["host"] == f"hooks.example.org:{vetted.port}"


async def test_a_certificate_has_to_be_of_the_name_though_the_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named: list[bytes] = []
    wrap = ssl.SSLContext.wrap_bio

    def watched(context: ssl.SSLContext, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        named.append(kwargs["server_hostname"])
        return wrap(context, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", watched)
    _resolving(monkeypatch, ["127.0.0.1"])
    async with receiving() as receiver, Client.open(LOOPBACK, total_s=1.0) as client:
        outcome = await client.post(Destination("https", "hooks.example.org", receiver.port, "/"), b"{}", {})
    assert (outcome.status, named) == (None, [b"hooks.example.org"])


async def test_an_endpoint_that_drips_never_ends_tls_or_never_stops_costs_bounded_time_and_nothing_is_read() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"x: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    sent = 0

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while not writer.is_closing() and sent < 10**9:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    loop = asyncio.get_running_loop()
    async with Client.open(LOOPBACK, total_s=1.0) as client:
        for serve, scheme, expected in ((drip, "http", None), (hang, "https", None), (pour, "http", 200)):
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            began = loop.time()
            port = server.sockets[0].getsockname()[1]
            outcome = await client.post(Destination(scheme, "127.0.0.1", port, "/"), b"{}", {})
            assert outcome.status == expected
            assert loop.time() - began < 10
            server.close()
    assert sent < 50_000_000


async def test_redirects_are_answers_like_any_other_that_is_not_2xx() -> None:
    async with receiving() as receiver, Client.open(LOOPBACK) as client:
        receiver.behave = lambda _number: status(307, f"Location: {receiver.url}")
        outcome = await client.post(destination(receiver.url), b"{}", {})
    assert (outcome.status, outcome.error, len(receiver.requests)) == (307, "answered 307", 1)


@pytest.mark.parametrize("address", ["file:///tmp/x", "syslog://localhost", "dbus://", "exec://ls", "http://x/", "x"])
def test_of_the_library_of_services_only_those_on_the_list_are_taken(address: str) -> None:
    with pytest.raises(Forbidden):
        services.scheme(address)


@pytest.mark.parametrize(
    "address",
    ["json://127.0.0.1/", "mailto://a:b@localhost/", "mailto://a:b@127.0.0.1?smtp=8.8.8.8", "ntfy://10.0.0.1/x"],
)
async def test_a_service_at_an_address_of_its_own_has_to_be_in_a_network_that_the_operator_allows(address: str) -> None:
    with pytest.raises(Forbidden):
        await services.judge(address, ())
    with pytest.raises(Forbidden):
        await services.judge("json://8.8.8.8/", LOOPBACK)


async def test_a_service_of_a_known_vendor_is_taken() -> None:
    await services.judge("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts", ())


def _resolving(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Let names resolve to these, an answer after the other; gives the names that were asked for."""
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[IPv4Address | IPv6Address]:
        asked.append(host)
        return [ip_address(one) for one in answers[min(len(asked), len(answers)) - 1]]

    monkeypatch.setattr(addresses, "resolve", resolve)
    return asked
