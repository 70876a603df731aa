"""From text to a formula. Python's own grammar reads it; nothing of it is ever run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, TypeVar, get_args

from bellwether.catalogue.expressions.arithmetic import Quotient, in_whole, measured, unit_of
from bellwether.catalogue.expressions.operators import OPERATORS, Operator
from bellwether.catalogue.formula import (
    AnyFormula,
    Growth,
    Ratio,
    RatioGrowth,
    Recovered,
    RecoveryTime,
    Regained,
    Sum,
    Terms,
    Uplift,
)
from bellwether.catalogue.measures import BY_KEY, Audience, Fold, Measure

Made = TypeVar("Made")

LONGEST = 500
"""Characters of an expression."""
_LARGEST = 10**12
_MOST_DAYS = 31
_COMPARES = (Growth, RatioGrowth, Uplift, Recovered, Regained, RecoveryTime)
"""What is made of these is the same whatever unit a measure is kept in."""
_UNIT_OF = {
    "terms": "unit",
    "numerator": "unit",
    "total": "unit",
    "histogram": "unit",
    "denominator": "denominator_unit",
}
_WORDS = {
    "at": ("start", "end"),
    "waiting": ("messages", "queries", "messages.business", "queries.business"),
    "marker": ("campaign_started", "collaboration_started", "partner_event", "platform_change", "training"),
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Quotient, Quotient], Quotient]] = {
    ast.Add: lambda left, right: left.plus(right),
    ast.Sub: lambda left, right: left.plus(right, -1),
    ast.Mult: Quotient.times,
    ast.Div: Quotient.over,
}


class ExpressionError(ValueError):
    """What is wrong with an expression.

    column: where in its text, from 0; argument: the parameter that is wrong, where it is one
    """

    def __init__(self, detail: str, column: int = 0, argument: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.column = column
        self.argument = argument


def nearest(name: str, known: Iterable[str]) -> str:
    """A question after the known name that is most like the given one; empty where none is."""
    found = get_close_matches(name, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def parse_formula(text: str, own: Mapping[str, Measure]) -> AnyFormula:
    """The formula of an expression over built-in measures and these of one's own, by the name they are written with.

    Raises ExpressionError.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"must have at most {LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        column = getattr(error, "offset", None) or 1
        raise ExpressionError(
            "cannot be read: it must be an expression like 100 * leads / sessions", column - 1
        ) from None
    return _Parser(own).formula(tree.body)


