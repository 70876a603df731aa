"""The page on own KPIs says what the code does."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from bellwether.catalogue.expressions import LONGEST, OPERATORS, parse_formula
from bellwether.catalogue.measures import Fold, Measure
from bellwether.catalogue.own import LIMITS
from bellwether.wire.definitions import read_document
from bellwether.wire.definitions.event_fields import fields_of
from bellwether.wire.events import EVENT_TYPES

PAGE = (Path(__file__).parents[3] / "docs/own-kpis.md").read_text(encoding="utf-8")
OWN = {key: Measure(key=key, title=key, fold=Fold.COUNT) for key in ("own.a", "own.b", "own.signups")}


def test_the_parts_of_a_document_on_the_page_are_right_together() -> None:
    document, problems = read_document("\n".join(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)), date(2026, 1, 1))
    assert document is not None, problems
    assert (len(document.measures), len(document.kpis), len(document.roles)) == (1, 1, 1)


def test_every_operator_and_derived_fact_is_named() -> None:
    assert not [name for name in OPERATORS if f"`{name}`" not in PAGE]
    facts = {name for event_type in EVENT_TYPES for name in fields_of(event_type) if name.startswith("@")}
    assert not [name for name in facts if f"`{name}`" not in PAGE]


EXPRESSIONS = [text for text in re.findall(r"`([^`\n]+)`", PAGE) if re.match(r"[\w.]+\(.*\)$|[\w(]+ [*/-] ", text)]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_every_expression_on_the_page_can_be_read(text: str) -> None:
    assert parse_formula(text, OWN).measures() or "latest" in text


def test_the_limits_are_those_of_the_code() -> None:
    table = PAGE.partition("## Limits")[2]
    found = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", table)]
    assert found == [
        *(LIMITS.bytes, LIMITS.measures, LIMITS.distinct, LIMITS.counted, 2 * LIMITS.distinct),
        *(LIMITS.event_types, LIMITS.conditions, LIMITS.values, LIMITS.kpis),
        *(LONGEST, LIMITS.measures_in_formula, LIMITS.roles, LIMITS.areas, LIMITS.lines),
    ]
