"""Records that compute put aside, with their reason and their original bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bellwether.adapters.postgres.pool import Connection, Row

_WAITING = """
    select stream, part, log_offset, tenant.slug as tenant, reason, detail, record_key, record_value, recorded_at
    from quarantine left join tenant using (tenant_id)
    where replayed_at is null
      and ($1::text is null or reason = $1) and ($2::text is null or tenant.slug = $2)
    order by recorded_at, stream, part, log_offset
    limit $3
"""
_REPLAYED = """
    update quarantine set replayed_at = now()
    where (stream, part, log_offset) in (select * from unnest($1::text[], $2::int[], $3::bigint[]))
"""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One record as it was read from the log. `tenant` is None where not even that could be told."""

    stream: str
    part: int
    log_offset: int
    tenant: str | None
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    recorded_at: datetime

    @property
    def origin(self) -> str:
        """Where it was read: stream, partition and offset."""
        return f"{self.stream}-{self.part}-{self.log_offset}"


async def waiting(
    conn: Connection, *, reason: str | None = None, tenant: str | None = None, limit: int = 100
) -> list[Quarantined]:
    """Records that nobody replayed yet, oldest first, optionally of one reason or tenant."""
    return [_record(row) for row in await conn.fetch(_WAITING, reason, tenant, limit)]


async def mark_replayed(conn: Connection, records: Sequence[Quarantined]) -> None:
    """Note that the records were written to the log again; they are listed no more."""
    await conn.execute(
        _REPLAYED,
        [record.stream for record in records],
        [record.part for record in records],
        [record.log_offset for record in records],
    )


def _record(row: Row) -> Quarantined:
    return Quarantined(
        stream=row["stream"],
        part=row["part"],
        log_offset=row["log_offset"],
        tenant=row["tenant"],
        reason=row["reason"],
        detail=row["detail"],
        key=row["record_key"],
        value=row["record_value"],
        recorded_at=row["recorded_at"],
    )
