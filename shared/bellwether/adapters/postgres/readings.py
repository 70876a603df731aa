"""Reads everything from which the KPIs of a brand and cut are evaluated at a moment."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, cast

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Row
from bellwether.adapters.postgres.rollups import EVER, Line, load
from bellwether.catalogue.evaluate import LevelHistory, Sources, Undone
from bellwether.catalogue.measures import INTERACTION_COUNTERS, Audience
from bellwether.domain.clock import LocalClock
from bellwether.domain.timeline import Timeline, chunks_in
from bellwether.domain.totals import Totals, bin_of
from bellwether.domain.windows import Span

_CHANNEL = "channel="
# One look-up per account and edge of a span: the last snapshot before it.
_LEVELS = """
    SELECT a.audience, a.channel, a.account, last.observed_at, last.members
    FROM (SELECT DISTINCT audience, channel, account FROM audience_level
          WHERE brand_id = $1 AND ($2 = '' OR channel = $2)) a
    CROSS JOIN unnest($3::bigint[]) AS edge(moment)
    CROSS JOIN LATERAL (
        SELECT observed_at, members FROM audience_level l
        WHERE l.brand_id = $1 AND l.channel = a.channel AND l.audience = a.audience
          AND l.account = a.account AND l.observed_at < edge.moment AND l.recorded_at < $4
        ORDER BY observed_at DESC LIMIT 1
    ) last
    ORDER BY last.observed_at
"""
_RECEIPTS = """
    SELECT kind, received_at, known_on, answered_at, answer_known_on FROM receipt
    WHERE brand_id = $1 AND ($2 = '' OR channel = $2) AND received_at >= $3 AND received_at < $4
      AND (answered_at IS NULL OR answered_at >= $4 OR answer_known_on > $5)
    ORDER BY received_at
"""
_EARNED_LATER = f"""
    SELECT i.published_at, i.published_known_on, i.followers, i.followers_known_on, p.known_on,
           sum({" + ".join(f"p.{c}" for c in INTERACTION_COUNTERS)})::bigint AS interactions,
           sum(p.reach)::bigint AS reach, sum(p.impressions)::bigint AS impressions
    FROM content_point p JOIN content_item i USING (brand_id, channel, content_id)
    WHERE p.brand_id = $1 AND ($2 = '' OR p.channel = $2) AND p.minute >= $4
      AND i.published_at >= $3 AND i.published_at < $4
    GROUP BY i.brand_id, i.channel, i.content_id, p.known_on
"""


def account_key(channel: str, account: str) -> str:
    """The name under which an account's audience is kept: accounts of two networks differ."""
    return f"{channel} {account}"


async def read_sources(
    connection: Connection,
    brand: Brand,
    cut: str,
    spans: Collection[Span],
    clock: LocalClock,
    known_on: int = EVER,
    known_before: int = 2**62,
) -> Sources:
    """Sources for spans that all end at about the same moment.

    cut: '' or 'channel=…'
    known_on, known_before: leave out what was recorded on a later local day, or later
    """
    line, channel = Line(brand.brand_id, cut), cut.removeprefix(_CHANNEL)
    timeline = Timeline(clock)
    await load(connection, {line: timeline}, {line: chunks_in(spans, clock)}, known_on)
    start = min(span.start for span in spans)
    end = max(span.end for span in spans)
    edges = sorted({edge for span in spans for edge in (span.start, span.end)})
    levels = await connection.fetch(_LEVELS, brand.brand_id, channel, edges, known_before)
    receipts = await connection.fetch(_RECEIPTS, brand.brand_id, channel, start, end, known_on)
    earned = await connection.fetch(_EARNED_LATER, brand.brand_id, channel, start, end)
    known = _Knowledge(clock, known_on)
    undone = [_unanswer(row) for row in receipts if _answered_after(row, end, known)]
    undone += [_unearn(row, known) for row in earned if _is_counted(row, known)]
    return Sources(timeline, _audiences(levels), _waiting(receipts, end, known), undone)


class _Knowledge(NamedTuple):
    """What was recorded up to the end of a local day."""

    clock: LocalClock
    known_on: int

    def holds(self, moment: int, known_on: int | None) -> bool:
        """Whether the rollups of a moment, as known then, hold what was recorded on this day."""
        return known_on is not None and known_on <= max(self.known_on, self.clock.day(moment))


def _answered_after(row: Row, end: int, known: _Knowledge) -> bool:
    """Whether an answer that is in the rollups came at or after the end."""
    answered_at = row["answered_at"]
    return answered_at is not None and answered_at >= end and known.holds(row["received_at"], row["answer_known_on"])


def _is_counted(row: Row, known: _Knowledge) -> bool:
    """Whether what an item earned is in the rollups of its publication."""
    published_at = row["published_at"]
    return known.holds(published_at, row["published_known_on"]) and known.holds(published_at, row["known_on"])


def _waits(row: Row, end: int, known: _Knowledge) -> bool:
    """Whether a message was known, and no answer before the end was."""
    is_answered = known.holds(row["received_at"], row["answer_known_on"]) and row["answered_at"] < end
    return known.holds(row["received_at"], row["known_on"]) and not is_answered


def _audiences(rows: Collection[Row]) -> dict[Audience, dict[str, LevelHistory]]:
    found: dict[Audience, dict[str, LevelHistory]] = {}
    for row in rows:
        accounts = found.setdefault(cast(Audience, row["audience"]), {})
        account = account_key(row["channel"], row["account"])
        history = accounts.setdefault(account, LevelHistory([], []))
        history.put(row["observed_at"], row["members"])
    return found


def _waiting(rows: Collection[Row], end: int, known: _Knowledge) -> dict[str, list[int]]:
    waiting = [row for row in rows if _waits(row, end, known)]
    return {
        "messages": [row["received_at"] for row in waiting],
        "queries": [row["received_at"] for row in waiting if row["kind"] == "query"],
    }


def answered(kind: str, seconds: int, sign: int) -> Totals:
    """What one answer adds to the totals of the moment at which its message was received."""
    totals: Totals = {"messages_answered": sign, "response_time": {bin_of(seconds): sign}}
    if kind == "query":
        totals["queries_answered"] = sign
        totals["query_response_seconds"] = sign * seconds
        totals["query_response_time"] = {bin_of(seconds): sign}
    return totals


def _unanswer(row: Row) -> Undone:
    received, answered_at = row["received_at"], row["answered_at"]
    return Undone(received, answered(row["kind"], answered_at - received, -1))


def _unearn(row: Row, known: _Knowledge) -> Undone:
    interactions = -row["interactions"]
    totals: Totals = {
        "item_interactions": interactions,
        "item_reach": -row["reach"],
        "item_impressions": -row["impressions"],
    }
    if row["followers"] is not None and known.holds(row["published_at"], row["followers_known_on"]):
        totals["item_interactions_followed"] = interactions
    return Undone(row["published_at"], totals)
