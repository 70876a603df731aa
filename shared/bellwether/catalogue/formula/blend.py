"""One number of several."""

from __future__ import annotations

import msgspec

from bellwether.catalogue.formula.facts import Facts, Formula, Reading


class Blend(msgspec.Struct, frozen=True):
    """The mean of other formulas, of those that have a value.

    Formula: Σ values / how many have one.
    Undefined: where none has, with the reason of the first.
    Example: 80.0 by assessment and 70.0 by survey give 75.0; without a survey 80.0.
    """

    parts: tuple[Formula, ...]

    def read(self, facts: Facts) -> Reading:
        """The mean; denominator is how many parts have a value, n the sum of what they are made from."""
        readings = [part.read(facts) for part in self.parts]
        values = [reading.value for reading in readings if reading.value is not None]
        if not values:
            return Reading(None, None, 0, 0, readings[0].reason)
        n = sum(reading.n for reading in readings if reading.value is not None)
        return Reading(sum(values) / len(values), sum(values), len(values), n)

    def measures(self) -> tuple[str, ...]:
        """The measures of all parts."""
        return tuple(dict.fromkeys(measure for part in self.parts for measure in part.measures()))
