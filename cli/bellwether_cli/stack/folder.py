"""The folder in which a stack keeps its data, its logs and what it has to remember."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType

from bellwether_cli.stack.errors import StackError
from bellwether_cli.stack.ports import LOOPBACK, PortChoice, is_free

_LOCK_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen on 127.0.0.1."""

    kafka: int
    kafka_controller: int
    postgres: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What a stack has to know again when it is started on the same folder."""

    ports: Ports
    cluster_id: str
    superuser_password: str
    owner_password: str
    key_pepper: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A stack's folder, held by this process alone."""

    path: Path

    @property
    def logs(self) -> Path:
        """Where each part writes `<part>.log`."""
        return self.path / "log"

    def log(self, part: str) -> Path:
        """The log of one part."""
        return self.logs / f"{part}.log"

    async def part_lock(self, part: str, deadline_s: float) -> int:
        """Lock a part; gives the open file, to be handed to the part's process and then closed here.

        The lock lives as long as any process of the part, so taking it waits for the last one of an earlier start.
        Raises StackError when that one is still there after `deadline_s` seconds.
        """
        descriptor = os.open(self.path / f"{part}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            async with asyncio.timeout(deadline_s):
                while not _try_lock(descriptor):  # noqa: ASYNC110 - another process unlocks it
                    await asyncio.sleep(_LOCK_POLL_S)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, TimeoutError):
                raise StackError(part, f"an earlier one still runs on {self.path}", self.log(part)) from error
            raise
        return descriptor


@contextmanager
def open_folder(path: Path | None) -> Iterator[Folder]:
    """Make or take over a stack's folder and hold it. None: a temporary one, removed at the end.

    Raises StackError when another stack holds it, or when it cannot be written to.
    """
    temporary = path is None
    root = Path(tempfile.mkdtemp(prefix="bellwether-")) if path is None else path.resolve()
    try:
        _prepare(root)
        with _held(root):
            yield Folder(root)
    finally:
        if temporary:
            shutil.rmtree(root, ignore_errors=True)


def recall(folder: Folder, choice: PortChoice) -> Memory:
    """What the folder remembers, with its ports as far as they are free and the choice allows; or all of it new.

    Raises StackError when a required port is taken.
    """
    for part, port in choice.required.items():
        if not is_free(port):
            raise StackError(part, f"port {port} of {LOOPBACK} is taken")
    file = folder.path / "stack.json"
    if not file.exists():
        memory = Memory(_pick(choice), _cluster_id(), *(secrets.token_urlsafe(24) for _ in range(3)))
    else:
        memory = _read(file)
        memory = replace(memory, ports=_pick(choice, asdict(memory.ports)))
    remember(folder, memory)
    return memory


def remember(folder: Folder, memory: Memory) -> None:
    """Write it down, readable by the owner only: it holds passwords."""
    file = folder.path / "stack.json"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(asdict(memory), out, indent=2)


def with_new_ports(memory: Memory, choice: PortChoice) -> Memory:
    """The same with other ports, except where one is required."""
    return replace(memory, ports=_pick(choice))


def _read(file: Path) -> Memory:
    try:
        stored = json.loads(file.read_text())
        return Memory(**{**stored, "ports": Ports(**stored["ports"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StackError("stack", f"{file} is not what an earlier start has written: {error}") from error


def _cluster_id() -> str:
    # As Kafka writes a UUID. Its tools take a leading dash for an option.
    return "b" + secrets.token_urlsafe(16)[1:]


def _pick(choice: PortChoice, earlier: Mapping[str, int] = MappingProxyType({})) -> Ports:
    return Ports(**{part: choice.pick(part, earlier.get(part)) for part in Ports.__slots__})


def _prepare(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
        # Others may pass through, for a server that runs as another user, but see nothing: each file says who may.
        root.chmod(0o711)
        (root / "log").mkdir(exist_ok=True)
    except OSError as error:
        raise StackError("stack", f"{root} cannot be used: {error.strerror}") from error


@contextmanager
def _held(root: Path) -> Iterator[None]:
    descriptor = os.open(root / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _try_lock(descriptor):
            raise StackError("stack", f"{root} is in use by another stack")
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
