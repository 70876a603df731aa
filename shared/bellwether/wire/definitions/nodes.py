"""YAML as nodes that know their place, and everything that is wrong with them, collected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple, TypeVar

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_DEEPEST = 12
_BOOL = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_TRUE = frozenset({"true", "yes", "on"})

Words = TypeVar("Words", bound=StrEnum)


class Problem(NamedTuple):
    """What is wrong and where: line and column from 1, a JSON pointer, and words. It repeats nothing of the input."""

    line: int
    column: int
    pointer: str
    detail: str


class Unreadable(Exception):
    """It is no YAML that is taken; `problem` says where it breaks off."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Place(NamedTuple):
    """A node and the JSON pointer to it."""

    node: Node
    pointer: str

    def at(self, step: str | int, node: Node) -> Place:
        """A node inside."""
        return Place(node, f"{self.pointer}/{str(step).replace('~', '~0').replace('/', '~1')}")


def compose(text: str) -> Node | None:
    """The root of a YAML document, None of an empty one. Raises Unreadable."""
    try:
        root: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        detail = f"cannot be read as YAML: {error.problem or error.context or 'something is missing'}"
        raise Unreadable(Problem(line, column, "", _unquoted(detail))) from None
    except (yaml.YAMLError, ValueError) as error:  # a character that YAML does not allow
        raise Unreadable(Problem(1, 1, "", "holds a character that YAML does not allow")) from error
    except RecursionError:
        raise Unreadable(Problem(1, 1, "", "is nested too deeply")) from None
    if root is not None:
        _check_shape(root, set(), 1)
    return root


def _unquoted(detail: str) -> str:
    """Without the characters that the scanner names, which are those of the input."""
    return detail if "found character" not in detail else "cannot be read as YAML: a character that cannot start a word"


def _check_shape(node: Node, seen: set[int], depth: int) -> None:
    """Refuse what grows when it is walked: aliases, of which a few lines stand for millions, and depth."""
    if id(node) in seen or depth > _DEEPEST:
        detail = "is an alias, which is not taken" if id(node) in seen else "is nested too deeply"
        raise Unreadable(Problem(*mark_of(node), "", detail))
    seen.add(id(node))
    for inner in _inside(node):
        _check_shape(inner, seen, depth + 1)


def _inside(node: Node) -> Iterable[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, SequenceNode) else ()


def mark_of(node: Node) -> tuple[int, int]:
    """Line and column of a node, from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def place_of(text: str, pointer: str) -> tuple[int, int]:
    """Line and column of what a JSON pointer names in a document that can be read, or of what holds it."""
    node = compose(text)
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in steps:
        found = _step(node, step)
        if found is None:
            break
        node = found
    return mark_of(node) if node is not None else (1, 1)


def _step(node: Node | None, step: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in pairs if key.value == step), None)


class Problems:
    """What was found wrong so far. Whoever reads a part gets None where it is wrong, and goes on."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, place: Place, detail: str, column: int = 0) -> None:
        """Something is wrong, `column` characters into the text of a scalar."""
        line, start = mark_of(place.node)
        quoted = isinstance(place.node, ScalarNode) and place.node.style in {'"', "'"}
        block = isinstance(place.node, ScalarNode) and place.node.style in {"|", ">"}
        inside = 0 if block or not column else column + quoted
        self.found.append(Problem(line, start + inside, place.pointer, detail))

    def entries(
        self, place: Place, most: int | None = None, what: str = "entries"
    ) -> Iterator[tuple[str, Place, Place]]:
        """The keys of a mapping, each with its own place and that of its value."""
        if not isinstance(place.node, MappingNode):
            return self.add(place, "must be a mapping of keys to values")
        if most is not None and len(place.node.value) > most:
            self.add(place, f"has {len(place.node.value)} {what}; the limit is {most}")
            return None
        seen: set[str] = set()
        for key, value in place.node.value:
            if not isinstance(key, ScalarNode):
                self.add(place.at("", key), "a key must be text")
                continue
            if key.value in seen:
                self.add(place.at(key.value, key), "is given twice")
            seen.add(key.value)
            yield key.value, place.at(key.value, key), place.at(key.value, value)
        return None

    def fields(self, place: Place, known: Collection[str], required: Collection[str]) -> dict[str, Place] | None:
        """The values of a mapping by known keys; None where it is none or a required one is missing."""
        if not isinstance(place.node, MappingNode):
            self.add(place, f"must be a mapping with the keys {', '.join(known)}")
            return None
        found: dict[str, Place] = {}
        for key, at, value in self.entries(place):
            if key in known:
                found[key] = value
            else:
                self.add(at, f"is not a known key{_nearest(key, known)}")
        missing = [key for key in required if key not in found]
        if missing:
            self.add(place, f"needs {', '.join(missing)}")
        return None if missing else found

    def items(self, place: Place, most: int, what: str = "entries") -> list[Place]:
        """The elements of a list; one that is no list stands for a list of itself."""
        if not isinstance(place.node, SequenceNode):
            return [place]
        if len(place.node.value) > most:
            self.add(place, f"has {len(place.node.value)} {what}; the limit is {most}")
            return []
        if not place.node.value:
            self.add(place, "must not be empty")
        return [place.at(at, node) for at, node in enumerate(place.node.value)]

    def text(self, place: Place, longest: int) -> str | None:
        """A text on one line."""
        if not isinstance(place.node, ScalarNode) or place.node.tag == _NULL:
            self.add(place, "must be text")
            return None
        told = " ".join(str(place.node.value).split())
        if not 0 < len(told) <= longest or not told.isprintable():
            self.add(place, f"must be 1 to {longest} printable characters")
            return None
        return told

    def word(self, place: Place, known: Iterable[str]) -> str | None:
        """One of a closed list of words."""
        known = list(known)
        told = str(place.node.value) if isinstance(place.node, ScalarNode) else ""
        if told not in known:
            self.add(place, f"must be one of {', '.join(known)}{_nearest(told, known)}")
            return None
        return told

    def flag(self, place: Place) -> bool | None:
        """True or false."""
        if not isinstance(place.node, ScalarNode) or place.node.tag != _BOOL:
            self.add(place, "must be true or false")
            return None
        return str(place.node.value).lower() in _TRUE

    def number(self, place: Place, most: float) -> float | None:
        """A number greater than 0."""
        if isinstance(place.node, ScalarNode) and place.node.tag in _NUMBERS:
            try:
                told = float(place.node.value)
            except ValueError:  # YAML knows octal, binary and sexagesimal numbers, too
                told = 0.0
            if 0 < told <= most:
                return told
        self.add(place, f"must be a number greater than 0, at most {most:g}")
        return None


def is_null(place: Place) -> bool:
    """Whether nothing stands there."""
    return isinstance(place.node, ScalarNode) and place.node.tag == _NULL


def _nearest(given: str, known: Iterable[str]) -> str:
    found = get_close_matches(given, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


Values = Mapping[str, Place]
