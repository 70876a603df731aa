"""docs/operators.md: every operator of formulas with its formula, where it is undefined, and worked examples."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from bellwether.catalogue.formula import Formula, Reason, Term
from tests.contract.markdown import page, table
from tests.contract.operators import EXAMPLES, OPERATORS, Example

_INTRODUCTION = """\
A KPI is read from the totals of a window by a formula, and a formula is one of these operators over measures. Where a
value is undefined it is null with a reason, never 0 and never NaN:
"""
_READING = """
Sums are over all events of a window, so that a ratio is of sums and never a mean of ratios. Money is stored in
millionths of the brand's currency, scores in millionths of their scale; `unit` divides them. In examples the window
is of 28 days, of which the first is day 1, in UTC. Each of them is worked by `tests/contract/test_operators.py`.
"""


def operators_page() -> str:
    """The whole page."""
    lines = [_INTRODUCTION, *(f"- `{reason}`: {told}" for reason, told in _reasons().items()), _READING.rstrip()]
    for operator in OPERATORS:
        lines += ["", f"## {operator.__name__}", "", *_paragraphs(operator), ""]
        examples = (example for example in EXAMPLES if type(example.formula) is operator)
        lines += table(("formula", "given", "value"), map(_worked, examples))
    return page("Operators", "`bellwether.catalogue.formula`", lines)


def _reasons() -> dict[str, str]:
    return dict(re.findall(r'= "(\w+)"\n\s+"""(.+?)"""', inspect.getsource(Reason)))


def _paragraphs(operator: type[Formula]) -> Iterator[str]:
    """What an operator says of itself, without its example."""
    said, *parts = re.split(r"\n\n|\n(?=(?:Formula|Undefined|Example):)", inspect.getdoc(operator) or "")
    yield f"{said}\n"
    for name, told in (part.split(":", 1) for part in parts):
        if name != "Example":
            yield f"- {name}:{told}".replace("\n", "\n  ")


def _worked(example: Example) -> tuple[str, str, str]:
    gives = f"`{example.gives}`" if isinstance(example.gives, Reason) else f"{example.gives:g}"
    return f"`{expression(example.formula)}`", "; ".join(example.given()) or "nothing", gives


def expression(value: object) -> str:
    """A formula as it is declared, with sums as `a + b - c` and without what is left at its default."""
    if isinstance(value, tuple) and value and isinstance(value[0], Term):
        return _sum(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(expression, value))})"
    if not isinstance(value, OPERATORS):
        return str(value)
    fields = inspect.signature(type(value)).parameters.values()
    told = [f"{f.name}={expression(getattr(value, f.name))}" for f in fields if getattr(value, f.name) != f.default]
    return f"{type(value).__name__}({', '.join(told)})"


def _sum(terms: tuple[Term, ...]) -> str:
    signed = (f"{'-' if term.weight < 0 else '+'} {_weighted(term)}" for term in terms)
    return " ".join(signed).removeprefix("+ ")


def _weighted(term: Term) -> str:
    return term.measure if abs(term.weight) == 1 else f"{abs(term.weight)} * {term.measure}"
