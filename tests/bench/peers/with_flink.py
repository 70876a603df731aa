"""The job on Flink's SQL, through PyFlink: no Python in the way of an event; checkpoints each second.

`python -m tests.bench.peers.with_flink BOOTSTRAP TOPIC RECORDS FOLDER JAR`, with the jar of Flink's Kafka connector.
"""

from __future__ import annotations

import sys

from pyflink.table import EnvironmentSettings, TableEnvironment

from tests.bench.peers.job import LATE_S, Task, tell

_EVENTS = """
    CREATE TABLE events (
        `time` TIMESTAMP_LTZ(3),
        data ROW<brand STRING, reach BIGINT>,
        WATERMARK FOR `time` AS `time` - INTERVAL '{late_s}' SECOND
    ) WITH (
        'connector' = 'kafka', 'topic' = '{task.topic}', 'properties.bootstrap.servers' = '{task.bootstrap}',
        'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset',
        'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601'
    )
"""
_SUMS = """
    SELECT count(*), sum(coalesce(data.reach, 0))
    FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(`time`), INTERVAL '1' MINUTE))
    GROUP BY data.brand, window_start, window_end
"""


def main() -> None:
    """Run to the end of the topic."""
    task, jar = Task.told(), sys.argv[5]
    table = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    settings = {
        "pipeline.jars": f"file://{jar}",
        "parallelism.default": "1",
        "execution.checkpointing.interval": "1 s",
        "execution.checkpointing.dir": f"file://{task.folder}",
        "table.exec.resource.default-parallelism": "1",
    }
    for key, value in settings.items():
        table.get_config().set(key, value)
    table.execute_sql(_EVENTS.format(task=task, late_s=LATE_S))
    with table.execute_sql(_SUMS).collect() as rows:
        tell([(events, reach) for events, reach in rows])


if __name__ == "__main__":
    main()
