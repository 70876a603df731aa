"""How much one caller may send, and how much all of them together may have open."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bellwether.domain.errors import RateLimited, Unavailable
from bellwether.observability import metrics

Clock = Callable[[], float]


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimiter:
    """A token bucket for each name: `rate` a second on average, `burst` at once after a pause.

    What was taken is charged afterwards and may leave a debt, so that a batch is never cut in two: a name is refused
    only while it is in debt. `most_names` bounds the memory; the one unused for longest is forgotten.
    """

    def __init__(
        self, policy: str, rate: float, burst: float, *, most_names: int = 100_000, clock: Clock = time.monotonic
    ) -> None:
        self._policy, self._rate, self._burst = policy, rate, burst
        self._most_names = most_names
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self.policy_field = f'"{policy}";q={math.floor(burst)};w={math.ceil(burst / rate)}'.encode()

    def check(self, name: str) -> None:
        """Raise RateLimited, with the seconds to wait, while the name is in debt."""
        bucket = self._bucket(name)
        if bucket.tokens <= 0:
            wait_s = math.ceil((1 - bucket.tokens) / self._rate)
            raise RateLimited(f"Over the limit of {self._rate:g} a second.", retry_after_s=wait_s)

    def charge(self, name: str, amount: float) -> None:
        """Count what was taken."""
        self._bucket(name).tokens -= amount

    def state_field(self, name: str) -> bytes:
        """The RateLimit field: what is left, and the seconds until all of it is there again."""
        tokens = self._bucket(name).tokens
        full_s = math.ceil((self._burst - tokens) / self._rate)
        return f'"{self._policy}";r={max(0, math.floor(tokens))};t={full_s}'.encode()

    def _bucket(self, name: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            return self._new(name, now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        self._buckets.move_to_end(name)
        return bucket

    def _new(self, name: str, now: float) -> _Bucket:
        if len(self._buckets) >= self._most_names:
            self._buckets.popitem(last=False)
        bucket = self._buckets[name] = _Bucket(self._burst, now)
        return bucket


class Hold:
    """The bytes that one request holds."""

    __slots__ = ("_all", "held")

    def __init__(self, together: "InFlight") -> None:
        self._all = together
        self.held = 0

    def grow(self, size: int) -> None:
        """Hold so many bytes more. Raises Unavailable when all requests together would hold too many."""
        self._all.grow(size)
        self.held += size


class InFlight:
    """Requests and bytes between the first byte read and the answer, bounded: memory must not depend on Kafka."""

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self._most_requests, self._most_bytes = most_requests, most_bytes
        self.requests = 0
        self.bytes = 0
        metrics.INTAKE_IN_FLIGHT_REQUESTS.set_function(lambda: self.requests)
        metrics.INTAKE_IN_FLIGHT_BYTES.set_function(lambda: self.bytes)

    @contextmanager
    def request(self) -> Iterator[Hold]:
        """Be one request more, until the block ends. Raises Unavailable when there are too many."""
        if self.requests >= self._most_requests:
            raise Unavailable("Too many requests are open; try again in a moment.", retry_after_s=1)
        hold = Hold(self)
        self.requests += 1
        try:
            yield hold
        finally:
            self.requests -= 1
            self.bytes -= hold.held

    def grow(self, size: int) -> None:
        """Hold so many bytes more. Raises Unavailable when that is too many."""
        if self.bytes + size > self._most_bytes:
            raise Unavailable("Too many bytes are open; try again in a moment.", retry_after_s=1)
        self.bytes += size
