"""The job on bytewax: its windows of event time, with snapshots for recovery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, run_main

from tests.bench.peers.job import LATE_S, Said, Task, decoder, tell

Sums = tuple[int, int]


def _decoded(messages: list[Any]) -> list[tuple[str, Said]]:
    return [(said.data.brand, said) for message in messages for said in (decoder.decode(message.value),)]


def _add(sums: Sums, said: Said) -> Sums:
    return sums[0] + 1, sums[1] + said.data.reach


def _merge(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1]


def main() -> None:
    """Run to the end of the topic."""
    task, windows = Task.told(), list[Any]()
    flow = Dataflow("job")
    source = KafkaSource([task.bootstrap], [task.topic], tail=False, batch_size=1_000)
    said = op.flat_map_batch("decode", op.input("log", flow, source), _decoded)
    clock = EventClock(lambda event: event.time, wait_for_system_duration=timedelta(seconds=LATE_S))
    minutes = TumblingWindower(length=timedelta(minutes=1), align_to=datetime(2020, 1, 1, tzinfo=UTC))
    sums = fold_window("sum", said, clock, minutes, lambda: (0, 0), _add, _merge, ordered=False)
    op.output("out", sums.down, TestingSink(windows))
    init_db_dir(task.folder, 1)
    run_main(flow, epoch_interval=timedelta(seconds=1), recovery_config=RecoveryConfig(str(task.folder)))
    tell(sums for _, (_, sums) in windows)


if __name__ == "__main__":
    main()
