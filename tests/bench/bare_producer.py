"""aiokafka's producer and nothing else: `python -m tests.bench.bare_producer send|batch KAFKA TOPIC SECONDS`.

Either a `send` for each event, awaited by the thousand, or whole batches; acknowledged. Prints events per second, per
second of processor time, and MiB.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from itertools import cycle

from aiokafka import AIOKafkaProducer

from tests.bench.load import encoded
from tests.bench.parts import PARTITIONS, resident_mib

_EVENTS = 1_000
_AT_ONCE = 8


async def send(producer: AIOKafkaProducer, topic: str, part: int, values: list[bytes]) -> None:
    """A `send` for each event."""
    sent = [await producer.send(topic, value, partition=part) for value in values]
    await asyncio.gather(*sent)


async def batch(producer: AIOKafkaProducer, topic: str, part: int, values: list[bytes]) -> None:
    """One batch of all events."""
    made = producer.create_batch()
    for value in values:
        made.append(key=None, value=value, timestamp=None)
    made.close()
    await (await producer.send_batch(made, topic, partition=part))


async def main() -> None:
    """Produce for so long."""
    way, bootstrap, topic, seconds = sys.argv[1:]
    values, produce = [raw for _, raw in encoded(_EVENTS)], {"send": send, "batch": batch}[way]
    parts, sent = cycle(range(PARTITIONS)), 0
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=1024**2) as producer:
        started, used = time.perf_counter(), time.process_time()

        async def one_after_another() -> None:
            nonlocal sent
            while time.perf_counter() - started < float(seconds):
                await produce(producer, topic, next(parts), values)
                sent += _EVENTS

        await asyncio.gather(*(one_after_another() for _ in range(_AT_ONCE)))
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - used
        print(sent / wall_s, sent / cpu_s, resident_mib(os.getpid()))


if __name__ == "__main__":
    asyncio.run(main())
