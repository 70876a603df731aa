"""From values inside to figures in answers."""

from bellwether.catalogue.evaluate import Value
from bellwether_api.moments import moment_at
from bellwether_api.shapes import Figure


def figure(value: Value) -> Figure:
    """A value with its moments as RFC 3339 and every field present."""
    return Figure(
        value=value.value,
        start=moment_at(value.start),
        end=moment_at(value.end),
        partial=value.partial,
        numerator=value.numerator,
        denominator=value.denominator,
        n=value.n,
        reason=value.reason,
        parts=value.parts,
        screened=value.screened,
    )
