"""How much one caller may send, and how much all of them together may have open."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from bellwether.domain.errors import RateLimited, Unavailable
from bellwether.observability import metrics

Clock = Callable[[], float]
_LARGEST_SHARE = 0.75


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
        bucket = self._buckets.get(name)
        if bucket is None or bucket.tokens > 0:
            return
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
    """The bytes that one request of a name holds, until its block ends."""

    __slots__ = ("_all", "held", "name")

    def __init__(self, together: "InFlight", name: str) -> None:
        self._all = together
        self.name = name
        self.held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._all.release(self)

    def grow(self, size: int) -> None:
        """Hold so many bytes more. Raises Unavailable when its name, or all together, would hold too many."""
        self._all.grow(self.name, size)
        self.held += size


class _Share:
    """What the requests of one name hold together."""

    __slots__ = ("bytes", "requests")

    def __init__(self) -> None:
        self.requests = self.bytes = 0


class InFlight:
    """Requests and bytes between the first byte read and the answer, bounded: memory must not depend on Kafka.

    One name may hold three quarters of each, so that others get in while it holds all that it can.
    """

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self._most_requests, self._most_bytes = most_requests, most_bytes
        self._own_requests, self._own_bytes = (math.ceil(most * _LARGEST_SHARE) for most in (most_requests, most_bytes))
        self._shares: dict[str, _Share] = {}
        self.requests = 0
        self.bytes = 0
        metrics.INTAKE_IN_FLIGHT_REQUESTS.set_function(lambda: self.requests)
        metrics.INTAKE_IN_FLIGHT_BYTES.set_function(lambda: self.bytes)

    def request(self, name: str) -> Hold:
        """Be one request more, until the block ends. Raises Unavailable when there are too many."""
        share = self._shares.get(name)
        if share is None:
            share = self._shares[name] = _Share()
        if self.requests >= self._most_requests or share.requests >= self._own_requests:
            self._forget_idle(name, share)
            raise Unavailable("Too many requests are open; try again in a moment.", retry_after_s=1)
        self.requests += 1
        share.requests += 1
        return Hold(self, name)

    def release(self, hold: Hold) -> None:
        """Be one request less, and hold its bytes no more."""
        share = self._shares[hold.name]
        self.requests -= 1
        self.bytes -= hold.held
        share.requests -= 1
        share.bytes -= hold.held
        self._forget_idle(hold.name, share)

    def grow(self, name: str, size: int) -> None:
        """Hold so many bytes more for a request of a name. Raises Unavailable when that is too many."""
        share = self._shares[name]
        if self.bytes + size > self._most_bytes or share.bytes + size > self._own_bytes:
            raise Unavailable("Too many bytes are open; try again in a moment.", retry_after_s=1)
        self.bytes += size
        share.bytes += size

    def _forget_idle(self, name: str, share: _Share) -> None:
        if not share.requests:
            del self._shares[name]
