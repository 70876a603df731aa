"""Cuts as the API names them: `channel=instagram`, and `channel` for all of a dimension."""

import msgspec

from bellwether.adapters.postgres.pool import Connection
from bellwether.catalogue.cuts import DIMENSIONS, TOTAL, cut_name
from bellwether.domain.errors import Fault, Invalid

_LONGEST = 256

# A loose scan: one look-up per different cut instead of one per bucket.
_SEEN = """
    WITH RECURSIVE seen(cut) AS (
        (SELECT cut FROM rollup_day WHERE brand_id = $1 ORDER BY cut LIMIT 1)
        UNION ALL
        SELECT (SELECT r.cut FROM rollup_day r WHERE r.brand_id = $1 AND r.cut > seen.cut ORDER BY r.cut LIMIT 1)
        FROM seen WHERE seen.cut IS NOT NULL
    )
    SELECT cut FROM seen WHERE starts_with(cut, $2)
    UNION SELECT cut FROM kpi_current WHERE brand_id = $1 AND starts_with(cut, $2)
"""


class Cut(msgspec.Struct, frozen=True):
    """One value of a dimension, or every value of it where `value` is None."""

    dimension: str
    value: str | None


def parse_cut(text: str) -> Cut:
    """The cut of that name. Raises ValueError for an unknown dimension or a value that cannot be one."""
    dimension, separator, value = text.partition("=")
    if dimension not in DIMENSIONS:
        raise ValueError(f"must be one of {', '.join(DIMENSIONS)}, alone or with =value")
    if separator and not (0 < len(value) <= _LONGEST and value.isprintable()):
        raise ValueError("must name a value of the dimension, as in channel=instagram")
    return Cut(dimension, value if separator else None)


def one_cut(cut: Cut | None) -> str:
    """The name under which one cut is kept, the total where there is none. Raises Invalid for a whole dimension."""
    if cut is None:
        return TOTAL
    if cut.value is None:
        fault = Fault("/cut", "must name one value of its dimension, as in channel=instagram")
        raise Invalid("Some values are not valid.", faults=(fault,))
    return cut_name(cut.dimension, cut.value)


async def stored_cuts(connection: Connection, brand_id: int, cut: Cut | None) -> list[str]:
    """The names under which the cuts asked for are kept: the total, one, or every one seen so far, in order."""
    if cut is None:
        return [TOTAL]
    if cut.value is not None:
        return [f"{cut.dimension}={cut.value}"]
    rows = await connection.fetch(_SEEN, brand_id, f"{cut.dimension}=")
    return sorted(row["cut"] for row in rows)


def shown(stored: str) -> str | None:
    """A stored cut as the API names it: None for the total."""
    return None if stored == TOTAL else stored
