"""The document that is committed is the one that the code gives, and it holds together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from openapi_spec_validator import validate

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.evaluate import Value
from bellwether.catalogue.kpi import Direction
from bellwether_api.app import documentation
from bellwether_api.card_lines import trend
from bellwether_api.definitions import DEFINITIONS
from bellwether_api.openapi import FILE, text

DOCUMENT = documentation()


def _operations() -> list[tuple[str, dict[str, Any]]]:
    return [(path, one) for path, methods in DOCUMENT["paths"].items() for one in methods.values()]


def test_the_committed_document_is_current() -> None:
    committed = (Path(__file__).parents[2] / FILE).read_text(encoding="utf-8")
    assert committed == text(DOCUMENT), "run: python -m bellwether_api.openapi"


def test_the_document_is_valid_openapi() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(json.loads(text(DOCUMENT)))


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, operation in _operations()]
    assert len(names) == len(set(names))


def test_every_route_under_v1_needs_a_key_and_answers_problems() -> None:
    for path, operation in _operations():
        if not path.startswith("/v1"):
            continue
        (scheme,) = operation["security"]
        assert scheme["ApiKey"] in (["kpis:read"], ["kpis:write"], ["targets:write"], ["admin"], ["incidents:write"])
        refusals = {status: told for status, told in operation["responses"].items() if int(status) >= 400}
        assert {"401", "403", "422", "500", "503"} <= set(refusals)
        assert all(list(told["content"]) == ["application/problem+json"] for told in refusals.values())


def test_every_good_answer_has_an_example_of_its_own_shape() -> None:
    for path, operation in _operations():
        answers = [told for status, told in operation["responses"].items() if status in ("200", "201")]
        if not path.startswith("/v1"):
            continue
        assert answers or "204" in operation["responses"]
        told_as_json = [
            told["content"]["application/json"] for told in answers if "text/event-stream" not in told["content"]
        ]
        for content in told_as_json:
            schema = {**content["schema"], "components": DOCUMENT["components"]}
            jsonschema.Draft202012Validator(schema).validate(content["example"])


def test_every_kpi_of_the_catalogue_is_told_in_words_and_as_an_expression() -> None:
    assert list(DEFINITIONS) == list(CATALOGUE)
    for definition in DEFINITIONS.values():
        formula = definition.formula
        assert formula.words.endswith(".")
        assert formula.expression
        shown = {measure.key for measure in definition.measures}
        names = set(formula.expression.replace("(", " ").replace(")", " ").replace(",", " ").split())
        assert shown & names or not CATALOGUE[definition.key].formula.measures()


def test_a_difference_of_measures_keeps_its_brackets_and_signs() -> None:
    assert DEFINITIONS["community_sentiment"].formula.expression == "100 * (positive_n - negative_n) / sentiment_n"
    assert DEFINITIONS["unanswered_questions"].formula.expression == "queries_received - queries_answered"


@pytest.mark.parametrize(
    ("value", "before", "better", "expected"),
    [
        (125, 100, Direction.UP, (100, 25, 25.0, True)),
        (90, 120, Direction.DOWN, (120, -30, -25.0, True)),
        (-10, -20, Direction.UP, (-20, 10, 50.0, True)),
        (5, 0, Direction.UP, (0, 5, None, True)),
        (5, 5, Direction.UP, (5, 0, 0.0, None)),
        (6, 5, Direction.BAND, (5, 1, 20.0, None)),
        (None, 5, Direction.UP, (5, None, None, None)),
        (5, None, Direction.UP, (None, None, None, None)),
    ],
)
def test_a_trend_tells_change_and_whether_it_is_for_the_better(
    value: float | None, before: float | None, better: Direction, expected: tuple[object, ...]
) -> None:
    told = trend(Value(value, 100, 200), Value(before, 0, 100), better)
    assert msgspec.structs.astuple(told)[2:] == expected


def test_the_document_names_no_machine_and_no_example_secret() -> None:
    told = json.dumps(DOCUMENT)
    assert "127.0.0.1" not in told
    assert "only for the document" not in told
