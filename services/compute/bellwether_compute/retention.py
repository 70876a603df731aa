"""Lets go of minutes that no window reaches any more, and of what the screen saw long ago. Hours and days stay."""

from __future__ import annotations

import asyncio
import time

import structlog

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


async def forget_old_minutes(pool: Pool) -> None:
    """Delete old minutes every hour, in small transactions, for ever."""
    while True:
        try:
            deleted = await delete_minutes_before(pool, int(time.time()) - _KEPT_S)
            log.info("old minutes are gone", rows=deleted)
            log.info("old traces are gone", rows=await delete_traces_before(pool, int(time.time()) - _SIGHTINGS_KEPT_S))
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("old minutes stay for now", error=str(error))
        await asyncio.sleep(_EVERY_S)


async def delete_minutes_before(pool: Pool, moment: int) -> int:
    """Delete rollups of minutes before a moment (UTC seconds); gives how many."""
    return await _delete(pool, _DELETE, moment)


async def delete_traces_before(pool: Pool, moment: int) -> int:
    """Delete what rules of the screen saw of subjects last touched before a moment (UTC seconds); gives how many."""
    tables = ("screen_trace", "screen_show")
    return sum([await _delete(pool, _FORGET.format(table=table), moment) for table in tables])


async def _delete(pool: Pool, query: str, moment: int) -> int:
    deleted = 0
    while (count := int((await pool.execute(query, moment)).rpartition(" ")[2])) > 0:
        deleted += count
    return deleted
