"""The job on quixstreams: its tumbling windows in RocksDB, with a changelog topic for recovery."""

from __future__ import annotations

import secrets
from typing import Any

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Sum
from quixstreams.models import Deserializer

from tests.bench.peers.job import LATE_S, Task, decoder, tell

_IDLE_S = 20.0


class _Decoder(Deserializer):  # type: ignore[misc] # it ships no types
    def __call__(self, value: bytes, ctx: object) -> dict[str, object]:
        said = decoder.decode(value)
        return {"at": int(said.time.timestamp() * 1000), "reach": said.data.reach}


def main() -> None:
    """Run over so many records."""
    task, windows = Task.told(), dict[tuple[bytes, int], tuple[int, int]]()
    app = Application(
        task.bootstrap,
        consumer_group=f"quix-{secrets.token_hex(4)}",
        auto_offset_reset="earliest",
        state_dir=task.folder,
        commit_interval=1.0,
        loglevel="ERROR",
        consumer_extra_config={"fetch.queue.backoff.ms": 10},
    )
    topic = app.topic(task.topic, value_deserializer=_Decoder(), timestamp_extractor=lambda value, *_: value["at"])
    frame = app.dataframe(topic).tumbling_window(60_000, grace_ms=LATE_S * 1000)
    sums = frame.agg(events=Count(), reach=Sum("reach")).current()

    def keep(value: dict[str, Any], key: bytes, *_: object) -> None:
        windows[key, value["start"]] = value["events"], value["reach"]

    sums.update(keep, metadata=True)
    app.run(count=task.records, timeout=_IDLE_S, collect=False)
    tell(windows.values())


if __name__ == "__main__":
    main()
