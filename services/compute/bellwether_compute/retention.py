"""Lets go of minutes that no window reaches any more, of what the screen saw long ago, and of alerts of crises long
over. Hours and days stay.

Identities stay for ever, too; small segments of them become few large ones, so that a claim reads few rows.
"""

from __future__ import annotations

import asyncio
import time

import structlog

from bellwether.adapters.postgres.alert_watch import forget_alerts
from bellwether.adapters.postgres.pool import Pool, is_transient
from bellwether.catalogue.screen import LONGEST_S
from bellwether.domain.clock import DAY_S
from bellwether.domain.windows import MINUTES_KEPT_S

log = structlog.get_logger(__name__)

_EVERY_S = 3600.0
# A day more than windows reach: what a worker still holds in memory is never deleted under it.
_KEPT_S = MINUTES_KEPT_S + DAY_S
_DELETE = """
    DELETE FROM rollup_minute WHERE ctid = ANY(ARRAY(SELECT ctid FROM rollup_minute WHERE bucket < $1 LIMIT 5000))
"""
_SIGHTINGS_KEPT_S = LONGEST_S + 9 * DAY_S
"""Traces of the screen are kept for so long after their last event: an event may be nine days late to be judged."""
_FORGET = """
    DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE touched_at < $1 LIMIT 5000))
"""
_FORGET_NOBODY = """
    DELETE FROM author_act WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM author_act WHERE author_id = '' AND recorded_at < $1 LIMIT 5000
    ))
"""
_ALERTS_KEPT_S = 90 * DAY_S
_SMALL_BYTES = 512 * 1024
_LARGE_BYTES = 1024 * 1024
_MANY = 16
_SCATTERED = f"""
    SELECT stream, part, event_day FROM dedup_segment WHERE length(entries) < {_SMALL_BYTES}
    GROUP BY stream, part, event_day HAVING count(*) >= {_MANY}
"""
# One statement: whoever reads sees the small ones or the large one. The large one takes the key of the first small one.
# What another worker merges is skipped, not waited for.
_MERGE = f"""
    WITH free AS (
        SELECT epoch, first_offset, length(entries) AS bytes FROM dedup_segment
        WHERE stream = $1 AND part = $2 AND event_day = $3 AND length(entries) < {_SMALL_BYTES}
        ORDER BY epoch, first_offset LIMIT 2000 FOR UPDATE SKIP LOCKED
    ), small AS (
        SELECT epoch, first_offset, sum(bytes) OVER (ORDER BY epoch, first_offset) AS bytes FROM free
    ), gone AS (
        DELETE FROM dedup_segment d USING small
        WHERE d.stream = $1 AND d.part = $2 AND d.event_day = $3
            AND (d.epoch, d.first_offset) = (small.epoch, small.first_offset) AND small.bytes <= {_LARGE_BYTES}
        RETURNING d.epoch, d.first_offset, d.entries
    )
    INSERT INTO dedup_segment (stream, part, event_day, epoch, first_offset, entries)
    SELECT $1, $2, $3, (array_agg(epoch ORDER BY epoch, first_offset))[1],
        (array_agg(first_offset ORDER BY epoch, first_offset))[1], string_agg(entries, '')
    FROM gone HAVING count(*) > 0
"""


async def forget_old_minutes(pool: Pool) -> None:
    """Delete old minutes and merge segments every hour, in small transactions, for ever."""
    while True:
        try:
            deleted = await delete_minutes_before(pool, int(time.time()) - _KEPT_S)
            log.info("old minutes are gone", rows=deleted)
            log.info("old traces are gone", rows=await delete_traces_before(pool, int(time.time()) - _SIGHTINGS_KEPT_S))
            log.info("old alerts are gone", rows=await forget_alerts(pool, int(time.time()) - _ALERTS_KEPT_S))
            log.info("segments are merged", merges=await merge_segments(pool))
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("old minutes stay for now", error=str(error))
        await asyncio.sleep(_EVERY_S)


async def delete_minutes_before(pool: Pool, moment: int) -> int:
    """Delete rollups of minutes before a moment (UTC seconds); gives how many."""
    return await _delete(pool, _DELETE, moment)


async def delete_traces_before(pool: Pool, moment: int) -> int:
    """Delete what rules of the screen saw of subjects last touched before a moment (UTC seconds), and comments of
    nobody recorded before it; gives how many.
    """
    queries = (*(_FORGET.format(table=table) for table in ("screen_trace", "screen_show")), _FORGET_NOBODY)
    return sum([await _delete(pool, query, moment) for query in queries])


async def _delete(pool: Pool, query: str, moment: int) -> int:
    deleted = 0
    while (count := int((await pool.execute(query, moment)).rpartition(" ")[2])) > 0:
        deleted += count
    return deleted


async def merge_segments(pool: Pool) -> int:
    """Merge segments of identities below 512 KiB, where a partition and day has many, into ones of up to 1 MiB.

    Gives how many merges that took. Which identities are stored does not change.
    """
    merges, merged = 0, True
    while merged:
        groups = await pool.fetch(_SCATTERED)
        tags = [await pool.execute(_MERGE, *group) for group in groups]
        merged = any(tag == "INSERT 0 1" for tag in tags)
        merges += tags.count("INSERT 0 1")
    return merges
