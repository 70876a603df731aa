"""Kafka's jars: pinned, verified, fetched once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bellwether_cli.stack import jars
from bellwether_cli.stack.errors import StackError

CONTENT = b"a jar"
JAR = jars.Jar("org.example", "thing", "1.0", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for `mvn` that delivers whatever lies in this folder."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    maven = tmp_path / "bin" / "mvn"
    maven.parent.mkdir()
    maven.write_text(
        "#!/bin/sh\n"
        'for word; do case "$word" in -DoutputDirectory=*) into="${word#*=}";; esac; done\n'
        f'mkdir -p "$into" && cp {shelf}/* "$into" || {{ echo "[ERROR] not found"; exit 1; }}\n'
    )
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{maven.parent}:/bin:/usr/bin")
    monkeypatch.setattr(jars, "pinned", lambda: [JAR])
    return shelf


def test_every_jar_is_pinned_to_one_version_and_one_sum() -> None:
    pinned = jars.pinned()
    assert len({jar.file_name for jar in pinned}) == len(pinned) > 40
    assert all(len(jar.sha256) == 64 for jar in pinned)
    assert any(jar.artifact == "kafka_2.13" and jar.version == jars.KAFKA_VERSION for jar in pinned)


async def test_the_jars_are_fetched_once(repository: Path, tmp_path: Path) -> None:
    (repository / JAR.file_name).write_bytes(CONTENT)
    cache = await jars.kafka_jars(tmp_path / "cache")
    (repository / JAR.file_name).unlink()
    assert (await jars.kafka_jars(tmp_path / "cache") / JAR.file_name).read_bytes() == CONTENT
    assert [path.name for path in cache.parent.glob("cache*")] == ["cache"]


async def test_a_spoilt_jar_in_the_cache_is_fetched_again(repository: Path, tmp_path: Path) -> None:
    (repository / JAR.file_name).write_bytes(CONTENT)
    cache = await jars.kafka_jars(tmp_path / "cache")
    (cache / JAR.file_name).write_bytes(b"half")
    await jars.kafka_jars(tmp_path / "cache")
    assert (cache / JAR.file_name).read_bytes() == CONTENT


async def test_a_jar_that_is_not_the_pinned_one_is_refused(repository: Path, tmp_path: Path) -> None:
    (repository / JAR.file_name).write_bytes(b"something else")
    with pytest.raises(StackError, match=r"gave other files than expected: thing-1\.0\.jar"):
        await jars.kafka_jars(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


async def test_what_maven_complained_about_is_told(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"(?s)could not be fetched by mvn:.*not found"):
        await jars.kafka_jars(tmp_path / "cache")
