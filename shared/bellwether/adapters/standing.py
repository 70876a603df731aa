"""How the log stands beside what Postgres knows of it, and an operator's decision to go on with a log that differs.

Compute halts a partition whose log is not the one that its offsets belong to. Here the same is found out without
compute, and a halted partition is given a new place to read on from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bellwether.adapters.kafka.fingerprint import fingerprint
from bellwether.adapters.kafka.log_reader import Record
from bellwether.adapters.kafka.reachability import cluster_id
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.domain.errors import Conflict, Unavailable

_WAIT_S = 30.0
_RECORD_S = 5.0
_OFFSETS_OF_A_LOG = 10**12
"""More than any partition has: by so much the places of a lost log are moved out of the way of the new one's."""
_GUARD = "SELECT cluster_id, partitions FROM stream_guard WHERE stream = $1"
_OFFSETS = "SELECT part, next_offset, last_fingerprint, owner FROM stream_offset WHERE stream = $1 ORDER BY part"
_MAKE_WAY = """
    UPDATE quarantine SET log_offset = log_offset - $4::bigint * (
        SELECT 1 + ceil(greatest(-min(log_offset), 0) / $4::bigint::numeric)::bigint
        FROM quarantine WHERE stream = $1 AND part = $2
    )
    WHERE stream = $1 AND part = $2 AND log_offset >= $3
"""
_COUNTED_SINCE = """
    UPDATE own_measure_start SET since_offset = least(since_offset, $3)
    WHERE stream = $1 AND part = $2 AND filled_at IS NULL
"""
_GO_ON = """
    UPDATE stream_offset
    SET next_offset = $3, last_fingerprint = NULL, epoch = epoch + 1, owner = NULL, updated_at = now()
    WHERE stream = $1 AND part = $2 AND next_offset = $4
"""
_OTHER_CLUSTER = "UPDATE stream_guard SET cluster_id = $2 WHERE stream = $1"


@dataclass(frozen=True, slots=True)
class Standing:
    """One partition. The log holds the offsets from `begins` to before `ends`; `next_offset` is to be applied next.

    halts: cluster, partitions, range or fingerprint where compute halts it, else None
    """

    part: int
    next_offset: int
    begins: int
    ends: int
    owner: str | None
    halts: str | None

    @property
    def missing(self) -> int:
        """How many records expired, or were deleted, before they were applied."""
        return max(0, self.begins - self.next_offset) if self.halts == "range" else 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The partitions in order, and the cluster that answers."""

    cluster: str
    partitions: list[Standing]


async def compare(pool: Pool, kafka_bootstrap: str, topic: str) -> Comparison:
    """What is in the log beside what Postgres knows of it; changes nothing.

    Raises Unavailable if Kafka does not answer, Conflict if the topic was never initialised.
    """
    guard = await pool.fetchrow(_GUARD, topic)
    if guard is None:
        raise Conflict(f"{topic} was never initialised: run `bellwether topics create`.")
    rows = await pool.fetch(_OFFSETS, topic)
    try:
        async with asyncio.timeout(_WAIT_S):
            cluster = await cluster_id(kafka_bootstrap)
            logs = await _logs(kafka_bootstrap, topic, rows)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka does not answer at {kafka_bootstrap}.") from error
    if cluster is None:
        raise Unavailable(f"Kafka does not answer at {kafka_bootstrap}.")
    general = _general(guard, cluster, len(logs))
    standings = [_standing(row, logs.get(row["part"]), general) for row in rows]
    return Comparison(cluster, standings)


async def go_on(pool: Pool, kafka_bootstrap: str, topic: str, parts: Sequence[int]) -> list[Standing]:
    """Let compute read halted partitions from the beginning of what the log holds; gives how they stood.

    What was counted stays counted, and a repeat of it is found. What was only in the lost log is lost. All in one
    transaction. Raises Conflict, and changes nothing, where a partition is not halted or cannot be gone on with.
    """
    found = await compare(pool, kafka_bootstrap, topic)
    chosen = [_decidable(found.partitions, part, len(parts)) for part in parts]
    async with pool.transaction() as connection:
        for standing in chosen:
            await _move(connection, topic, standing)
        if any(standing.halts == "cluster" for standing in chosen):
            await connection.execute(_OTHER_CLUSTER, topic, found.cluster)
    return chosen


async def _move(connection: Connection, topic: str, standing: Standing) -> None:
    place = (topic, standing.part, standing.begins)
    await connection.execute(_MAKE_WAY, *place, _OFFSETS_OF_A_LOG)
    await connection.execute(_COUNTED_SINCE, *place)
    if await connection.execute(_GO_ON, *place, standing.next_offset) == "UPDATE 0":
        raise Conflict(f"Partition {standing.part} has moved meanwhile.")


def _decidable(standings: Sequence[Standing], part: int, together: int) -> Standing:
    standing = next((one for one in standings if one.part == part), None)
    if standing is None:
        raise Conflict(f"There is no partition {part}.")
    if standing.halts is None:
        raise Conflict(f"Partition {part} is not halted: there is nothing to decide.")
    if standing.halts == "partitions":
        raise Conflict("The topic has another number of partitions: make it anew with the old one.")
    if standing.halts == "cluster" and together != len(standings):
        raise Conflict("Another cluster is decided on for all partitions at once.")
    return standing


def _general(guard: Row, cluster: str, partitions: int) -> str | None:
    """What halts every partition."""
    if guard["cluster_id"] != cluster:
        return "cluster"
    return "partitions" if guard["partitions"] != partitions else None


_Log = tuple[int, int, Record | None]
"""Where a partition begins and ends, and the record before the one that is to be applied next."""


def _standing(row: Row, log: _Log | None, general: str | None) -> Standing:
    begins, ends, last = log or (0, 0, None)
    halts = general or _particular(row, begins, ends, last)
    return Standing(row["part"], row["next_offset"], begins, ends, row["owner"], halts)


def _particular(row: Row, begins: int, ends: int, last: Record | None) -> str | None:
    """What halts this partition."""
    at, known = row["next_offset"], row["last_fingerprint"]
    if not begins <= at <= ends:
        return "range"
    if known is None or at <= begins:
        return None
    is_known = last is not None and last.offset == at - 1 and fingerprint(last) == known
    return None if is_known else "fingerprint"


async def _logs(bootstrap: str, topic: str, rows: Sequence[Row]) -> dict[int, _Log]:
    settings = {"enable_auto_commit": False, "auto_offset_reset": "none"}
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, **settings) as consumer:
        tps = [TopicPartition(topic, part) for part in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.unsubscribe()
        consumer.assign(tps)
        begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        places = {row["part"]: row["next_offset"] for row in rows}
        return {
            tp.partition: (begins[tp], ends[tp], await _before(consumer, tp, places.get(tp.partition), begins, ends))
            for tp in tps
        }


async def _before(
    consumer: AIOKafkaConsumer,
    tp: TopicPartition,
    place: int | None,
    begins: dict[TopicPartition, int],
    ends: dict[TopicPartition, int],
) -> Record | None:
    """The record right before a place, None where the log has none there."""
    if place is None or not begins[tp] < place <= ends[tp]:
        return None
    consumer.seek(tp, place - 1)
    async with asyncio.timeout(_RECORD_S):
        found: Record = await consumer.getone(tp)
    return found
