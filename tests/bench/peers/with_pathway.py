"""The job on pathway: grouped by brand and minute.

Its results are always up to date, so no window closes; nothing is persisted.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pathway as pw

from tests.bench.peers.job import Task, tell


class _Said(pw.Schema):  # type: ignore[misc] # it ships no types
    time: str
    brand: str
    reach: int = pw.column_definition(default_value=0)


def main() -> None:
    """Run to the end of the topic."""
    task, windows = Task.told(), dict[Any, tuple[int, int]]()
    settings = {
        "bootstrap.servers": task.bootstrap,
        "group.id": f"pathway-{secrets.token_hex(4)}",
        "auto.offset.reset": "earliest",
        "fetch.queue.backoff.ms": "10",
    }
    fields = {"brand": "/data/brand", "reach": "/data/reach"}
    said = pw.io.kafka.read(
        settings,
        task.topic,
        schema=_Said,
        format="json",
        json_field_paths=fields,
        mode="static",
        autocommit_duration_ms=1_000,
    )
    at = pw.this.time.dt.strptime("%Y-%m-%dT%H:%M:%S.%fZ")
    timed = said.select(pw.this.brand, pw.this.reach, minute=at.dt.floor(timedelta(minutes=1)))
    sums = timed.groupby(pw.this.brand, pw.this.minute).reduce(
        pw.this.brand, pw.this.minute, events=pw.reducers.count(), reach=pw.reducers.sum(pw.this.reach)
    )

    def keep(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:
        if is_addition:
            windows[row["brand"], row["minute"]] = row["events"], row["reach"]

    pw.io.subscribe(sums, keep)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, default_logging=False)
    tell(windows.values())


if __name__ == "__main__":
    main()
