"""The moments of a crisis of which evidence is kept: its opening and its peak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from bellwether.domain.clock import HOUR_S
from bellwether.domain.evidence import Span
from bellwether.domain.incidents import SCORES, Step, taken

Occasion = Literal["opening", "peak"]
OCCASIONS: Final[tuple[Occasion, ...]] = ("opening", "peak")
UNTOLD_S: Final = HOUR_S
"""An episode whose onset nobody told of is looked at for so long."""
_WEIGHING = frozenset({"opened", "escalated", "reopened"})
_CHANNEL = "channel="


class Sought(NamedTuple):
    """What evidence is to be kept of.

    severity: from 0 to 10 as the step told it; None where it told none
    step: the step it is of
    """

    span: Span
    severity: float | None
    step: Step


class _Numbers(msgspec.Struct):
    cut: str | None = None


_numbers = msgspec.json.Decoder(_Numbers)


def occasions(steps: Mapping[Step, object]) -> dict[Occasion, Sought]:
    """What is to be kept of a crisis by the set of its steps; nothing of one that was never opened.

    The peak is the first of the steps that told the highest severity when the crisis opened, grew or flared up. That a
    closing tells a higher one does not count: it does not say when that was.
    """
    told = [move.step for move in taken(steps)]
    if not told:
        return {}
    weighing = [step for step in told if step.phase in _WEIGHING]
    peak = max(weighing, key=lambda step: -1.0 if (weight := _weight(step)) is None else weight)
    return {"opening": _sought(told[0], told[0]), "peak": _sought(peak, told[0])}


def _weight(step: Step) -> float | None:
    word = step.word
    return SCORES[word.severity] if word.score is None and word.severity else word.score


def _sought(step: Step, opening: Step) -> Sought:
    onsets = [word.onset for word in (step.word, opening.word) if word.onset is not None]
    since = min(onsets[0] if onsets else step.at - UNTOLD_S, step.at)
    return Sought(Span(max(0, since), step.at, _channel(step, opening)), _weight(step), step)


def _channel(step: Step, opening: Step) -> str:
    """The channel in which it was seen: a detector tells with each step, anybody else with the opening."""
    seen_in = _numbers.decode(step.word.numbers).cut if step.word.numbers else None
    cuts = opening.cuts if seen_in is None else (seen_in,)
    return next((cut.removeprefix(_CHANNEL) for cut in cuts if cut.startswith(_CHANNEL)), "")
