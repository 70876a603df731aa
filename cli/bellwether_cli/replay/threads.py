"""Threads of replies inside one file: each row's root, and the brand that the thread belongs to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bellwether_cli.replay.template import Condition, Row, Template


@dataclass(frozen=True, slots=True)
class ThreadRule:
    """Which columns link rows to threads.

    `owner` names the thread's brand: read from the earliest row for which `owner_when` holds.
    """

    id: Template
    parent: Template
    owner: Template
    owner_when: Condition


def link(rows: Sequence[Row], rule: ThreadRule, when: Callable[[Row], float]) -> list[Row]:
    """The same rows with the columns `thread.root` and `thread.owner`; `when` is a row's time for comparison.

    A parent outside the file ends the chain: the earliest known message is the root.
    """
    roots = _roots(rows, rule)
    owners = _owners(zip(rows, roots, strict=True), rule, when)
    return [
        {**row, "thread.root": root, "thread.owner": owners.get(root)} for row, root in zip(rows, roots, strict=True)
    ]


def _roots(rows: Sequence[Row], rule: ThreadRule) -> list[object]:
    parents = {rule.id.read(row): rule.parent.read(row) for row in rows}
    return [_root(rule.id.read(row), parents) for row in rows]


def _root(message: object, parents: Mapping[object, object]) -> object:
    passed = {message}
    while (parent := parents.get(message)) in parents and parent not in passed:
        passed.add(parent)
        message = parent
    return message


def _owners(
    rooted: Iterable[tuple[Row, object]], rule: ThreadRule, when: Callable[[Row], float]
) -> dict[object, object]:
    first: dict[object, tuple[float, object]] = {}
    for row, root in rooted:
        if rule.owner_when.holds(row):
            moment = when(row)
            if root not in first or moment < first[root][0]:
                first[root] = (moment, rule.owner.read(row))
    return {root: owner for root, (_, owner) in first.items()}
