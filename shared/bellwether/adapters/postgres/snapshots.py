"""What a reader has seen: PostgreSQL's own snapshots, as texts that outlive a connection and a process.

Transactions do not become visible in the order of their numbers: one that began early may commit late. So no single
number tells what was seen; a snapshot does, with the numbers of those that were still running.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from bellwether.adapters.postgres.pool import Connection

PATTERN: Final = r"\d{1,19}:\d{1,19}:(?:\d{1,19}(?:,\d{1,19})*)?"
_SHAPE = re.compile(PATTERN, re.ASCII)

# Another cluster, another database, or the same one restored to an earlier state: its numbers mean something else.
_HERE = """
    SELECT pg_current_snapshot()::text AS snapshot,
        left(md5(concat_ws(' ', system_identifier, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), oid)), 8)
            AS lineage
    FROM pg_control_system(), pg_database WHERE datname = current_database()
"""


class Snapshot(NamedTuple):
    """Which transactions were visible: all below `least`, none from `beyond` on, and between them all but `running`."""

    least: int
    beyond: int
    running: frozenset[int] = frozenset()

    def sees(self, transaction: int) -> bool:
        """Whether what this transaction wrote was visible."""
        return transaction < self.least or (transaction < self.beyond and transaction not in self.running)

    def __str__(self) -> str:
        """As PostgreSQL writes it."""
        return f"{self.least}:{self.beyond}:{','.join(map(str, sorted(self.running)))}"


class Sighting(NamedTuple):
    """A snapshot, and the line of history in which it means anything: 8 hexadecimal digits."""

    lineage: str
    snapshot: Snapshot


def parse_snapshot(text: str) -> Snapshot:
    """A snapshot as PostgreSQL writes it. Raises ValueError for anything else."""
    if not _SHAPE.fullmatch(text):
        raise ValueError("is not a snapshot")
    least, beyond, running = text.split(":")
    found = Snapshot(int(least), int(beyond), frozenset(map(int, filter(None, running.split(",")))))
    if not all(found.least <= one < found.beyond for one in found.running) or found.least > found.beyond:
        raise ValueError("is not a snapshot")
    return found


async def read_sighting(connection: Connection) -> Sighting:
    """What the statements of this connection's transaction see; it must be repeatable-read."""
    row = await connection.fetchrow(_HERE)
    assert row is not None  # noqa: S101 - every connection has a database
    return Sighting(row["lineage"], parse_snapshot(row["snapshot"]))
