"""The job on faust, by brand and minute; it knows no watermarks.

`python -m tests.bench.peers.with_faust BOOTSTRAP TOPIC RECORDS FOLDER table|dict`: a table has a changelog topic for
recovery, a dict has none.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
from collections.abc import AsyncIterator
from typing import Any

import faust

from tests.bench.peers.job import Task, decoder, tell

_LAST_WRITES_S = 0.5


def main() -> None:
    """Run over so many records."""
    task = Task.told()
    app = faust.App(
        f"faust-{secrets.token_hex(4)}",
        broker=f"kafka://{task.bootstrap}",
        store="memory://",
        topic_disable_leader=True,
        topic_partitions=12,
        stream_wait_empty=False,
        datadir=str(task.folder),
        broker_session_timeout=10,
        broker_heartbeat_interval=2,
        web_enabled=False,
    )
    topic = app.topic(task.topic, value_serializer="raw", key_serializer="raw")
    table: Any = {}
    if sys.argv[5] == "table":
        table = app.Table("sums", default=tuple, key_type=str, value_type=tuple, partitions=12)
    seen = 0

    async def count(stream: AsyncIterator[bytes]) -> None:
        nonlocal seen
        async for raw in stream:
            said = decoder.decode(raw)
            key = f"{said.data.brand} {int(said.time.timestamp()) // 60}"
            events, reach = table.get(key) or (0, 0)
            table[key] = (events + 1, reach + said.data.reach)
            seen += 1
            if seen == task.records:
                tell(table.values())
                app.loop.call_later(_LAST_WRITES_S, os._exit, 0)

    app.agent(topic)(count)
    worker = faust.Worker(app, loglevel=logging.CRITICAL, redirect_stdouts=False, quiet=True)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
