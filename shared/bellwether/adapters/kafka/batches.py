"""Batches of an idempotent producer: who it is, and what it writes into."""

import asyncio
from dataclasses import dataclass

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, NodeNotReadyError, NoError, for_code
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from bellwether.adapters.kafka.lane import Batch, NewBatch

_FORMAT = 2
_NO_LIMIT_MS = 60_000  # of a transaction; there is none
_CODECS = {
    None: DefaultRecordBatch.CODEC_NONE,
    "gzip": DefaultRecordBatch.CODEC_GZIP,
    "snappy": DefaultRecordBatch.CODEC_SNAPPY,
    "lz4": DefaultRecordBatch.CODEC_LZ4,
    "zstd": DefaultRecordBatch.CODEC_ZSTD,
}


@dataclass(frozen=True, slots=True)
class ProducerId:
    """The name under which brokers know a producer's sequence numbers."""

    number: int
    epoch: int


async def producer_id(client: AIOKafkaClient, retry_s: float) -> ProducerId:
    """A new one; asks until there is one. Raises what will not pass by itself."""
    while True:
        try:
            return await _ask(client)
        except KafkaError as error:
            if not error.retriable:
                raise
        await asyncio.sleep(retry_s)
        await client.force_metadata_update()


async def _ask(client: AIOKafkaClient) -> ProducerId:
    if (node := client.get_random_node()) is None:
        raise NodeNotReadyError("no broker is known")
    answer = await client.send(node, InitProducerIdRequest(None, _NO_LIMIT_MS))
    if (error := for_code(answer.error_code)) is not NoError:
        raise error
    return ProducerId(answer.producer_id, answer.producer_epoch)


def batches_of(producer: ProducerId, most_bytes: int, compression: str | None) -> NewBatch:
    """Makes batches of at most so many bytes before compression, unless a single record is larger."""
    codec = _CODECS[compression]

    def new_batch(sequence: int) -> Batch:
        batch: Batch = DefaultRecordBatchBuilder(
            _FORMAT, codec, 0, producer.number, producer.epoch, sequence, most_bytes
        )
        return batch

    return new_batch
