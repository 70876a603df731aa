"""Keys to partitions as every other Kafka client does it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.kafka.partitions import Partitions


@pytest.mark.parametrize(
    ("key", "murmur2"),
    # From the test of org.apache.kafka.common.utils.Utils.murmur2.
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_the_partition_is_that_of_kafkas_own_client(key: bytes, murmur2: int) -> None:
    assert Partitions(12).of(key) == (murmur2 & 0x7FFFFFFF) % 12


@given(st.binary(max_size=40), st.integers(1, 64))
def test_a_key_stays_in_its_partition(key: bytes, count: int) -> None:
    partitions = Partitions(count)
    assert 0 <= partitions.of(key) < count
    assert partitions.of(key) == partitions.of(key) == Partitions(count).of(key)


def test_a_topic_without_partitions_is_no_topic() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Partitions(0)
