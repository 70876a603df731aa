"""Counters and histograms without a lock show what prometheus_client's own show."""

from __future__ import annotations

from types import ModuleType

import prometheus_client
from hypothesis import given
from hypothesis import strategies as st

from bellwether.observability import unlocked

BUCKETS = (0.5, 1.0, 2.5)


@given(st.lists(st.floats(0, 10) | st.sampled_from(BUCKETS)))
def test_what_is_counted_is_exposed_alike(values: list[float]) -> None:
    def exposed(metrics: ModuleType) -> bytes:
        registry = prometheus_client.CollectorRegistry()
        counter = metrics.Counter("seen_total", "Seen.", ["kind"], registry=registry).labels(kind="a")
        histogram = metrics.Histogram("size", "Size.", ["kind"], buckets=BUCKETS, registry=registry).labels(kind="b")
        for value in values:
            counter.inc(value)
            histogram.observe(value)
        lines = prometheus_client.generate_latest(registry).splitlines()
        return b"\n".join(line for line in lines if b"_created" not in line)

    assert exposed(unlocked) == exposed(prometheus_client)
