"""Environments of the peers: made once from pinned packages, kept in the user's cache folder."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

import platformdirs

from bellwether_cli.stack import jars
from bellwether_cli.stack.errors import StackError

_PINS = Path(__file__).parent
_MAKE_S = 900.0
FLINK_CONNECTOR = jars.Jar(
    "org.apache.flink",
    "flink-sql-connector-kafka",
    "5.0.0-2.2",
    "5605c691d11a501382c383fecba37a7a552467da5ab7ba904ef5d6f3d62c5616",
)


class NotAvailable(Exception):
    """An environment cannot be had here; the words say why."""


async def environment(name: str) -> Path:
    """The Python of an environment with the packages of `<name>.txt`. Raises NotAvailable."""
    pins = _PINS / f"{name}.txt"
    folder = _cache() / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    python, done = folder / "bin" / "python", folder / "complete"
    if not done.exists():
        print(f"  making the environment of {name}, once", flush=True)
        uv = (sys.executable, "-m", "uv")
        await _run(*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        install = ("pip", "install", "--quiet", "--require-hashes", "--requirements", str(pins))
        await _run(*uv, *install, "--python", str(python))
        done.touch()
    return python


def version(name: str, package: str) -> str:
    """The pinned version of a package in an environment."""
    lines = (_PINS / f"{name}.txt").read_text().splitlines()
    pinned = next(line for line in lines if line.startswith((f"{package}==", f"{package}[")))
    return pinned.partition("==")[2].split()[0]


async def flink_connector() -> Path:
    """The jar of Flink's Kafka connector, from the Maven repository. Raises NotAvailable."""
    jar = _cache() / FLINK_CONNECTOR.file_name
    if jars._mismatches(jar.parent, [FLINK_CONNECTOR]):
        jar.parent.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryDirectory(dir=jar.parent) as staging:
                fetched = await jars._resolve([FLINK_CONNECTOR], Path(staging))
                shutil.copy(fetched / jar.name, jar)
        except StackError as error:
            raise NotAvailable(f"no Kafka connector: {error}") from error
        if jars._mismatches(jar.parent, [FLINK_CONNECTOR]):
            raise NotAvailable("the Maven repository gave another Kafka connector than expected")
    return jar


def _cache() -> Path:
    return Path(platformdirs.user_cache_dir("bellwether")) / "bench"


async def _run(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.PIPE)
    try:
        _, told = await asyncio.wait_for(process.communicate(), _MAKE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotAvailable(f"{argv[2:4]} was not done after {_MAKE_S:.0f} s") from None
    if process.returncode:
        raise NotAvailable(told.decode(errors="replace").strip().splitlines()[-1])
