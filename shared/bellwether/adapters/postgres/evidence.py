"""Evidence of crises as it is stored: one for the opening and one for the peak of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import msgspec

from bellwether.adapters.postgres.pool import Connection, Pool
from bellwether.domain.clock import DAY_S
from bellwether.domain.evidence import IncidentEvidence, Span
from bellwether.domain.occasions import OCCASIONS, Occasion, Sought

COLLECTED_FOR_S: Final = 7 * DAY_S
"""Evidence is collected for so long after the last step of a crisis was taken in."""
_DUE = f"""
    SELECT i.brand_id, i.incident_id, i.steps FROM incident i
    WHERE i.recorded_at >= extract(epoch FROM now())::bigint - {COLLECTED_FOR_S} AND i.brand_id = ANY($1::int[])
        AND {len(OCCASIONS)} > (
            SELECT count(*) FROM incident_evidence e
            WHERE e.brand_id = i.brand_id AND e.incident_id = i.incident_id AND e.steps >= i.steps
        )
    ORDER BY i.recorded_at DESC, i.brand_id, i.incident_id LIMIT $2
"""
_KEPT = """
    SELECT occasion, since, at, channel, severity FROM incident_evidence WHERE brand_id = $1 AND incident_id = $2
"""
_CONFIRM = """
    UPDATE incident_evidence SET steps = $4
    WHERE brand_id = $1 AND incident_id = $2 AND occasion = ANY($3::text[]) AND steps < $4
"""
# Whoever knows more steps writes over it; of two who know as many the first one stays.
_WRITE = """
    INSERT INTO incident_evidence AS stored
        (brand_id, incident_id, steps, occasion, since, at, channel, severity, evidence)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)
    ON CONFLICT (brand_id, incident_id, occasion) DO UPDATE
    SET (steps, since, at, channel, severity, evidence, taken_at) = (
        excluded.steps, excluded.since, excluded.at, excluded.channel, excluded.severity, excluded.evidence,
        excluded.taken_at
    )
    WHERE stored.steps < excluded.steps
"""
_READ = "SELECT occasion, evidence::text FROM incident_evidence WHERE brand_id = $1 AND incident_id = $2"
_decode = msgspec.json.Decoder(IncidentEvidence).decode


class DueEvidence(NamedTuple):
    """A crisis whose evidence is missing, or may be another one by these many steps."""

    brand_id: int
    incident_id: str
    steps: int


class Kept(NamedTuple):
    """Of what evidence is stored."""

    span: Span
    severity: float | None


async def due_evidence(pool: Pool, brand_ids: Collection[int], most: int) -> list[DueEvidence]:
    """Crises of these brands whose evidence is to be looked at, the latest steps first."""
    return [DueEvidence(*row) for row in await pool.fetch(_DUE, list(brand_ids), most)]


async def kept_evidence(connection: Connection, due: DueEvidence) -> dict[Occasion, Kept]:
    """Of what evidence of a crisis is stored."""
    rows = await connection.fetch(_KEPT, due.brand_id, due.incident_id)
    return {occasion: Kept(Span(since, at, channel), severity) for occasion, since, at, channel, severity in rows}


async def confirm_evidence(connection: Connection, due: DueEvidence, occasions: Collection[Occasion]) -> None:
    """Note that these steps ask for no other evidence than is stored."""
    await connection.execute(_CONFIRM, due.brand_id, due.incident_id, list(occasions), due.steps)


async def write_evidence(
    connection: Connection, due: DueEvidence, found: Mapping[Occasion, tuple[Sought, IncidentEvidence]]
) -> None:
    """Store evidence in place of what less steps told; what as many steps told stays."""
    for occasion, (sought, evidence) in found.items():
        since, at, channel = sought.span
        told = msgspec.json.encode(evidence).decode()
        await connection.execute(_WRITE, *due, occasion, since, at, channel, sought.severity, told)


async def read_evidence(connection: Connection, brand_id: int, incident_id: str) -> dict[Occasion, IncidentEvidence]:
    """The evidence of a crisis as far as it is stored."""
    return {row[0]: _decode(row[1]) for row in await connection.fetch(_READ, brand_id, incident_id)}
