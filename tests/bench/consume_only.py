"""The ceiling of compute: reads records and does nothing. `python -m tests.bench.consume_only KAFKA TOPIC EVENTS`.

Prints records per second, per second of processor time, and MiB.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.bench.parts import PARTITIONS, resident_mib


async def consume(bootstrap: str, topic: str, count: int) -> None:
    """Read so many records as compute does, and print how fast."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=4 * 1024**2
    )
    await consumer.start()
    consumer.assign([TopicPartition(topic, part) for part in range(PARTITIONS)])
    started, used, seen, size = time.perf_counter(), time.process_time(), 0, 0
    while seen < count:
        for records in (await consumer.getmany(timeout_ms=100, max_records=4_000)).values():
            seen += len(records)
            size += sum(len(record.value) for record in records)
    wall, cpu = time.perf_counter() - started, time.process_time() - used
    await consumer.stop()
    print(count / wall, count / cpu, resident_mib(os.getpid()))


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], sys.argv[2], int(sys.argv[3])))
