"""Produce requests and answers as Kafka's protocol has them, told by aiokafka's own encoding of it."""

from __future__ import annotations

from io import BytesIO

import pytest
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import RequestHeader_v1, ResponseHeader_v0
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.kafka.produce_request import ProduceAnswer, ProduceRequest

TOPICS = st.text("abc.-", min_size=1, max_size=9)
PARTITIONS = st.integers(0, 2**31 - 1)
BATCHES = st.dictionaries(TOPICS, st.lists(st.tuples(PARTITIONS, st.binary(max_size=40).map(bytearray)), max_size=3))
INT64 = st.integers(-(2**63), 2**63 - 1)
OUTCOMES = st.dictionaries(
    TOPICS, st.lists(st.tuples(PARTITIONS, st.integers(-1, 120), INT64, INT64, INT64), max_size=3)
)


@given(BATCHES, st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_a_request_is_the_bytes_that_the_protocol_asks_for(
    batches: dict[str, list[tuple[int, bytearray]]], timeout_ms: int, number: int
) -> None:
    request = ProduceRequest(batches, timeout_ms)
    topics = [(topic, [(part, bytes(batch)) for part, batch in each]) for topic, each in batches.items()]
    expected = ProduceRequest_v7(None, -1, timeout_ms, topics)
    assert request.encode() == expected.encode()
    head = RequestHeader_v1(expected, correlation_id=number, client_id="a client")
    assert request.build_request_header(number, "a client").encode() == head.encode()


@given(OUTCOMES, st.integers(0, 2**31 - 1))
def test_an_answer_tells_the_outcome_of_each_partition(
    outcomes: dict[str, list[tuple[int, int, int, int, int]]], number: int
) -> None:
    answer = BytesIO(ResponseHeader_v0(number).encode() + ProduceResponse_v7(list(outcomes.items()), 0).encode())
    assert ProduceRequest({}, 1).parse_response_header(answer).correlation_id == number
    told = [(topic, part, code) for topic, each in outcomes.items() for part, code, *_ in each]
    assert ProduceAnswer.decode(answer) == told


@pytest.mark.parametrize("versions", [{}, {0: (0, 6)}, {0: (8, 12)}])
def test_a_broker_that_does_not_know_the_version_is_refused(versions: dict[int, tuple[int, int]]) -> None:
    with pytest.raises(IncompatibleBrokerVersion):
        ProduceRequest({}, 1).prepare(versions)
    assert ProduceRequest({}, 1).prepare({0: (3, 12)}) is not None
