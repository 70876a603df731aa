"""What `make bench-detector` expects, as tests: on made streams always, on real data where they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench.detector.crises import REAL
from tests.bench.detector.data import ABSENT, DATA
from tests.bench.detector.finding import Finding
from tests.bench.detector.made import MADE
from tests.bench.detector.page import PAGE, replaced, settings
from tests.bench.detector.series import beats_simple, published

Check = Callable[[], Finding]
needs_data = pytest.mark.skipif(not DATA.exists(), reason=ABSENT)


@pytest.mark.parametrize("check", MADE, ids=lambda check: check.__name__)
def test_a_made_stream_comes_out_as_expected(check: Check) -> None:
    finding = check()
    assert finding.met, finding


@needs_data
@pytest.mark.parametrize("check", REAL, ids=lambda check: check.__name__)
def test_a_real_crisis_comes_out_as_expected(check: Check) -> None:
    finding = check()
    assert finding.met, finding


@needs_data
@pytest.mark.parametrize("check", [published, beats_simple], ids=lambda check: check.__name__)
def test_the_score_on_real_series_is_reached(check: Check) -> None:
    finding = check()
    assert finding.met, finding


def test_the_page_has_the_settings_as_they_are_shipped() -> None:
    assert replaced(PAGE.read_text(), "settings", settings()) == PAGE.read_text()
