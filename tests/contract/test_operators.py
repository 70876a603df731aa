"""Every operator is worked by hand on a page, and gives there what it gives here."""

from __future__ import annotations

import pytest

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.formula import Reason
from tests.contract.operators import EXAMPLES, OPERATORS, Example
from tests.contract.operators_page import expression


@pytest.mark.parametrize("example", EXAMPLES, ids=[expression(example.formula) for example in EXAMPLES])
def test_a_worked_example_gives_what_the_page_says(example: Example) -> None:
    reading = example.formula.read(example.facts())
    assert (reading.reason if reading.value is None else reading.value) == example.gives
    assert (reading.value is None) == (reading.reason is not None)


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_worked_with_a_value_and_without_one(operator: type) -> None:
    given = [example.gives for example in EXAMPLES if type(example.formula) is operator]
    assert any(isinstance(one, Reason) for one in given)
    assert any(not isinstance(one, Reason) for one in given)


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_says_its_formula_and_where_it_is_undefined(operator: type) -> None:
    told = operator.__doc__ or ""
    assert all(f"    {word}: " in told for word in ("Formula", "Undefined", "Example"))
    named = {reason for reason in Reason if reason.value in told}
    worked = {one.gives for one in EXAMPLES if type(one.formula) is operator and isinstance(one.gives, Reason)}
    assert worked <= named or operator.__name__ == "Blend"


def test_every_formula_of_the_catalogue_is_made_of_operators_that_are_explained() -> None:
    assert {type(kpi.formula) for kpi in CATALOGUE.values()} <= set(OPERATORS)
