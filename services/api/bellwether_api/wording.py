"""A formula told twice: as an expression over measure keys, and in words over their titles."""

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import NamedTuple

from bellwether.catalogue.formula import (
    Average,
    Blend,
    Contrast,
    DuringCrises,
    Formula,
    Growth,
    Latest,
    LevelGrowth,
    Lowest,
    NetChange,
    Percentile,
    PerLevel,
    Ratio,
    RatioFall,
    RatioGrowth,
    Recovered,
    RecoveryTime,
    Regained,
    Retention,
    Sum,
    Term,
    TrendCoverage,
    Uplift,
)
from bellwether.catalogue.measures import Audience, measure_of


class Wording(NamedTuple):
    """The operator's name, the expression, and the words, which say where it is undefined."""

    operator: str
    expression: str
    words: str


class _Told(NamedTuple):
    """A formula or a part of it, as an expression and in words."""

    expression: str
    words: str


_UNDEFINED: dict[type, str] = {
    Sum: "Nothing happened is 0",
    Ratio: "Undefined where the divisor is 0: no_data",
    Average: "Undefined where there was none: no_data",
    Percentile: "Undefined where there was none: no_data",
    Contrast: "Undefined where one of both has nothing to divide by: no_data",
    Lowest: "Undefined where there was none: no_data",
    Growth: "Undefined where the window before is 0: nothing_before",
    RatioGrowth: "Undefined where a divisor is 0, now: no_data; before: nothing_before",
    RatioFall: "Undefined where a divisor is 0, now: no_data; before: nothing_before",
    TrendCoverage: "Always defined",
    Latest: "Undefined before the first snapshot: no_data",
    NetChange: "Undefined where no account is known at both ends: nothing_before",
    LevelGrowth: "Undefined where no account is known at both ends: nothing_before",
    PerLevel: "Undefined where there is no snapshot by then: nothing_before at the start, no_data at the end",
    Retention: "Undefined where no account is known at both ends: nothing_before",
    Uplift: "Undefined without such a marker: no_marker; with nothing after it: no_data; before it: nothing_before",
    Recovered: "Undefined without such a marker: no_marker; with nothing before it: nothing_before",
    DuringCrises: "Undefined where no crisis was open, or nothing was counted while one was: no_data",
    Regained: "Undefined without such a crisis: no_marker; where there was no drop: no_data",
    RecoveryTime: "Undefined without such a crisis: no_marker; where too many are not back: not_reached",
    Blend: "Undefined where none of them has a value, with the reason of the first",
}


def wording(formula: Formula) -> Wording:
    """How a formula is told. Raises TypeError for an operator that has no wording yet."""
    expression, words = _told(formula)
    return Wording(_snake(type(formula).__name__), _bare(expression), f"{_bare(words)}. {_undefined(formula)}.")


def _undefined(formula: Formula) -> str:
    undefined = _UNDEFINED[type(formula)]
    if isinstance(formula, Percentile) and formula.waiting is not None:
        undefined += "; where too many still wait: not_reached"
    if any(measure_of(f"{measure}.unconverted") for measure in formula.measures()):
        undefined += "; where none of the money in it could be converted: no_rate"
    return undefined


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@singledispatch
def _told(formula: Formula) -> _Told:
    raise TypeError(f"{type(formula).__name__} has no wording")


# --- parts ------------------------------------------------------------------------------------------------------------
def _joined(terms: Sequence[Term], name: Callable[[str], str], minus: str, times: str) -> str:
    told = ""
    for term in terms:
        sign = minus if term.weight < 0 else "+"
        weight = "" if abs(term.weight) == 1 else f"{abs(term.weight)} {times} "
        told += f" {sign} {weight}{name(term.measure)}" if told or sign == minus else f"{weight}{name(term.measure)}"
    told = told.strip()
    return told if len(terms) == 1 else f"({told})"


def _title(measure: str) -> str:
    found = measure_of(measure)
    return f"‘{found.title if found else measure}’"


def _sum(terms: Sequence[Term], unit: int = 1) -> _Told:
    shown = f" / {unit}" if unit != 1 else ""
    expression, words = _joined(terms, str, "-", "*"), _joined(terms, _title, "−", "×")
    return _Told(f"{expression}{shown}", f"{words}{shown}")


