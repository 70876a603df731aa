"""A formula told twice: as an expression over measure keys, and in words over their titles."""

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import NamedTuple

from bellwether.catalogue.formula import (
    Average,
    Formula,
    Growth,
    Latest,
    LevelGrowth,
    NetChange,
    Percentile,
    Ratio,
    Sum,
    Term,
)
from bellwether.catalogue.measures import BY_KEY, Audience


class Wording(NamedTuple):
    """The operator's name, the expression, and the words."""

    operator: str
    expression: str
    words: str


@singledispatch
def wording(formula: Formula) -> Wording:
    """How a formula is told. Raises TypeError for an operator that has no wording yet."""
    raise TypeError(f"{type(formula).__name__} has no wording")


def _joined(terms: Sequence[Term], name: Callable[[str], str], minus: str, times: str) -> str:
    told = ""
    for term in terms:
        sign = minus if term.weight < 0 else "+"
        weight = "" if abs(term.weight) == 1 else f"{abs(term.weight)} {times} "
        told += f" {sign} {weight}{name(term.measure)}" if told or sign == minus else f"{weight}{name(term.measure)}"
    told = told.strip()
    return told if len(terms) == 1 else f"({told})"


def _keys(terms: Sequence[Term]) -> str:
    return _joined(terms, str, "-", "*")


def _title(measure: str) -> str:
    return f"‘{BY_KEY[measure].title}’"


def _titles(terms: Sequence[Term]) -> str:
    return _joined(terms, _title, "−", "×")


def _bare(told: str) -> str:
    return told[1:-1] if told.startswith("(") else told


def _audiences(audiences: Sequence[Audience]) -> tuple[str, str]:
    return " + ".join(audiences), " and ".join(audiences)


@wording.register
def _(formula: Sum) -> Wording:
    return Wording("sum", _bare(_keys(formula.terms)), f"{_bare(_titles(formula.terms))}, over the window.")


@wording.register
def _(formula: Ratio) -> Wording:
    top, bottom = _keys(formula.numerator), _keys(formula.denominator)
    words = f"{formula.scale} × {_titles(formula.numerator)} / {_titles(formula.denominator)}, sum over sum"
    return Wording(
        "ratio", f"{formula.scale} * {top} / {bottom}", f"{words}. Undefined where the divisor is 0: no_data."
    )


@wording.register
def _(formula: Average) -> Wording:
    scale = "" if formula.unit == 1 else f" / {formula.unit}"
    words = f"{_title(formula.total)}{scale} / {_title(formula.count)}. Undefined where there was none: no_data."
    return Wording("average", f"{formula.total}{scale} / {formula.count}", words)


@wording.register
def _(formula: Percentile) -> Wording:
    which = "median" if formula.quantile == 0.5 else f"{100 * formula.quantile:g}th percentile"  # noqa: PLR2004 - one half
    if formula.waiting is None:
        words = f"The {which} of {_title(formula.histogram)}. Undefined where there was none: no_data."
        return Wording("percentile", f"quantile({formula.quantile:g}, {formula.histogram})", words)
    words = (
        f"The {which} of {_title(formula.histogram)}, with {formula.waiting} that are unanswered counted as still "
        "waiting (Kaplan-Meier). Undefined where nobody waited: no_data; where too many still wait: not_reached."
    )
    expression = f"kaplan_meier({formula.quantile:g}, {formula.histogram}, waiting={formula.waiting})"
    return Wording("percentile", expression, words)


@wording.register
def _(formula: Growth) -> Wording:
    terms = _keys(formula.terms)
    words = f"100 × growth of {_titles(formula.terms)} against the window before. Undefined where that is 0: "
    return Wording("growth", f"100 * ({terms} - before({terms})) / before({terms})", f"{words}nothing_before.")


@wording.register
def _(formula: Latest) -> Wording:
    keys, words = _audiences(formula.audiences)
    return Wording(
        "latest",
        f"latest({keys})",
        f"The last known count of {words} of every account, summed. Undefined before the first: no_data.",
    )


@wording.register
def _(formula: NetChange) -> Wording:
    keys, words = _audiences(formula.audiences)
    told = f"{words.capitalize()} at the end less at the start, over accounts known at both. Undefined where there is "
    return Wording("net_change", f"end({keys}) - start({keys})", f"{told}none: nothing_before.")


@wording.register
def _(formula: LevelGrowth) -> Wording:
    keys, words = _audiences(formula.audiences)
    told = f"100 × net change of {words} per one at the start, over accounts known at both ends. Undefined where there "
    expression = f"100 * (end({keys}) - start({keys})) / start({keys})"
    return Wording("level_growth", expression, f"{told}is none: nothing_before.")
