"""Formulas as text: `100 * leads / sessions`, `growth(mentions)`, `median(response_time)`.

An expression names measures and operators of the catalogue. It is parsed, never run.
"""

from __future__ import annotations

from bellwether.catalogue.expressions.arithmetic import UNITS, unit_of
from bellwether.catalogue.expressions.operators import OPERATORS
from bellwether.catalogue.expressions.parsing import LONGEST, ExpressionError, nearest, parse_formula

__all__ = ["LONGEST", "OPERATORS", "UNITS", "ExpressionError", "nearest", "parse_formula", "unit_of"]
