"""What leaves a lane: batches in order, under sequence numbers without a gap, the same one until it is acknowledged."""

from __future__ import annotations

import asyncio
from itertools import chain

from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.kafka.batches import ProducerId, batches_of
from bellwether.adapters.kafka.lane import Lane, Part, Ticket

NEW_BATCH = batches_of(ProducerId(7, 1), 400, None)


class Waiting:
    """Callers with records of these sizes, and the lane that they wait for."""

    def __init__(self, sizes: list[list[int]]) -> None:
        self.loop = asyncio.new_event_loop()
        self.lane = Lane(TopicPartition("events", 3), NEW_BATCH)
        self.tickets = [Ticket(self.loop.create_future(), 0.0) for _ in sizes]
        self.values = [
            [f"{caller}.{number}.".encode().ljust(size, b".") for number, size in enumerate(each)]
            for caller, each in enumerate(sizes)
        ]
        for ticket, values in zip(self.tickets, self.values, strict=True):
            self.lane.put(Part(b"north/acme", values, [], 1_700_000_000_000, ticket))

    def close(self) -> None:
        self.loop.close()


def read(batch: bytearray) -> list[bytes]:
    return [record.value or b"" for record in DefaultRecordBatch(bytes(batch))]


@given(st.lists(st.lists(st.integers(0, 900), min_size=1, max_size=6), min_size=1, max_size=8))
def test_all_records_leave_in_order_under_numbers_without_a_gap(sizes: list[list[int]]) -> None:
    waiting, sequence, sent = Waiting(sizes), 0, list[bytes]()
    more = True
    while more:
        parcel = waiting.lane.parcel()
        batch = DefaultRecordBatch(bytes(parcel.batch))
        assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (7, 1, sequence)
        assert parcel.records == len(read(parcel.batch)) > 0
        sent += read(parcel.batch)
        sequence += parcel.records
        whole = [sum(map(len, sizes[: caller + 1])) <= len(sent) for caller in range(len(sizes))]
        more = waiting.lane.acknowledged()
        assert [ticket.future.done() for ticket in waiting.tickets] == whole
    assert sent == list(chain(*waiting.values))
    waiting.close()


def test_a_batch_is_sent_again_as_it_was_whatever_came_meanwhile() -> None:
    waiting = Waiting([[10], [20]])
    first = bytes(waiting.lane.parcel().batch)
    late = Ticket(waiting.loop.create_future(), 0.0)
    waiting.lane.put(Part(b"north/acme", [b"late"], [], 1_700_000_000_000, late))
    assert bytes(waiting.lane.parcel().batch) == first
    assert waiting.lane.acknowledged()
    assert not late.future.done()
    assert read(waiting.lane.parcel().batch) == [b"late"]
    assert not waiting.lane.acknowledged()
    assert late.future.done()
    waiting.close()
