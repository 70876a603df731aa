"""What the command line shows of the evidence of a crisis."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bellwether_api.incident_shapes import INCIDENT_EXAMPLES
from bellwether_cli import incident_evidence


@pytest.fixture
def evidence() -> dict[str, Any]:
    """That of the example in the API's document, whose peak is its opening."""
    found: dict[str, Any] = msgspec.to_builtins(INCIDENT_EXAMPLES[0])["evidence"]
    return found


def test_terms_authors_posts_and_sentiment_are_shown_once_where_the_peak_is_the_opening(
    evidence: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    incident_evidence.say(evidence)
    shown = capsys.readouterr().out
    for words in ("351.2", "92.4 %", "Found glass in my cup.", "-84.38 of 64 texts", "+35 of 400 texts"):
        assert shown.count(words) == 1
    assert shown.count("182000") == 2  # of the author, and of the post
    assert "at the peak" not in shown


def test_another_peak_is_shown_too_and_what_is_unknown_is_a_dash_or_has_a_reason(
    evidence: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    silent = evidence["opening"]["sentiment"] | {"net": None, "reason": "no_texts"}
    evidence["peak"] = evidence["opening"] | {"complete": False, "sentiment_before": silent}
    incident_evidence.say(evidence)
    shown = capsys.readouterr().out
    assert "evidence at the peak: all channels" in shown
    assert "samples of the rest" in shown
    assert "the day before unknown (no_texts)" in shown


def test_it_is_said_why_evidence_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    incident_evidence.say({"opening": None, "peak": None, "missing": "not_yet"})
    assert capsys.readouterr().out.strip() == "evidence is not collected yet"
