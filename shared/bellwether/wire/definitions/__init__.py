"""A tenant's own definitions as YAML or JSON: read, and found right or told what is wrong in which line."""

from __future__ import annotations

from bellwether.wire.definitions.nodes import Problem, place_of
from bellwether.wire.definitions.reading import read_document

__all__ = ["Problem", "place_of", "read_document"]
