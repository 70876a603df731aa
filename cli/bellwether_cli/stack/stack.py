"""A real Kafka and a real PostgreSQL on this machine, without containers and without installation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bellwether_cli.stack.folder import Folder, Memory, open_folder, recall, remember, with_new_ports
from bellwether_cli.stack.jars import kafka_jars
from bellwether_cli.stack.java import find_java
from bellwether_cli.stack.kafka import Kafka
from bellwether_cli.stack.part import Part, PortTaken, bring_up, first_crash
from bellwether_cli.stack.ports import ANY_PORT, PortChoice
from bellwether_cli.stack.postgres import Postgres
from bellwether_cli.stack.postgres_programs import programs, server_user
from bellwether_cli.stack.process import User

_PORT_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Stack:
    """A running Kafka and PostgreSQL. Each can be killed and started again; the addresses stay the same."""

    folder: Folder
    kafka: Kafka
    postgres: Postgres
    key_pepper: str

    @property
    def kafka_bootstrap(self) -> str:
        """`host:port` of Kafka."""
        return self.kafka.bootstrap

    @property
    def postgres_dsn(self) -> str:
        """The address of the database `bellwether` as its owner."""
        return self.postgres.dsn

    async def wait_crashed(self) -> str:
        """Wait until a part dies by itself; gives its name. `kill` and `stop` do not count."""
        return await first_crash([self.kafka, self.postgres])


@asynccontextmanager
async def embedded_stack(
    data_dir: Path | None = None,
    *,
    durable: bool = True,
    ports: PortChoice = ANY_PORT,
    jar_cache: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> AsyncIterator[Stack]:
    """Start both servers, give them when both really answer, and end them whatever happens.

    A `data_dir` is kept, with its ports where they are still free; None is a temporary folder, removed at the end.
    `ports` may name `kafka`, `kafka_controller` and `postgres`.
    `durable` False, for a short life, saves the fsyncs and Kafka's long compiling; `tell` hears of what takes long.
    Raises StackError, which says which part failed and why.
    """
    with open_folder(data_dir) as folder:
        tools = await _find_tools(jar_cache, tell)
        stack = await _start(folder, ports, tools, durable=durable)
        try:
            yield stack
        finally:
            await _end(stack, in_order=data_dir is not None)


@dataclass(frozen=True, slots=True)
class _Tools:
    java: Path
    jars: Path
    programs: Path
    user: User | None


async def _find_tools(jar_cache: Path | None, tell: Callable[[str], None] | None) -> _Tools:
    user = server_user()
    java = await find_java()
    return _Tools(java, await kafka_jars(jar_cache, tell), await asyncio.to_thread(programs, user), user)


async def _start(folder: Folder, choice: PortChoice, tools: _Tools, *, durable: bool) -> Stack:
    memory = recall(folder, choice)
    for attempts_left in reversed(range(_PORT_ATTEMPTS)):
        stack = _assemble(folder, memory, tools, durable=durable)
        try:
            await bring_up([stack.postgres, stack.kafka])
        except PortTaken as error:
            if error.part in choice.required or not attempts_left:
                raise
            memory = with_new_ports(memory, choice.without_preferences())
            remember(folder, memory)
        else:
            return stack
    raise AssertionError


def _assemble(folder: Folder, memory: Memory, tools: _Tools, *, durable: bool) -> Stack:
    kafka = Kafka(folder, tools.java, tools.jars, memory.ports, memory.cluster_id, durable=durable)
    postgres = Postgres(folder, tools.programs, tools.user, memory, durable=durable)
    return Stack(folder, kafka, postgres, memory.key_pepper)


async def _end(stack: Stack, *, in_order: bool) -> None:
    parts: list[Part] = [stack.kafka, stack.postgres]
    await asyncio.gather(*(part.stop() if in_order or part.leaves_something else part.kill() for part in parts))
    await asyncio.gather(*(part.gone() for part in parts))