def _ratio(numerator: Sequence[Term], denominator: Sequence[Term]) -> _Told:
    above, below = _sum(numerator), _sum(denominator)
    return _Told(f"{above.expression} / {below.expression}", f"{above.words} / {below.words}")


def _bare(told: str) -> str:
    return told[1:-1] if told.startswith("(") and told.find(")") == len(told) - 1 else told


def _audiences(audiences: Sequence[Audience]) -> _Told:
    return _Told(" + ".join(audiences), " and ".join(audiences))


# --- operators --------------------------------------------------------------------------------------------------------
@_told.register
def _(formula: Sum) -> _Told:
    told = _sum(formula.terms, formula.unit)
    return _Told(told.expression, f"{_bare(told.words)}, over the window")


@_told.register
def _(formula: Ratio) -> _Told:
    same = formula.unit == formula.denominator_unit
    above = _sum(formula.numerator, 1 if same else formula.unit)
    below = _sum(formula.denominator, 1 if same else formula.denominator_unit)
    told = _Told(f"{above.expression} / {below.expression}", f"{above.words} / {below.words}, sum over sum")
    return told if formula.scale == 1 else _Told(f"{formula.scale} * {told[0]}", f"{formula.scale} × {told[1]}")


@_told.register
def _(formula: Average) -> _Told:
    above, below = _sum((Term(formula.total),), formula.unit), _sum((Term(formula.count),))
    return _Told(f"{above.expression} / {below.expression}", f"{above.words} / {below.words}")


@_told.register
def _(formula: Percentile) -> _Told:
    which = "median" if formula.quantile == 0.5 else f"{100 * formula.quantile:g}th percentile"  # noqa: PLR2004 - one half
    shown = f" / {formula.unit}" if formula.unit != 1 else ""
    words = f"The {which} of {_title(formula.histogram)}{shown}"
    if formula.waiting is None:
        return _Told(f"quantile({formula.quantile:g}, {formula.histogram}){shown}", words)
    return _Told(
        f"kaplan_meier({formula.quantile:g}, {formula.histogram}, waiting={formula.waiting}){shown}",
        f"{words}, with {formula.waiting.partition('.')[0]} that are unanswered counted as still waiting "
        "(Kaplan-Meier)",
    )


@_told.register
def _(formula: Contrast) -> _Told:
    inside = _ratio(formula.inside_numerator, formula.inside_denominator)
    outside = _ratio(formula.outside_numerator, formula.outside_denominator)
    if formula.points:
        return _Told(
            f"{formula.scale} * ({inside.expression} - {outside.expression})",
            f"{formula.scale} × {inside.words} inside, less {formula.scale} × {outside.words} outside",
        )
    return _Told(
        f"100 * (({inside.expression}) / ({outside.expression}) - 1)",
        f"By how many percent {inside.words} inside is above {outside.words} outside",
    )


@_told.register
def _(formula: Lowest) -> _Told:
    total, count = formula.total, formula.count
    return _Told(
        f"100 * min({total}@channel / {count}@channel) / ({total} / {count})",
        f"100 × {_title(total)} / {_title(count)} of the channel where that is lowest / that of all together",
    )


@_told.register
def _(formula: Growth) -> _Told:
    terms = _sum(formula.terms)
    return _Told(
        f"100 * ({terms.expression} - before({_bare(terms.expression)})) / before({_bare(terms.expression)})",
        f"100 × growth of {terms.words} against the window before",
    )


@_told.register
def _(formula: RatioGrowth) -> _Told:
    told = _ratio(formula.numerator, formula.denominator)
    return _Told(
        f"100 * ({told.expression} - before({told.expression})) / before({told.expression})",
        f"100 × growth of {told.words} against the window before",
    )


@_told.register
def _(formula: RatioFall) -> _Told:
    told = _ratio(formula.numerator, formula.denominator)
    return _Told(
        f"{formula.scale} * (before({told.expression}) - {told.expression})",
        f"{formula.scale} × {told.words} in the window before, less {formula.scale} × the same in this one",
    )


