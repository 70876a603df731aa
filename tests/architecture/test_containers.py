"""The images and the compose file, as far as they can be checked without an engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PORTS = {"ingest": 8081, "compute": 8082, "api": 8080}
FOLDERS = {**{name: f"services/{name}" for name in PORTS}, "cli": "cli"}

# Imports everything that an image runs, in an interpreter that has only what the image's requirements name.
IMPORT_ALL = """
import importlib, importlib.metadata, pkgutil, re, sys
package, allowed = sys.argv[1], set(sys.argv[2:])
canonical = lambda name: re.sub("[-_.]+", "-", name).lower()
banned = {module for module, dists in importlib.metadata.packages_distributions().items()
          if not allowed & {canonical(dist) for dist in dists} and not module.startswith("bellwether")}
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in banned:
            raise ModuleNotFoundError(f"the image has no {name}")
sys.meta_path.insert(0, Absent())
for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


@cache
def composed() -> dict[str, Any]:
    """The compose file as Docker Compose itself reads it; the test is skipped where that is not installed."""
    program = shutil.which("docker-compose", path=str(Path(sys.executable).parent)) or shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed")
    command = [program, "--file", str(ROOT / "docker-compose.yml"), "--profile", "tools", "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def instructions(name: str) -> list[tuple[str, str]]:
    """A Dockerfile as (instruction, arguments), continued lines joined."""
    text = (ROOT / FOLDERS[name] / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def arguments(name: str, instruction: str) -> list[str]:
    return [rest for word, rest in instructions(name) if word == instruction]


def test_nothing_listens_on_more_than_the_loopback_interface() -> None:
    published = [port for service in composed()["services"].values() for port in service.get("ports", [])]
    assert len(published) == 5
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_servers_come_from_official_images_at_a_fixed_version() -> None:
    images = {name: service["image"] for name, service in composed()["services"].items() if "build" not in service}
    assert re.fullmatch(r"apache/kafka:4\.\d+\.\d+", images["kafka"])
    assert images["postgres"] == "postgres:18"


def test_the_embedded_kafka_and_the_images_are_of_one_version() -> None:
    from bellwether_cli.stack.jars import KAFKA_VERSION  # noqa: PLC0415
    from tests.support.backends import KAFKA_IMAGE, POSTGRES_IMAGE  # noqa: PLC0415

    services = composed()["services"]
    assert services["kafka"]["image"] == KAFKA_IMAGE == f"apache/kafka:{KAFKA_VERSION}"
    assert services["postgres"]["image"] == POSTGRES_IMAGE


@pytest.mark.parametrize("name", PORTS)
def test_a_service_waits_for_its_servers_and_its_schema(name: str) -> None:
    waits = {other: how["condition"] for other, how in composed()["services"][name]["depends_on"].items()}
    assert waits == {
        "kafka": "service_healthy",
        "postgres": "service_healthy",
        "topics": "service_completed_successfully",
    }


@pytest.mark.parametrize("name", [*PORTS, "migrate", "topics", "cli"])
def test_our_containers_have_no_rights_to_spare(name: str) -> None:
    service = composed()["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_a_server_says_when_it_is_healthy_and_keeps_its_data(name: str) -> None:
    service = composed()["services"][name]
    assert service["healthcheck"]["test"]
    assert [volume["type"] for volume in service["volumes"]] == ["volume"]


@pytest.mark.parametrize("name", PORTS)
def test_only_settings_that_a_service_knows_are_given_to_it(name: str) -> None:
    from importlib import import_module  # noqa: PLC0415

    known = import_module(f"bellwether_{name}.settings").Settings.model_fields
    prefix = f"BELLWETHER_{name.upper()}_"
    given = composed()["services"][name]["environment"]
    assert {variable.removeprefix(prefix).lower() for variable in given} <= set(known)


@pytest.mark.parametrize("name", FOLDERS)
def test_an_image_runs_as_a_numbered_user_that_is_not_root(name: str) -> None:
    assert arguments(name, "USER") == ["10001:10001"]


@pytest.mark.parametrize("name", FOLDERS)
def test_an_image_stands_on_one_fixed_python(name: str) -> None:
    bases = {line.partition(" AS ")[0] for line in arguments(name, "FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases.pop())


@pytest.mark.parametrize("name", FOLDERS)
def test_every_package_from_outside_is_checked_by_its_hash(name: str) -> None:
    installs = [part for run in arguments(name, "RUN") for part in run.split("&&") if " install " in part]
    assert installs
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)


@pytest.mark.parametrize("name", FOLDERS)
def test_what_an_image_copies_is_there_and_not_ignored(name: str) -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in arguments(name, "COPY"):
        if not line.startswith("--from"):
            *sources, _ = line.split()
            assert all((ROOT / source).exists() for source in sources)
            assert all(source.split("/")[0] in allowed for source in sources)


@pytest.mark.parametrize(("name", "port"), PORTS.items())
def test_an_image_tells_its_health_on_the_port_that_it_serves(name: str, port: int) -> None:
    assert arguments(name, "EXPOSE") == [str(port)]
    assert f"http://127.0.0.1:{port}/healthz" in arguments(name, "HEALTHCHECK")[0]
    assert f"BELLWETHER_{name.upper()}_PORT={port}" in " ".join(arguments(name, "ENV"))
    assert composed()["services"][name]["ports"][0]["target"] == port


@pytest.mark.parametrize("name", FOLDERS)
def test_the_requirements_of_an_image_are_all_that_it_imports(name: str) -> None:
    pins = re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / f"{name}.txt").read_text(), flags=re.MULTILINE)
    allowed = [re.sub(r"[-_.]+", "-", pin).lower() for pin in pins]
    command = [sys.executable, "-c", IMPORT_ALL, f"bellwether_{name}", *allowed]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
