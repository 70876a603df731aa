"""The buckets behind a number, also where the clocks change, and that there is something behind every KPI."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.formula import Blend, Latest, Retention, Sum
from bellwether.catalogue.formula.terms import total
from bellwether.domain.clock import LocalClock
from bellwether.domain.windows import MINUTE_EDGES, Window, span_at
from bellwether_api.receipt_rows import audiences_behind, bucket_spans, measures_behind

ZONES = [LocalClock(zone) for zone in ("Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu")]


@given(st.sampled_from(ZONES), st.sampled_from(Window), st.integers(1_700_000_000, 1_800_000_000), st.booleans())
def test_buckets_are_the_whole_window_in_local_hours_or_days(
    clock: LocalClock, window: Window, as_of: int, minutes_are_gone: bool
) -> None:
    span = span_at(window, as_of, clock, 2**40 if minutes_are_gone else 0)
    found = bucket_spans(window, span, clock)
    assert sum(bucket.end - bucket.start for bucket in found) == span.end - span.start
    assert all(one.end == following.start for one, following in pairwise(found))
    starts_of = clock.hour if window in MINUTE_EDGES else lambda moment: clock.day_start(clock.day(moment))
    assert [bucket.start for bucket in found[1:]] == [starts_of(bucket.start) for bucket in found[1:]]
    assert all(starts_of(bucket.end - 1) <= bucket.start for bucket in found)


@pytest.mark.parametrize("key", CATALOGUE)
def test_every_kpi_has_something_behind_it(key: str) -> None:
    kpi = CATALOGUE[key]
    assert measures_behind(kpi) or audiences_behind(kpi.formula)
    assert set(kpi.shown()) <= set(measures_behind(kpi))


def test_the_audiences_of_a_blend_are_those_of_its_parts() -> None:
    parts = (Latest(("followers",)), Sum(total("joined")), Retention("members", "joined"), Latest(("followers",)))
    assert audiences_behind(Blend(parts)) == ("followers", "members")
