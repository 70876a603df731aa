"""What came of one expectation."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A row of the table: what was tried, whether it came out as expected, and the figures."""

    name: str
    met: bool
    figures: str
