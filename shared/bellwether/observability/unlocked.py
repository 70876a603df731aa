"""Metrics for paths on which a request costs microseconds: counted by the event loop's thread alone, without a lock."""

from bisect import bisect_left

import prometheus_client


class Counter(prometheus_client.Counter):
    """A counter that is moved by one thread only."""

    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:  # noqa: ARG002 - theirs
        """Count so many more, ≥ 0."""
        self._value._value += amount  # noqa: SLF001


class Histogram(prometheus_client.Histogram):
    """A histogram that is filled by one thread only."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:  # noqa: ARG002 - theirs
        """Count a value."""
        self._sum._value += amount  # noqa: SLF001
        self._buckets[bisect_left(self._upper_bounds, amount)]._value += 1  # noqa: SLF001
