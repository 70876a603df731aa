"""Which partition a key belongs to: Kafka's own default, so that every client in every language agrees."""

from aiokafka.partitioner import murmur2

_POSITIVE = 0x7FFFFFFF
_LARGEST_CACHE = 100_000


class Partitions:
    """The partitions of one topic. Hashing in Python costs microseconds, so each key is hashed once."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("a topic has at least one partition")
        self.count = count
        self._known: dict[bytes, int] = {}

    def of(self, key: bytes) -> int:
        """The partition, 0 ≤ p < count."""
        found = self._known.get(key)
        if found is None:
            found = self._remember(key)
        return found

    def _remember(self, key: bytes) -> int:
        if len(self._known) >= _LARGEST_CACHE:
            self._known.clear()
        partition: int = (murmur2(key) & _POSITIVE) % self.count
        self._known[key] = partition
        return partition