class _Parser:
    def __init__(self, own: Mapping[str, Measure]) -> None:
        self._own = own

    def formula(self, node: ast.expr) -> AnyFormula:
        """A call of an operator, or a sum or a quotient of measures."""
        if isinstance(node, ast.Call):
            return self._call(node)
        quotient = self.quotient(node)
        return _at(node, lambda: _plain(quotient))

    def quotient(self, node: ast.expr) -> Quotient:
        """What arithmetic over measures comes to."""
        if isinstance(node, ast.Constant):
            return Quotient(_number(node))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self.quotient(node.operand).times(Quotient(Fraction(-1)))
        if isinstance(node, ast.BinOp) and (apply := _ARITHMETIC.get(type(node.op))):
            left, right = self.quotient(node.left), self.quotient(node.right)
            return _at(node, lambda: apply(left, right))
        if isinstance(node, ast.Call):
            raise ExpressionError("an operator stands alone: nothing is computed with its value", node.col_offset)
        return measured(self._measure(node).key)

    def _measure(self, node: ast.expr) -> Measure:
        name = _dotted(node)
        found = self._own.get(name) or BY_KEY.get(name)
        if found is None:
            audience = "; it is an audience, as in latest(followers)" if name in get_args(Audience) else ""
            known = (*self._own, *BY_KEY)
            raise ExpressionError(f"is not a measure{audience or nearest(name, known)}", node.col_offset)
        return found

    def _call(self, node: ast.Call) -> AnyFormula:
        name = _dotted(node.func)
        operator = OPERATORS.get(name)
        if operator is None:
            raise ExpressionError(f"is not an operator{nearest(name, OPERATORS)}", node.col_offset)
        operator, values, units = self._spread(operator, node.args)
        rest = [field for field in operator.parameters() if field not in values]
        positional = node.args[1:] if values else node.args
        if len(positional) > len(rest):
            raise ExpressionError(f"takes {', '.join(operator.parameters())} and no more", node.col_offset)
        given = [*zip(rest, positional, strict=False), *((word.arg, word.value) for word in node.keywords)]
        for field, argument in given:
            self._read(operator, field, argument, values, units)
        return _made(operator, values, units, node)

    def _spread(self, operator: Operator, arguments: list[ast.expr]) -> tuple[Operator, dict[str, Any], dict[str, int]]:
        """Of an operator over ratios whose first argument is a quotient: its numerator and denominator."""
        ratio = Operator(RatioGrowth) if operator.formula is Growth else operator
        pair = ("numerator", "denominator")
        if not arguments or ratio.parameters()[:2] != pair or not isinstance(arguments[0], ast.BinOp):
            return operator, {}, {}
        factor, numerator, denominator = self.quotient(arguments[0])
        if denominator is None:
            return operator, {}, {}
        (top, unit), (bottom, denominator_unit) = in_whole(numerator), in_whole(denominator)
        values: dict[str, Any] = {"numerator": top, "denominator": bottom}
        if "scale" in ratio.parameters():
            values["scale"] = _at(arguments[0], lambda: _whole(factor, "the factor"))
        elif factor <= 0:
            raise ExpressionError("the factor must be positive", arguments[0].col_offset)
        return ratio, values, {"numerator": unit, "denominator": denominator_unit}

    def _read(
        self, operator: Operator, field: str | None, node: ast.expr, values: dict[str, Any], units: dict[str, int]
    ) -> None:
        if field is None or field not in operator.parameters():
            known = ", ".join(operator.parameters())
            raise ExpressionError(f"is no parameter; there are {known}", node.col_offset, field)
        if field in values:
            raise ExpressionError(f"{field} is given twice", node.col_offset, field)
        try:
            values[field], units[field] = _READERS[field](self, field, node)
        except ExpressionError as error:
            error.argument = error.argument or field
            raise

    def terms(self, _: str, node: ast.expr) -> tuple[Terms, int]:
        """A sum of measures, also as a list of them."""
        weights = _at(node, self._summed(node).sum)
        return in_whole(weights)

    def _summed(self, node: ast.expr) -> Quotient:
        if not isinstance(node, ast.List) or not node.elts:
            return self.quotient(node)
        first, *others = (self.quotient(element) for element in node.elts)
        for other in others:
            first = _at(node, lambda left=first, right=other: left.plus(right))  # type: ignore[misc]
        return first

    def measure(self, _: str, node: ast.expr) -> tuple[str, int]:
        """One measure."""
        key = self._measure(node).key
        return key, unit_of(key)

    def histogram(self, _: str, node: ast.expr) -> tuple[str, int]:
        """A measure that is kept as a distribution."""
        measure = self._measure(node)
        if measure.fold is not Fold.HISTOGRAM:
            known = ", ".join(key for key in BY_KEY if BY_KEY[key].fold is Fold.HISTOGRAM)
            raise ExpressionError(f"is not kept as a distribution; these are: {known}", node.col_offset)
        return measure.key, unit_of(measure.key)

    def audiences(self, _: str, node: ast.expr) -> tuple[tuple[str, ...], int]:
        """Audiences, as a list or added up."""
        return tuple(_word(get_args(Audience), part) for part in _parts(node)), 1

    def audience(self, _: str, node: ast.expr) -> tuple[str, int]:
        """One audience."""
        return _word(get_args(Audience), node), 1

    def word(self, field: str, node: ast.expr) -> tuple[str, int]:
        """One of a closed list."""
        return _word(_WORDS[field], node), 1

    def whole(self, field: str, node: ast.expr) -> tuple[int, int]:
        """A whole number."""
        value = _at(node, lambda: _whole(_constant(node), field))
        if field == "days" and not 1 <= value <= _MOST_DAYS:
            raise ExpressionError(f"days must be 1 to {_MOST_DAYS}", node.col_offset)
        return value, 1

    def share(self, field: str, node: ast.expr) -> tuple[float, int]:
        """A number between 0 and 1."""
        value = _constant(node)
        if not 0 < value < 1:
            raise ExpressionError(f"{field} must lie between 0 and 1", node.col_offset)
        return float(value), 1

    def flag(self, field: str, node: ast.expr) -> tuple[bool, int]:
        """True or false."""
        told = node.value if isinstance(node, ast.Constant) else {"true": True, "false": False}.get(_dotted(node))
        if not isinstance(told, bool):
            raise ExpressionError(f"{field} must be true or false", node.col_offset)
        return told, 1

    def formulas(self, _: str, node: ast.expr) -> tuple[tuple[AnyFormula, ...], int]:
        """A list of formulas."""
        if not isinstance(node, ast.List) or not node.elts:
            raise ExpressionError("must be a list of formulas, as in blend([…, …])", node.col_offset)
        if any(isinstance(part, ast.Call) and _dotted(part.func) == "blend" for part in node.elts):
            raise ExpressionError("a blend cannot be part of another", node.col_offset)
        return tuple(self.formula(part) for part in node.elts), 1


