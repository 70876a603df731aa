"""Records with the fields that are needed, and nothing for the garbage collector to follow.

aiokafka reads records in C and then makes an object of eleven fields of each in Python, which costs more than the
reading: here five fields are made in C. Its own checks, positions and waits are all as they were.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """A record as it lies in the log; `timestamp` in ms since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def slim(consumer: AIOKafkaConsumer) -> None:
    """Let all that a consumer fetches come as LogRecords; before it has been given any partition."""
    consumer._fetcher._records = _Fetched()  # noqa: SLF001 - nothing public makes the objects another way


class _Fetched(OrderedDict[TopicPartition, Any]):
    """What was fetched and not polled yet, where aiokafka keeps it."""

    def __setitem__(self, part: TopicPartition, fetched: Any) -> None:
        if isinstance(fetched, FetchResult):
            fetched._partition_records._consumer_record = _log_record  # noqa: SLF001 - see above
        super().__setitem__(part, fetched)


def _log_record(part: TopicPartition, record: Any) -> LogRecord:
    return LogRecord(part.partition, record.offset, record.timestamp, record.key, record.value)
