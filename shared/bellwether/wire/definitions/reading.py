"""From YAML to a document: measures, KPIs and roles, everything wrong told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.expressions import LONGEST, ExpressionError, nearest, parse_formula
from bellwether.catalogue.kpi import Area, Control, Direction, Evidence, Kind, Line, Scorecard, Unit
from bellwether.catalogue.measures import Fold, Measure
from bellwether.catalogue.own import KEY, LIMITS, ROLE, Document, Limits, OwnKpi
from bellwether.domain.windows import Window
from bellwether.wire.definitions.measures import read_measure
from bellwether.wire.definitions.nodes import Place, Problem, Problems, Unreadable, Values, compose, is_null

_TITLE, _MEANING, _KRA = 120, 1000, 120
_HEAVIEST = 1000.0
_MOST_PROBLEMS = 500
_SECTIONS = ("measures", "kpis", "roles")
_SAYS_NOTHING = "says nothing; to define nothing any more, send measures: {}"
_KEY_FORM = "must be own. and then lower-case letters, digits and _, as in own.signup_rate"
_ROLE_FORM = "must be own- and then lower-case letters, digits and -, as in own-newsletter-editor"


def read_document(text: str, today: date, limits: Limits = LIMITS) -> tuple[Document | None, list[Problem]]:
    """The document in a text, or None and all that is wrong with it, by line; the first 500 of that.

    today: the latest day from which a version may hold

    A text that says nothing is wrong: a file that could not be read would take all definitions away.
    """
    if len(text.encode()) > limits.bytes:
        return None, [Problem(1, 1, "", f"has more than {limits.bytes} bytes, which is the limit")]
    try:
        root = compose(text)
    except Unreadable as error:
        return None, [error.problem]
    if root is None:
        return None, [Problem(1, 1, "", _SAYS_NOTHING)]
    reader = _Reader(today, limits)
    document = reader.document(Place(root, ""))
    found = sorted(set(reader.problems.found))[:_MOST_PROBLEMS]
    return (None, found) if found else (document, [])


class _Reader:
    def __init__(self, today: date, limits: Limits) -> None:
        self.problems = Problems()
        self._today = today
        self._limits = limits

    def document(self, place: Place) -> Document:
        sections = self.problems.fields(place, _SECTIONS, ()) or {}
        if not self.problems.found and all(is_null(section) for section in sections.values()):
            self.problems.add(place, _SAYS_NOTHING)
        measures = self._measures(sections)
        kpis = self._kpis(sections, measures)
        return Document(
            tuple(measure for measure in measures.values() if measure.events),
            tuple(kpi for kpi in kpis.values() if kpi is not None),
            self._roles(sections, kpis),
        )

    def _measures(self, sections: Values) -> dict[str, Measure]:
        """Own measures by key; one that is wrong has no events, but its key may be named."""
        found: dict[str, Measure] = {}
        for key, at, place in self._section(sections, "measures", self._limits.measures):
            if not KEY.fullmatch(key):
                self.problems.add(at, _KEY_FORM)
            made = read_measure(self.problems, key, place, self._limits)
            found[key] = made or Measure(key=key, title=key, fold=Fold.COUNT)
            distinct = [measure for measure in found.values() if measure.fold is Fold.DISTINCT]
            if found[key] in distinct and len(distinct) > self._limits.distinct:
                self.problems.add(at, f"only {self._limits.distinct} measures may count distinct values")
        return found

    def _kpis(self, sections: Values, measures: Mapping[str, Measure]) -> dict[str, OwnKpi | None]:
        found: dict[str, OwnKpi | None] = {}
        for key, at, place in self._section(sections, "kpis", self._limits.kpis):
            if not KEY.fullmatch(key):
                self.problems.add(at, _KEY_FORM)
            if key in measures:
                self.problems.add(at, "is the key of a measure, too")
            found[key] = self._kpi(key, place, measures)
        return found

    def _section(self, sections: Values, name: str, most: int) -> list[tuple[str, Place, Place]]:
        place = sections.get(name)
        return [] if place is None or is_null(place) else list(self.problems.entries(place, most, name))

    def _kpi(self, key: str, place: Place, measures: Mapping[str, Measure]) -> OwnKpi | None:
        given = self.problems.fields(place, _KPI_FIELDS, _KPI_REQUIRED)
        if given is None:
            return None
        values = {name: _KPI_FIELDS[name](self, at) for name, at in given.items() if name != "formula"}
        values["formula"] = self._formula(given["formula"], measures)
        return None if None in values.values() else OwnKpi(key=key, **values)

    def _formula(self, place: Place, measures: Mapping[str, Measure]) -> str | None:
        """An expression, or an operator and its parameters written out."""
        if isinstance(place.node, MappingNode):
            return self._written_out(place, measures)
        text = self.problems.text(place, LONGEST)
        return text and self._parsed(text, place, {}, measures)

    def _parsed(self, text: str, place: Place, parts: Values, measures: Mapping[str, Measure]) -> str | None:
        try:
            named = parse_formula(text, measures).measures()
        except ExpressionError as error:
            wrong = parts.get(error.argument or "")
            self.problems.add(wrong or place, error.detail, 0 if parts else error.column)
            return None
        if len(named) > self._limits.measures_in_formula:
            detail = f"names {len(named)} measures; the limit is {self._limits.measures_in_formula}"
            self.problems.add(place, detail)
        return text

    def _written_out(self, place: Place, measures: Mapping[str, Measure]) -> str | None:
        parts = {key: value for key, _, value in self.problems.entries(place)}
        name = parts.pop("operator", None)
        if name is None:
            self.problems.add(place, "needs operator")
            return None
        arguments = {key: self._argument(value) for key, value in parts.items()}
        operator = self.problems.text(name, LONGEST)
        if operator is None or None in arguments.values():
            return None
        if not (operator.isidentifier() and all(key.isidentifier() for key in arguments)):
            self.problems.add(name, "operator and parameters must be names")
            return None
        text = f"{operator}({', '.join(f'{key}={told}' for key, told in arguments.items())})"
        return self._parsed(text, place, {**parts, "": name}, measures)

    def _argument(self, place: Place) -> str | None:
        """A parameter as it would stand in an expression."""
        if isinstance(place.node, SequenceNode):
            told = [self._argument(part) for part in self.problems.items(place, self._limits.measures_in_formula)]
            return None if None in told else f"[{', '.join(map(str, told))}]"
        text = self.problems.text(place, LONGEST)
        if text is not None and not _is_closed(text):
            self.problems.add(place, "has a bracket or a quotation mark too many")
            return None
        return text

    def date(self, place: Place) -> date | None:
        """A day that is not in the future."""
        told = str(place.node.value) if isinstance(place.node, ScalarNode) else ""
        try:
            day = date.fromisoformat(told)
        except ValueError:
            self.problems.add(place, "must be a date, as in 2026-10-01")
            return None
        if not date(1970, 1, 1) <= day <= self._today:
            self.problems.add(place, "must not lie in the future, nor before 1970")
            return None
        return day

    def _roles(self, sections: Values, kpis: Mapping[str, object]) -> tuple[Scorecard, ...]:
        found = []
        for role, at, place in self._section(sections, "roles", self._limits.roles):
            if not ROLE.fullmatch(role):
                self.problems.add(at, _ROLE_FORM)
            given = self.problems.fields(place, ("title", "areas"), ("title", "areas"))
            if given is not None:
                title = self.problems.text(given["title"], _TITLE)
                areas = self.problems.items(given["areas"], self._limits.areas, "areas")
                made = [self._area(area, kpis) for area in areas]
                found.append(Scorecard(role, title or "", tuple(area for area in made if area is not None)))
        return tuple(found)

    def _area(self, place: Place, kpis: Mapping[str, object]) -> Area | None:
        given = self.problems.fields(place, ("title", "weight", "lines"), ("title", "lines"))
        if given is None:
            return None
        title = self.problems.text(given["title"], _KRA)
        weight = self.problems.number(given["weight"], _HEAVIEST) if "weight" in given else 1.0
        lines = [self._line(line, kpis) for line in self.problems.items(given["lines"], self._limits.lines, "lines")]
        made = tuple(line for line in lines if line is not None)
        if len({line.kpi for line in made}) < len(made):
            self.problems.add(given["lines"], "names a KPI twice")
        return Area(title or "", made, weight or 1.0)

    def _line(self, place: Place, kpis: Mapping[str, object]) -> Line | None:
        """A KPI's key, or a KPI and its weight."""
        if not isinstance(place.node, MappingNode):
            return self._named(place, 1.0, kpis)
        given = self.problems.fields(place, ("kpi", "weight"), ("kpi",))
        if given is None:
            return None
        weight = self.problems.number(given["weight"], _HEAVIEST) if "weight" in given else 1.0
        return self._named(given["kpi"], weight or 1.0, kpis)

    def _named(self, place: Place, weight: float, kpis: Mapping[str, object]) -> Line | None:
        key = str(place.node.value) if isinstance(place.node, ScalarNode) else ""
        if key not in kpis and key not in CATALOGUE:
            self.problems.add(
                place, f"is no KPI of the catalogue or of this document{nearest(key, [*kpis, *CATALOGUE])}"
            )
            return None
        return Line(key, weight)


def _is_closed(text: str) -> bool:
    """Whether a parameter cannot reach beyond itself: brackets match, and nothing hides one."""
    depth = 0
    for character in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if depth < 0 or character in "\"'#\\{}" or (character == "," and depth == 0):
            return False
    return depth == 0


def _words(words: type[StrEnum]) -> Callable[[_Reader, Place], Any]:
    def read(reader: _Reader, place: Place) -> Any:
        told = reader.problems.word(place, words)
        return None if told is None else words(told)

    return read


def _text(longest: int) -> Callable[[_Reader, Place], Any]:
    return lambda reader, place: reader.problems.text(place, longest)


_KPI_FIELDS: dict[str, Callable[[_Reader, Place], Any]] = {
    "title": _text(_TITLE),
    "meaning": _text(_MEANING),
    "formula": _text(LONGEST),
    "unit": _words(Unit),
    "kra": _text(_KRA),
    "better": _words(Direction),
    "kind": _words(Kind),
    "evidence": _words(Evidence),
    "control": _words(Control),
    "home": _words(Window),
    "valid_from": _Reader.date,
    "restate": lambda reader, place: reader.problems.flag(place),
}
_KPI_REQUIRED = ("title", "meaning", "formula", "unit", "kra")
