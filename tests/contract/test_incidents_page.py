"""The table of docs/incidents.md is the one of the code."""

from __future__ import annotations

from pathlib import Path

from bellwether.domain.incidents import PHASES, TRANSITIONS, State

PAGE = Path(__file__).parents[2] / "docs" / "incidents.md"


def test_the_page_of_incidents_has_the_transitions_of_the_code() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| state |"))
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[start : start + 8])
    told = {
        (row[0], phase): after for row in rows for phase, after in zip(head[1:], row[1:], strict=True) if after != "–"
    }
    assert [row[0] for row in rows] == [state.value for state in State]
    assert head[1:] == list(PHASES[1:])
    assert told == {(before.value, phase): after.value for (before, phase), after in TRANSITIONS.items() if before}


def test_the_page_of_incidents_has_the_order_of_steps_within_a_second() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"in the order {', '.join(PHASES)}." in text