_Read = Callable[[_Parser, str, ast.expr], tuple[Any, int]]
_READERS: dict[str, _Read] = {
    **dict.fromkeys(
        (
            *("terms", "numerator", "denominator"),
            *(f"{side}_{part}" for side in ("inside", "outside") for part in ("numerator", "denominator")),
        ),
        _Parser.terms,
    ),
    **dict.fromkeys(("total", "count", "joined"), _Parser.measure),
    **dict.fromkeys(("at", "waiting", "marker"), _Parser.word),
    **dict.fromkeys(("scale", "days"), _Parser.whole),
    "histogram": _Parser.histogram,
    "audiences": _Parser.audiences,
    "audience": _Parser.audience,
    "quantile": _Parser.share,
    "points": _Parser.flag,
    "parts": _Parser.formulas,
}


def _made(operator: Operator, values: dict[str, Any], units: Mapping[str, int], node: ast.Call) -> AnyFormula:
    if operator.formula is Uplift:
        values.setdefault("denominator", None)
    missing = [field for field in operator.required() if field not in values]
    if missing:
        raise ExpressionError(f"needs {', '.join(missing)}", node.col_offset)
    fields = operator.formula.__struct_fields__
    for field, unit in units.items():
        target = _UNIT_OF.get(field)
        if unit == 1:
            continue
        if target in fields:
            values[target] = unit
        elif operator.formula not in _COMPARES or values.get("points"):
            detail = "a measure that is kept in parts of its unit, as money is, cannot stand here"
            raise ExpressionError(detail, node.col_offset, field)
    return operator.formula(**{**operator.sets, **values})


def _plain(quotient: Quotient) -> AnyFormula:
    """The formula that arithmetic stands for."""
    if quotient.is_number:
        raise ValueError("must name a measure")
    if quotient.denominator is None:
        return Sum(*in_whole(quotient.sum()))
    (top, unit), (bottom, denominator_unit) = in_whole(quotient.numerator), in_whole(quotient.denominator)
    return Ratio(top, bottom, quotient.factor.numerator, unit * quotient.factor.denominator, denominator_unit)


def _at(node: ast.expr, make: Callable[[], Made]) -> Made:
    """What is made, its ValueError told at the place of the node."""
    try:
        return make()
    except ExpressionError:
        raise
    except ValueError as error:
        raise ExpressionError(str(error), node.col_offset) from None


def _dotted(node: ast.expr) -> str:
    """The name that a node is: `own.signups` or `survey_csat_sum`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    raise ExpressionError("must be a name, a number, an operator's call or + - * / of them", node.col_offset)


def _number(node: ast.Constant) -> Fraction:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise ExpressionError("must be a number", node.col_offset)
    if abs(node.value) > _LARGEST:
        raise ExpressionError(f"must be at most {_LARGEST}", node.col_offset)
    # By way of its digits: 0.1 means a tenth, not the nearest binary number.
    return Fraction(repr(node.value))


def _constant(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant):
        return _number(node)
    raise ExpressionError("must be a number", node.col_offset)


def _whole(number: Fraction, name: str) -> int:
    if number.denominator != 1 or number <= 0:
        raise ValueError(f"{name} must be a whole number from 1 on")
    return number.numerator


def _word(known: tuple[str, ...], node: ast.expr) -> str:
    told = node.value if isinstance(node, ast.Constant) else _dotted(node)
    if told not in known:
        raise ExpressionError(f"must be one of {', '.join(known)}", node.col_offset)
    return str(told)


def _parts(node: ast.expr) -> list[ast.expr]:
    """The elements of a list, or the summands of a sum."""
    if isinstance(node, ast.List | ast.Tuple):
        return list(node.elts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_parts(node.left), *_parts(node.right)]
    return [node]
