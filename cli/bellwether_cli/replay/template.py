"""Templates of a mapping: text with `{column|filter}` places, values by table, and conditions on columns."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bellwether.domain.errors import BellwetherError

Row = Mapping[str, object]
"""One line of a file: column (or dotted path) to value. CSV cells are text, JSON values keep their type."""

_PLACE = re.compile(r"\{([^{}|]+)((?:\|\w+)*)\}")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG_MAX = 63
_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})


class MappingError(BellwetherError):
    """A mapping that cannot be understood; the message names the place in it."""


class RowError(BellwetherError):
    """One row that the mapping cannot turn into an event; the message says which value and why."""


def slug(value: object) -> str:
    """Lower-case letters, digits and hyphens, at most 63: `US Airways` becomes `us-airways`."""
    return _NOT_SLUG.sub("-", str(value).strip().lower()).strip("-")[:_SLUG_MAX].rstrip("-")


def _boolean(value: object) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError(f"{value!r} is neither true nor false")
    return text in _TRUE


def _integer(value: object) -> int:
    return int(str(value).strip())


FILTERS: Mapping[str, Callable[[object], object]] = MappingProxyType(
    {
        "slug": slug,
        "lower": lambda value: str(value).lower(),
        "strip": lambda value: str(value).strip(),
        "int": _integer,
        "float": lambda value: float(str(value)),
        "bool": _boolean,
        "text": str,
    }
)


def cell(row: Row, column: str) -> object:
    """Value of a column, or of a dotted path inside JSON; None where it is absent or empty."""
    value = row.get(column)
    if value is None and "." in column:
        value = row
        for step in column.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    return None if value == "" else value


@dataclass(frozen=True, slots=True)
class Place:
    """One `{column|filter}`: the value of a column with filters applied in order."""

    column: str
    filters: tuple[str, ...] = ()

    def read(self, row: Row) -> object:
        """The value, or None where the column is absent or empty. Raises RowError if a filter refuses it."""
        value = cell(row, self.column)
        for name in self.filters:
            if value is None:
                break
            try:
                value = FILTERS[name](value)
            except (ValueError, TypeError) as error:
                raise RowError(f"column {self.column!r}: {error}") from error
        return None if value == "" else value


@dataclass(frozen=True, slots=True)
class Template:
    """Text and places in turn. A lone place keeps the value's type, anything else makes text."""

    parts: tuple[str | Place, ...]

    @classmethod
    def parse(cls, text: str, where: str) -> "Template":
        """Read `text {column} text`. Raises MappingError for an unknown filter or a stray brace."""
        parts: list[str | Place] = []
        end = 0
        for match in _PLACE.finditer(text):
            parts += [text[end : match.start()], _place(match, where)]
            end = match.end()
        parts.append(text[end:])
        if any("{" in part or "}" in part for part in parts if isinstance(part, str)):
            raise MappingError(f"{where}: a brace in {text!r} belongs to no {{column}}")
        return cls(tuple(part for part in parts if part != ""))

    def read(self, row: Row) -> object:
        """The filled template; None where any of its places is empty, so that the field is left out."""
        values = [part if isinstance(part, str) else part.read(row) for part in self.parts]
        if any(value is None for value in values):
            return None
        return values[0] if len(values) == 1 else "".join(map(str, values)) or None


def _place(match: re.Match[str], where: str) -> Place:
    filters = tuple(name for name in match[2].split("|") if name)
    for name in filters:
        if name not in FILTERS:
            raise MappingError(f"{where}: no filter {name!r}; there are {', '.join(sorted(FILTERS))}")
    return Place(match[1].strip(), filters)


@dataclass(frozen=True, slots=True)
class Table:
    """`{column: sentiment, values: {negative: -1}, default: 0}`: a value looked up by a column's text."""

    place: Place
    values: Mapping[str, object]
    default: object = None
    strict: bool = True

    def read(self, row: Row) -> object:
        """The value listed for the column's text. Raises RowError for one not listed, without default."""
        value = self.place.read(row)
        if value is None:
            return self.default
        if (found := self.values.get(str(value), self)) is not self:
            return found
        if self.strict:
            raise RowError(f"column {self.place.column!r}: {value!r} is none of {', '.join(self.values)}")
        return self.default


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, true or false as written in the mapping."""

    value: object

    def read(self, row: Row) -> object:  # noqa: ARG002 - the same for every row
        """The constant."""
        return self.value


@dataclass(frozen=True, slots=True)
class Fields:
    """A nested object; its empty fields are left out, and it itself when nothing remains."""

    fields: Mapping[str, "Value"]

    def read(self, row: Row) -> object:
        """Object of the fields that have a value, or None."""
        values = {name: value.read(row) for name, value in self.fields.items()}
        return {name: value for name, value in values.items() if value is not None} or None


Value = Template | Table | Constant | Fields

_TABLE_KEYS = frozenset({"column", "values", "default"})


def value(spec: object, where: str) -> Value:
    """The value that a piece of YAML stands for. Raises MappingError naming the place."""
    if isinstance(spec, str):
        return Template.parse(spec, where)
    if isinstance(spec, Mapping):
        if "column" in spec and set(spec) <= _TABLE_KEYS:
            return _table(spec, where)
        return Fields({str(name): value(part, f"{where}.{name}") for name, part in spec.items()})
    if isinstance(spec, (int, float, bool)):
        return Constant(spec)
    raise MappingError(f"{where}: expected text, a number, true, false or an object, not {spec!r}")


def _table(spec: Mapping[str, object], where: str) -> Table:
    values = spec.get("values")
    if not isinstance(values, Mapping) or not values:
        raise MappingError(f"{where}.values: expected an object of the column's texts and their values")
    places = Template.parse("{" + str(spec["column"]) + "}", f"{where}.column").parts
    place = places[0]
    if not isinstance(place, Place):
        raise MappingError(f"{where}.column: expected a column's name")
    return Table(
        place,
        {str(text): found for text, found in values.items()},
        spec.get("default"),
        strict="default" not in spec,
    )


@dataclass(frozen=True, slots=True)
class Condition:
    """`when:` of a rule: every named column has one of its listed texts (`""` stands for an empty one)."""

    allowed: Mapping[str, frozenset[str]]

    @classmethod
    def parse(cls, spec: object, where: str) -> "Condition":
        """Read `{column: text}` or `{column: [text, text]}`; nothing at all always holds."""
        if spec is None:
            return cls({})
        if not isinstance(spec, Mapping):
            raise MappingError(f"{where}: expected an object of columns and texts")
        return cls({str(column): _texts(texts) for column, texts in spec.items()})

    def holds(self, row: Row) -> bool:
        """Whether the row is meant."""
        return all(_text(cell(row, column)) in texts for column, texts in self.allowed.items())


def _texts(spec: object) -> frozenset[str]:
    return frozenset(map(_text, spec if isinstance(spec, list) else [spec]))


def _text(value: object) -> str:
    return "" if value is None else str(value)
