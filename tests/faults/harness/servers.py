"""A real Kafka and a real PostgreSQL, both of which the services reach only through fault proxies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bellwether.adapters.kafka.reachability import cluster_id
from bellwether_cli.stack import Stack, embedded_stack
from bellwether_cli.stack.ports import LOOPBACK, free_port
from tests.support.proxy import Proxy, proxy_to

_PATIENCE_S = 180.0
_PROTOCOLS = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SERVICES:PLAINTEXT"


class SomebodyElses(Exception):
    """What answers on a port of ours is not the server that was started there."""


@dataclass(frozen=True, slots=True)
class ProxiedServers:
    """Both servers; the harness itself reaches them without a proxy in between."""

    stack: Stack
    kafka_proxy: Proxy
    postgres_proxy: Proxy

    @property
    def kafka_for_services(self) -> str:
        """`host:port` of the proxy, which Kafka also tells as its own address."""
        return f"{LOOPBACK}:{self.kafka_proxy.port}"

    def dsn_for_services(self, dsn: str) -> str:
        """The same database, through the proxy."""
        address = urlsplit(dsn)
        netloc = address.netloc.replace(f":{address.port}", f":{self.postgres_proxy.port}")
        return urlunsplit(address._replace(netloc=netloc))


@asynccontextmanager
async def proxied_servers() -> AsyncIterator[ProxiedServers]:
    """Start both servers, and make sure that they are the ones that were started before anything is written."""
    services_port = free_port()
    async with (
        embedded_stack(durable=False) as stack,
        proxy_to(LOOPBACK, services_port) as kafka_proxy,
        proxy_to(LOOPBACK, urlsplit(stack.postgres_dsn).port or 0) as postgres_proxy,
    ):
        for server in (stack.kafka, stack.postgres):
            server.start_deadline_s = _PATIENCE_S
        await stack.kafka.stop()
        _advertise(stack.folder.path / "kafka" / "server.properties", services_port, kafka_proxy.port)
        await stack.kafka.start()
        servers = ProxiedServers(stack, kafka_proxy, postgres_proxy)
        await _check_kafka(servers)
        await _check_postgres(servers)
        yield servers


def _advertise(properties: Path, port: int, advertised: int) -> None:
    """Give Kafka one more listener, whose clients are sent to the proxy."""
    lines = []
    for line in properties.read_text().splitlines():
        match line.partition("=")[0]:
            case "listeners":
                lines.append(f"{line},SERVICES://{LOOPBACK}:{port}")
            case "advertised.listeners":
                lines.append(f"{line},SERVICES://{LOOPBACK}:{advertised}")
            case _:
                lines.append(line)
    properties.write_text("\n".join([*lines, _PROTOCOLS, ""]))


async def _check_kafka(servers: ProxiedServers) -> None:
    formatted = (servers.stack.folder.path / "kafka" / "data" / "meta.properties").read_text()
    found = await cluster_id(servers.kafka_for_services)
    if f"cluster.id={found}" not in formatted.splitlines():
        raise SomebodyElses(f"the brokers at {servers.kafka_for_services} are of the cluster {found}")


async def _check_postgres(servers: ProxiedServers) -> None:
    connection = await asyncpg.connect(servers.dsn_for_services(servers.stack.postgres.superuser_dsn))
    try:
        found = Path(await connection.fetchval("SHOW data_directory"))
    finally:
        await connection.close()
    if found.resolve() != (servers.stack.folder.path / "postgres" / "data").resolve():
        raise SomebodyElses(f"PostgreSQL keeps its data in {found}")
