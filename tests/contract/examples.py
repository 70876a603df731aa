"""Reads the examples of the event contract: one YAML file a type, as its first reader finds them.

A valid example is a whole event. An invalid one is the first valid one with a change, a JSON merge patch
(RFC 7386: null takes a field out), and the pointer that the refusal must name; `schema: silent` marks the rules
that JSON Schema cannot say.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import yaml

DIRECTORY = Path(__file__).parent / "examples"


class Valid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event that must be accepted."""

    title: str
    event: dict[str, Any]


class Invalid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change that must make the first valid event refused, at `pointer`."""

    because: str
    pointer: str
    change: dict[str, Any]
    schema: str = "refuses"


class Examples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All examples of one type."""

    valid: list[Valid]
    invalid: list[Invalid]

    def broken(self, example: Invalid) -> Any:
        """The first valid event with this change."""
        return merge(self.valid[0].event, example.change)


def read_examples() -> dict[str, Examples]:
    """The examples by type name, which is the name of the file."""
    return {
        file.stem: msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), Examples)
        for file in sorted(DIRECTORY.glob("*.yaml"))
    }


def merge(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch without touching its target."""
    if not isinstance(patch, dict):
        return patch
    base = target if isinstance(target, dict) else {}
    merged = base | {name: merge(base.get(name), value) for name, value in patch.items()}
    return {name: value for name, value in merged.items() if name not in patch or patch[name] is not None}


def encode(event: Any) -> bytes:
    """The example as the bytes that a sender would post."""
    return json.dumps(event, ensure_ascii=False).encode()
