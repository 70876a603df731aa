"""Facts to read formulas over, with only what a test names in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bellwether.catalogue.formula import Facts, Levels, amounts_of
from bellwether.catalogue.measures import Audience
from bellwether.domain.totals import Totals
from bellwether.domain.windows import Span

SPAN = Span(3600, 7200, 0, 3600)


def facts(
    totals: Totals | None = None,
    before: Totals | None = None,
    levels: Mapping[Audience, Levels] | None = None,
    waiting: Mapping[str, Sequence[int]] | None = None,
) -> Facts:
    """Facts over one hour."""
    found = totals or {}
    return Facts(SPAN, found, amounts_of(found), amounts_of(before or {}), levels or {}, waiting or {})
