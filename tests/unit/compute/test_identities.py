"""A table of identities is a dict that takes little memory."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether_compute import identities
from bellwether_compute.identities import ENTRY_BYTES, ID_BYTES, IdentityTable

DAYS = (0, 20_000, 65_535)
IDENTITY = st.integers(0, 60).map(lambda n: (n * 0x9E3779B97F4A7C15 % 2**128).to_bytes(ID_BYTES, "little"))
CHECKSUM = st.sampled_from([b"\0\0\0\0", b"abcd", b"\xff\xff\xff\xff"])
STEP = st.one_of(
    st.tuples(st.just("add"), IDENTITY, CHECKSUM, st.sampled_from(DAYS)),
    st.tuples(st.just("load"), st.dictionaries(IDENTITY, CHECKSUM, max_size=20), st.sampled_from(DAYS)),
    st.tuples(st.just("forget"), st.sets(st.sampled_from(DAYS), max_size=2)),
)


@given(st.lists(STEP, max_size=60), st.sampled_from([1, 3, 32]))
def test_whatever_is_added_loaded_and_forgotten_it_answers_as_a_dict_does(
    steps: list[tuple[Any, ...]], most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identities, "_MOST_IN_BUCKET", most)
        patch.setattr(identities, "_AT_ONCE", 4)
        table, model = IdentityTable(), dict[bytes, tuple[bytes, int]]()
        for kind, *told in steps:
            if kind == "add":
                identity, checksum, day = told
                assert table.add(identity, checksum, day) == model.get(identity, (None,))[0]
                model.setdefault(identity, (checksum, day))
            elif kind == "load":
                fresh = {i: c for i, c in told[0].items() if i not in model}
                table.load(b"".join(i + c for i, c in fresh.items()), told[1])
                model.update({i: (c, told[1]) for i, c in fresh.items()})
            else:
                table.forget(told[0])
                model = {i: entry for i, entry in model.items() if entry[1] not in told[0]}
            assert len(table) == len(model)
        assert all(table.add(i, b"none", 1) == checksum for i, (checksum, _) in model.items())


def test_an_identity_that_stands_across_two_entries_is_not_in_the_table() -> None:
    """It begins within the first entry of a bucket and ends in the second."""
    table, first, second = IdentityTable(), bytes(range(16)), bytes(range(100, 116))
    table.load(first + b"sum1" + second + b"sum2", 7)
    bucket = first + b"sum1" + b"\7\0" + second + b"sum2" + b"\7\0"
    across = [bucket[at : at + ID_BYTES] for at in range(1, 22)]
    assert [table.add(identity, b"new!", 8) for identity in across] == [None] * 21
    assert (table.add(first, b"", 7), table.add(second, b"", 7)) == (b"sum1", b"sum2")


def test_a_hundred_thousand_identities_are_found_and_others_are_not() -> None:
    table, entries = IdentityTable(), [os.urandom(ENTRY_BYTES) for _ in range(100_000)]
    for start in range(0, 90_000, 9_000):
        table.load(b"".join(entries[start : start + 9_000]), 20_000 + start // 9_000)
    for entry in entries[90_000:]:
        assert table.add(entry[:ID_BYTES], entry[ID_BYTES:], 20_001) is None
    assert len(table) == 100_000
    assert all(table.add(entry[:ID_BYTES], b"none", 1) == entry[ID_BYTES:] for entry in entries)
