"""The rules for Prometheus speak of metrics that are there, and lead to runbooks."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from bellwether.observability import metrics  # noqa: F401 - declares them

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "prometheus").glob("*.yml"))


def _rules() -> list[dict[str, Any]]:
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES]
    return [rule for document in documents for group in document["groups"] for rule in group["rules"]]


def _samples() -> set[str]:
    families = list(REGISTRY.collect())
    suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
    return {family.name + suffix for family in families for suffix in suffixes.get(family.type, ())}


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_names_metrics_that_are_declared_and_a_runbook_that_is_there(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\bbellwether_[a-z0-9_]+", rule["expr"]))
    assert named
    assert named <= _samples()
    assert (ROOT / rule["annotations"]["runbook"]).is_file()
    assert rule["labels"]["severity"] in ("warning", "critical")


def test_every_runbook_is_led_to_by_a_rule() -> None:
    led_to = {rule["annotations"]["runbook"] for rule in _rules()}
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "runbooks").glob("*.md")} == led_to


def test_prometheus_itself_takes_the_rules() -> None:
    _promtool("check", "rules", *map(str, FILES))


def test_rules_fire_when_they_should_and_not_before() -> None:
    _promtool("test", "rules", str(Path(__file__).parent / "alert_rules.yml"))


def _promtool(*arguments: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("needs promtool, of the Debian package prometheus: make alertmanager")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
