"""`bellwether catalogue check` says what is wrong as compilers do."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bellwether_cli.__main__ import app

EXAMPLE = Path(__file__).parents[3] / "docs/examples/own-kpis.yaml"


def test_a_file_that_is_right_is_said_to_be() -> None:
    result = CliRunner().invoke(app, ["catalogue", "check", str(EXAMPLE)])
    assert (result.exit_code, result.stdout) == (0, f"{EXAMPLE} is right\n")


def test_every_problem_is_a_line_with_file_line_column_and_reason(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("measures:\n  own.a: {title: A, events: web.sesion.v1}\nkpi: {}\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["catalogue", "check", str(file)])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{file}:2:29: is no event type; did you mean web.session.v1?",
        f"{file}:3:1: is not a known key; did you mean kpis?",
    ]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"measures: {}"], ids=["no text", "nothing", "no measures"])
def test_bytes_that_are_no_text_or_say_nothing_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "own.yaml"
    file.write_bytes(content)
    assert CliRunner().invoke(app, ["catalogue", "check", str(file)]).exit_code == (0 if b"{}" in content else 1)