@_told.register
def _(formula: TrendCoverage) -> _Told:
    audiences = _audiences(formula.audiences)
    return _Told(
        f"100 * with_trend({len(formula.groups)} KPIs + {audiences.expression})"
        f" / {len(formula.groups) + len(formula.audiences)}",
        f"100 × those with data in this window and in the one before / all, of {len(formula.groups)} KPIs and the "
        f"sizes of {', '.join(formula.audiences)}",
    )


@_told.register
def _(formula: Latest) -> _Told:
    keys, words = _audiences(formula.audiences)
    return _Told(f"latest({keys})", f"The last known count of {words} of every account, summed")


@_told.register
def _(formula: NetChange) -> _Told:
    keys, words = _audiences(formula.audiences)
    return _Told(
        f"end({keys}) - start({keys})",
        f"{words.capitalize()} at the end less at the start, over accounts known at both",
    )


@_told.register
def _(formula: LevelGrowth) -> _Told:
    keys, words = _audiences(formula.audiences)
    return _Told(
        f"100 * (end({keys}) - start({keys})) / start({keys})",
        f"100 × net change of {words} per one at the start, over accounts known at both ends",
    )


@_told.register
def _(formula: PerLevel) -> _Told:
    above, (keys, words) = _sum(formula.numerator, formula.unit), _audiences(formula.audiences)
    return _Told(
        f"{formula.scale} * {above.expression} / {formula.at}({keys})",
        f"{formula.scale} × {above.words} / {words} at the {formula.at} of the window",
    )


@_told.register
def _(formula: Retention) -> _Told:
    audience, joined = formula.audience, formula.joined
    return _Told(
        f"100 * (end({audience}) - {joined}) / start({audience})",
        f"100 × {audience} at the end less {_title(joined)} / {audience} at the start, over accounts known at both",
    )


@_told.register
def _(formula: Uplift) -> _Told:
    told = _sum(formula.numerator) if formula.denominator is None else _ratio(formula.numerator, formula.denominator)
    days, marker = formula.days, formula.marker
    kind, how = ("uplift_points", "less") if formula.points else ("uplift", "against")
    return _Told(
        f"{kind}({_bare(told.expression)}, {marker}, {days}d)",
        f"{_bare(told.words)} in the {days} days after each {_spaced(marker)} {how} the {days} days before, in "
        f"{'points' if formula.points else 'percent'}; pooled over those whose days after were over in the window",
    )


@_told.register
def _(formula: Recovered) -> _Told:
    told, days, marker = _sum(formula.terms), formula.days, formula.marker
    return _Told(
        f"recovered({_bare(told.expression)}, {marker}, {days}d)",
        f"100 × those of ‘{_spaced(marker)}’ after which {told.words} came back within {days} days to the daily mean "
        f"of the {days} days before / all of them whose days after were over in the window",
    )


@_told.register
def _(formula: DuringCrises) -> _Told:
    told = _ratio(formula.numerator, formula.denominator)
    return _Told(
        f"{formula.scale} * during_crises({told.expression})",
        f"{formula.scale} × {told.words}, over the hours of the window in which a crisis was open",
    )


@_told.register
def _(formula: Regained) -> _Told:
    told = _ratio(formula.numerator, formula.denominator)
    return _Told(
        f"100 * (after({told.expression}) - during({told.expression})) / "
        f"(ahead({told.expression}) - during({told.expression}))",
        f"The share of the drop of {told.words}, from the 24 hours ahead of crises to the hours while they were open, "
        "that was regained in the 24 hours after",
    )


@_told.register
def _(formula: RecoveryTime) -> _Told:
    told = _ratio(formula.numerator, formula.denominator)
    return _Told(
        f"recovery_time({told.expression})",
        f"The median time from the resolution of a crisis until {told.words} of an hour is what it was in the 24 hours "
        "before the crisis",
    )


@_told.register
def _(formula: Blend) -> _Told:
    parts = [_told(part) for part in formula.parts]
    return _Told(
        f"mean({', '.join(part.expression for part in parts)})",
        f"The mean of those that have a value: {'; '.join(_bare(part.words) for part in parts)}",
    )


def _spaced(marker: str) -> str:
    return marker.replace("_", " ")
