"""Kafka's jars: resolved once from the Maven repository, checked against the sums in this package, kept in a cache.

The list names every jar with its exact version, so a resolver has nothing to decide and nothing to add.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import platformdirs

from bellwether_cli.stack.errors import StackError, tail
from bellwether_cli.stack.process import Command, run

KAFKA_VERSION = "4.4.0"
_LIST = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.sha256")
_COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_RESOLVE_S = 900.0
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar by its Maven coordinates and the sum it must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """As Maven names it."""
        return f"{self.artifact}-{self.version}.jar"


def pinned() -> list[Jar]:
    """All jars that a broker needs, as committed: lines of `sha256  group:artifact:version`."""
    return [_jar(line) for line in _LIST.read_text().splitlines()]


def _jar(line: str) -> Jar:
    sha256, coordinates = line.split()
    group, artifact, version = coordinates.split(":")
    return Jar(group, artifact, version, sha256)


def default_cache() -> Path:
    """Where the jars are kept: in the user's cache folder, outside of any checkout."""
    return Path(platformdirs.user_cache_dir("bellwether")) / f"kafka-{KAFKA_VERSION}"


async def kafka_jars(cache: Path | None = None, tell: Callable[[str], None] | None = None) -> Path:
    """The folder with Kafka's jars, every one verified; offline once it is filled.

    They are resolved by `mvn` where it is installed, else by the resolver of the jgo library; `tell` hears of it.
    Raises StackError when they cannot be had, or when one is not what it should be.
    """
    folder = cache or default_cache()
    jars = pinned()
    if not await asyncio.to_thread(_complete, folder, jars):
        if tell is not None:
            tell(f"fetching Kafka {KAFKA_VERSION} from the Maven repository, once: 45 MB")
        await _fill(folder, jars)
    return folder


async def _fill(folder: Path, jars: Sequence[Jar]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}-") as staging:
        fetched = await _resolve(jars, Path(staging))
        bad = await asyncio.to_thread(_mismatches, fetched, jars)
        if bad:
            raise StackError("kafka", f"the Maven repository gave other files than expected: {', '.join(bad)}")
        # Two may fill the cache at once: both bring the same files, so whoever comes second changes nothing.
        shutil.copytree(fetched, folder, dirs_exist_ok=True)


async def _resolve(jars: Sequence[Jar], staging: Path) -> Path:
    maven = shutil.which("mvn")
    if maven is not None:
        return await _resolve_with_maven(maven, jars, staging)
    return await asyncio.to_thread(_resolve_with_jgo, jars, staging)


async def _resolve_with_maven(maven: str, jars: Sequence[Jar], staging: Path) -> Path:
    pom, log, fetched = staging / "pom.xml", staging / "maven.log", staging / "jars"
    pom.write_text(_pom(jars))
    strict = ["--batch-mode", "--no-transfer-progress", "--strict-checksums", "--file", str(pom)]
    argv = [maven, *strict, _COPY_GOAL, f"-DoutputDirectory={fetched}"]
    try:
        await run("kafka", Command(argv=argv, log=log, cwd=staging), _RESOLVE_S)
    except StackError as error:
        # The log goes away with the staging folder: what matters of it goes into the message.
        raise StackError("kafka", "\n".join(["its jars could not be fetched by mvn:", *tail(log)])) from error
    return fetched


def _pom(jars: Sequence[Jar]) -> str:
    dependencies = "".join(
        f"<dependency><groupId>{escape(jar.group)}</groupId><artifactId>{escape(jar.artifact)}</artifactId>"
        f"<version>{escape(jar.version)}</version><exclusions><exclusion><groupId>*</groupId>"
        "<artifactId>*</artifactId></exclusion></exclusions></dependency>"
        for jar in jars
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>bellwether</groupId><artifactId>kafka-jars</artifactId><version>1</version>"
        f"<packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>"
    )


def _resolve_with_jgo(jars: Sequence[Jar], staging: Path) -> Path:
    from jgo.maven import MavenContext  # noqa: PLC0415 - heavy, and needed once in the life of a machine

    # A repository of our own: jgo trusts whatever file it finds in one, also the half of an interrupted download.
    context = MavenContext(repo_cache=staging / "repository", timeout=60)
    fetched = staging / "jars"
    fetched.mkdir()

    def fetch(jar: Jar) -> None:
        found = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        shutil.copy(found, fetched / jar.file_name)

    try:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(fetch, jars))
    except (OSError, RuntimeError) as error:  # an error of the network is an OSError here
        raise StackError("kafka", f"its jars could not be fetched by jgo: {error}") from error
    return fetched


def _complete(folder: Path, jars: Sequence[Jar]) -> bool:
    return folder.is_dir() and not _mismatches(folder, jars)


def _mismatches(folder: Path, jars: Sequence[Jar]) -> list[str]:
    return [jar.file_name for jar in jars if _sha256(folder / jar.file_name) != jar.sha256]


def _sha256(file: Path) -> str | None:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None
