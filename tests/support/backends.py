"""The real Kafka and PostgreSQL that the tests meet: embedded, in containers, or somebody else's."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from bellwether_cli.stack import Stack, embedded_stack
from bellwether_cli.stack.kafka import Kafka
from bellwether_cli.stack.postgres import Postgres

KAFKA_IMAGE = "apache/kafka:4.4.0"
POSTGRES_IMAGE = "postgres:18"
CHOICE = "BELLWETHER_TEST_BACKEND"
EXTERNAL_KAFKA = "BELLWETHER_TEST_KAFKA_BOOTSTRAP"
EXTERNAL_POSTGRES = "BELLWETHER_TEST_POSTGRES_DSN"


@dataclass(frozen=True, slots=True)
class Servers:
    """A running Kafka and PostgreSQL. The role in the DSN may create databases."""

    kafka_bootstrap: str
    postgres_dsn: str
    embedded: Stack | None = None

    @property
    def kafka(self) -> Kafka:
        """Kafka as something to kill and start; the test is skipped where that is not ours to do."""
        return self._ours().kafka

    @property
    def postgres(self) -> Postgres:
        """PostgreSQL as something to kill and start; the test is skipped where that is not ours to do."""
        return self._ours().postgres

    def _ours(self) -> Stack:
        if self.embedded is None:
            pytest.skip("only the embedded servers can be killed and started on the same ports")
        return self.embedded


def chosen_backend() -> str:
    """embedded, containers or external: what the environment says, else containers where their images are."""
    choice = os.environ.get(CHOICE)
    if choice is None:
        return "containers" if _images_are_here() else "embedded"
    if choice not in _BACKENDS:
        raise pytest.UsageError(f"{CHOICE} is {choice!r}, not one of {', '.join(_BACKENDS)}")
    return choice


def servers(backend: str) -> AbstractAsyncContextManager[Servers]:
    """Start the backend, or reach for it."""
    return _BACKENDS[backend]()


@asynccontextmanager
async def _embedded() -> AsyncIterator[Servers]:
    # Tests kill processes, never the machine: without fsync they lose nothing and take half the time.
    async with embedded_stack(durable=False) as stack:
        yield Servers(stack.kafka_bootstrap, stack.postgres_dsn, stack)


@asynccontextmanager
async def _containers() -> AsyncIterator[Servers]:
    kafka = KafkaContainer(KAFKA_IMAGE).with_kraft()
    postgres = PostgresContainer(POSTGRES_IMAGE, dbname="bellwether", driver=None)
    try:
        await asyncio.gather(asyncio.to_thread(kafka.start), asyncio.to_thread(postgres.start))
        yield Servers(kafka.get_bootstrap_server(), f"{postgres.get_connection_url()}?sslmode=disable")
    finally:
        await asyncio.gather(asyncio.to_thread(kafka.stop), asyncio.to_thread(postgres.stop))


@asynccontextmanager
async def _external() -> AsyncIterator[Servers]:
    missing = [name for name in (EXTERNAL_KAFKA, EXTERNAL_POSTGRES) if name not in os.environ]
    if missing:
        raise pytest.UsageError(f"{CHOICE}=external needs {' and '.join(missing)}")
    yield Servers(os.environ[EXTERNAL_KAFKA], os.environ[EXTERNAL_POSTGRES])


_BACKENDS = {"embedded": _embedded, "containers": _containers, "external": _external}


def _images_are_here() -> bool:
    engine = shutil.which("docker")
    if engine is None:
        return False
    command = [engine, "image", "inspect", KAFKA_IMAGE, POSTGRES_IMAGE]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
