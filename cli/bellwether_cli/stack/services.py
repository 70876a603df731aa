"""Bellwether's own services as child processes, on any Kafka and PostgreSQL."""

from __future__ import annotations

import asyncio
import hmac
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

import httpx2

from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.folder import Folder
from bellwether_cli.stack.part import Part, PortTaken, bring_up, first_crash
from bellwether_cli.stack.ports import ANY_PORT, LOOPBACK, PortChoice
from bellwether_cli.stack.process import Command

_READY_S = 60.0
_PORT_ATTEMPTS = 3
_POLL_S = 0.1
_PROBE_S = 2.0


@dataclass(frozen=True, slots=True)
class Wiring:
    """What all services have to agree on."""

    kafka_bootstrap: str
    postgres_dsn: str
    key_pepper: str
    events_topic: str = "social.events.v1"
    quarantine_topic: str = "social.quarantine.v1"
    updates_topic: str = "kpi.updates.v1"

    def environment(self, service: str) -> dict[str, str]:
        """The same as environment variables of one service."""
        shared = {_variable(service, name): getattr(self, name) for name in self.__slots__}
        return shared | {_variable(service, name): value for name, value in self._alerts().items()}

    def _alerts(self) -> dict[str, str]:
        """What seals the addresses of alert endpoints, and that they may be on this machine."""
        seal = hmac.digest(self.key_pepper.encode(), b"alert endpoints", "sha256").hex()
        return {"alert_key": seal, "alert_networks": '["127.0.0.0/8"]'}


class Service(Part):
    """One service as `python -m bellwether_<name>`, listening on 127.0.0.1. It can be killed and started again."""

    start_deadline_s = 30.0
    stop_patience_s = 20.0

    def __init__(self, folder: Folder, name: str, port: int, environment: Mapping[str, str]) -> None:
        super().__init__(folder)
        self.name = name
        self._port = port
        own = {_variable(name, "host"): LOOPBACK, _variable(name, "port"): str(port)}
        self._environment = {**environment, **own}

    @property
    def url(self) -> str:
        """`http://host:port`, without a slash at the end."""
        return f"http://{LOOPBACK}:{self._port}"

    async def prepare(self) -> None:
        """Nothing: a service keeps nothing on disk."""

    async def ready(self, deadline_s: float = _READY_S) -> None:
        """Wait until /readyz says 200. Raises StackError with its last answer when it has not within `deadline_s`."""
        told = "no answer"
        async with httpx2.AsyncClient(timeout=_PROBE_S) as client:
            try:
                async with asyncio.timeout(deadline_s):
                    while True:
                        status, told = await _get(client, f"{self.url}/readyz")
                        if status == httpx2.codes.OK:
                            return
                        await asyncio.sleep(_POLL_S)
            except TimeoutError:
                reason = f"not ready after {deadline_s:.0f} s: {told}"
                raise StackError(self.name, reason, self._folder.log(self.name)) from None

    def _command(self, lock_fd: int) -> Command:
        return Command(
            argv=[sys.executable, "-m", f"bellwether_{self.name}"],
            log=self._folder.log(self.name),
            settings=self._environment,
            cwd=self._folder.path,
            lock_fd=lock_fd,
        )

    async def _answers(self) -> bool:
        async with httpx2.AsyncClient(timeout=_PROBE_S) as client:
            status, _ = await _get(client, f"{self.url}/healthz")
        return status == httpx2.codes.OK


@dataclass(frozen=True, slots=True)
class Services:
    """The three services, running."""

    ingest: Service
    compute: Service
    api: Service
    wiring: Wiring

    @property
    def all(self) -> list[Service]:
        """In the order of the flow."""
        return [self.ingest, self.compute, self.api]

    async def wait_crashed(self) -> str:
        """Wait until a service dies by itself; gives its name. `kill` and `stop` do not count."""
        return await first_crash(self.all)


@asynccontextmanager
async def running_services(
    folder: Folder,
    wiring: Wiring,
    *,
    ports: PortChoice = ANY_PORT,
    settings: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> AsyncIterator[Services]:
    """Start the three services, wait until all are ready, and stop them in order at the end.

    The database has to be migrated and the topics have to exist. `settings` are more settings of single services,
    such as {"compute": {"max_wait_s": "0.05"}}; `ports` may name `ingest`, `compute` and `api`. Raises StackError.
    """
    services = await _start(folder, wiring, ports, settings)
    try:
        await asyncio.gather(*(each.ready() for each in services.all))
        yield services
    finally:
        await asyncio.gather(*(each.stop() for each in services.all))


async def _start(
    folder: Folder, wiring: Wiring, ports: PortChoice, settings: Mapping[str, Mapping[str, str]]
) -> Services:
    for attempts_left in reversed(range(_PORT_ATTEMPTS)):

        def service(name: str, choice: PortChoice = ports) -> Service:
            more = {_variable(name, key): value for key, value in settings.get(name, {}).items()}
            return Service(folder, name, choice.pick(name), {**wiring.environment(name), **more})

        services = Services(service("ingest"), service("compute"), service("api"), wiring)
        try:
            await bring_up(services.all)
        except PortTaken as error:
            if error.part in ports.required or not attempts_left:
                raise
            ports = ports.without_preferences()
        else:
            return services
    raise AssertionError


def _variable(service: str, setting: str) -> str:
    return f"BELLWETHER_{service}_{setting}".upper()


async def _get(client: httpx2.AsyncClient, url: str) -> tuple[int, str]:
    try:
        answer = await client.get(url)
    except httpx2.HTTPError as error:
        return 0, str(error)
    return answer.status_code, answer.text
