"""Kafka's Produce request and its answer, packed by hand: generic schemas take longer than all else on the way.

A request is given to aiokafka's client, which sends it and finds its answer; see `AIOKafkaConnection.send`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any, ClassVar, NamedTuple, Self

from aiokafka.errors import IncompatibleBrokerVersion

_PRODUCE, _VERSION = 0, 7  # brokers know it since 2.1
_ALL_IN_SYNC_REPLICAS = -1
_NO_TRANSACTION = struct.pack(">h", -1)
_HEAD = struct.Struct(">hhih")
_TERMS = struct.Struct(">hii")
_SHORT = struct.Struct(">h")
_INT = struct.Struct(">i")
_PART = struct.Struct(">ii")
_OUTCOME = struct.Struct(">ihqqq")


class Outcome(NamedTuple):
    """What became of one partition's records: Kafka's error code, 0 for none."""

    topic: str
    partition: int
    error_code: int


class _Packed(NamedTuple):
    """Bytes where aiokafka expects something that it can encode."""

    content: bytes

    def encode(self) -> bytes:
        return self.content


class _AnswerHead(NamedTuple):
    correlation_id: int


class ProduceAnswer:
    """How aiokafka decodes the answer."""

    @staticmethod
    def decode(answer: BytesIO) -> list[Outcome]:
        """The outcome of each partition of the request. Raises struct.error for what is no such answer."""
        return list(_outcomes(answer.read()))


class ProduceRequest:
    """Batches of records for partitions that one broker leads, to be acknowledged by all in-sync replicas.

    `batches`: by topic, (partition, record batch in format 2) each; `timeout_ms`: how long the broker may wait for
    the replicas.
    """

    API_KEY: ClassVar = _PRODUCE
    API_VERSION: ClassVar = _VERSION
    RESPONSE_TYPE: ClassVar = ProduceAnswer

    def __init__(self, batches: Mapping[str, Sequence[tuple[int, bytearray]]], timeout_ms: int) -> None:
        self._batches = batches
        self._timeout_ms = timeout_ms

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> Self:
        """The request itself. Raises IncompatibleBrokerVersion where the broker does not know its version."""
        oldest, newest = versions.get(_PRODUCE, (0, 0))
        if not oldest <= _VERSION <= newest:
            raise IncompatibleBrokerVersion(f"Produce {_VERSION} is not in {oldest} … {newest}")
        return self

    def build_request_header(self, correlation_id: int, client_id: str) -> _Packed:
        """The head that precedes every request."""
        name = client_id.encode()
        return _Packed(_HEAD.pack(_PRODUCE, _VERSION, correlation_id, len(name)) + name)

    def encode(self) -> bytes:
        """The request without its head."""
        pieces: list[Any] = [_NO_TRANSACTION, _TERMS.pack(_ALL_IN_SYNC_REPLICAS, self._timeout_ms, len(self._batches))]
        for topic, batches in self._batches.items():
            name = topic.encode()
            pieces += (_SHORT.pack(len(name)), name, _INT.pack(len(batches)))
            for partition, batch in batches:
                pieces += (_PART.pack(partition, len(batch)), batch)
        return b"".join(pieces)

    def parse_response_header(self, answer: BytesIO) -> _AnswerHead:
        """The head of the answer."""
        return _AnswerHead(*_INT.unpack(answer.read(_INT.size)))


def _outcomes(answer: bytes) -> Iterable[Outcome]:
    (topics,), at = _INT.unpack_from(answer), _INT.size
    for _ in range(topics):
        (length,) = _SHORT.unpack_from(answer, at)
        at += _SHORT.size
        topic = answer[at : at + length].decode()
        (partitions,) = _INT.unpack_from(answer, at + length)
        at += length + _INT.size
        for partition, error_code, *_ in _OUTCOME.iter_unpack(answer[at : at + partitions * _OUTCOME.size]):
            yield Outcome(topic, partition, error_code)
        at += partitions * _OUTCOME.size
