"""Records with the fields that are needed, and nothing for the garbage collector to follow.

aiokafka reads records in C, and then makes an object of eleven fields of each in Python, which takes longer than the
reading: here five fields are made in C. Fetching, positions and waits are aiokafka's, as they were.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """A record as it lies in the log; `timestamp` in ms since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def slim(consumer: AIOKafkaConsumer) -> None:
    """Let all that a consumer fetches come as LogRecords; before it has been given any partition.

    The consumer reads uncommitted records, too, as is its default.
    """
    consumer._fetcher._records = _Fetched()  # noqa: SLF001 - nothing public makes the objects another way


class _Fetched(OrderedDict[TopicPartition, Any]):
    """What was fetched and not polled yet, where aiokafka keeps it."""

    def __setitem__(self, part: TopicPartition, fetched: Any) -> None:
        if isinstance(fetched, FetchResult):
            theirs = fetched._partition_records  # noqa: SLF001 - see above
            fetched._partition_records = _Unpacked(part, theirs._records, theirs.next_fetch_offset)  # noqa: SLF001
        super().__setitem__(part, fetched)


class _Unpacked:
    """The records of one partition in one answer, in the place of aiokafka's PartitionRecords.

    next_fetch_offset: after the last record that was taken
    """

    def __init__(self, part: TopicPartition, records: MemoryRecords, offset: int) -> None:
        self.next_fetch_offset = offset
        self._left = self._unpack(part, records)

    def __iter__(self) -> Iterator[LogRecord]:
        return self._left

    def __next__(self) -> LogRecord:
        return next(self._left)

    def _unpack(self, part: TopicPartition, records: MemoryRecords) -> Iterator[LogRecord]:
        number = part.partition
        while records.has_next():
            batch = records.next_batch()
            if not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {part}")
            for record in () if batch.is_control_batch else batch:
                offset = record.offset
                if offset >= self.next_fetch_offset:  # a batch comes whole, where reading begins amid it
                    self.next_fetch_offset = offset + 1
                    yield LogRecord(number, offset, record.timestamp, record.key, record.value)
            self.next_fetch_offset = batch.next_offset  # of a compacted batch the last records are missing
