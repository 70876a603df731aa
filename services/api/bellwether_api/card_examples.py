"""Examples of scorecards, as OpenAPI shows them: made by the code that makes the answers."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.evaluate import Value
from bellwether.catalogue.kpi import Area, Line, Scorecard
from bellwether.domain.targets import Status
from bellwether_api.card_lines import Aim, CutReadings, card_of_cut
from bellwether_api.card_shapes import (
    Cause,
    IssuedHead,
    IssuedOut,
    IssuedPage,
    LineTarget,
    RestatedLine,
    Restatement,
    ScorecardOut,
)
from bellwether_api.definitions import DEFINITIONS

_BRAND = "acme-coffee"
_KEY = "share_of_voice"
_CARD = Scorecard("social-media-manager", "Social media manager", (Area("General", (Line(_KEY),)),))
_ID = UUID("0192b3a0-7c1e-7d4b-9a55-3f0e2d1c4b5a")


def _at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def _value(value: float, start: datetime, end: datetime, mentions: int) -> Value:
    return Value(
        value=value,
        start=int(start.timestamp()),
        end=int(end.timestamp()),
        numerator=mentions,
        denominator=400,
        n=400,
        partial=True,
        parts={"mentions": mentions, "competitor_mentions": 400 - mentions},
    )


_TARGET = LineTarget(
    id="0192a000-0000-7000-8000-000000000001",
    words="at least 70 % by 2026-10-31",
    deadline=_at(10, 31, 23),
    status=Status.AT_RISK,
    projected=66.0,
    projected_low=61.5,
    projected_high=70.5,
)
_READINGS = CutReadings(
    cut="",
    fresh_to=int(_at(10, 13, 12).timestamp()),
    kpis={_KEY: CATALOGUE[_KEY]},
    values={_KEY: _value(62.5, _at(9, 30, 22), _at(10, 13, 12), 250)},
    before={_KEY: _value(50.0, _at(8, 31, 22), _at(9, 12, 12), 200)},
    aims={_KEY: Aim(_TARGET, 62.5 / 70 * 100)},
    marks={},
)
_SCORECARD = ScorecardOut(
    brand=_BRAND,
    time_zone="Europe/Berlin",
    currency="EUR",
    role=_CARD.role,
    title=_CARD.title,
    period="2026-10",
    start=_at(9, 30, 22),
    end=_at(10, 13, 12),
    partial=True,
    as_of=_at(10, 13, 12),
    cuts=[card_of_cut(_CARD, _READINGS)],
)
_CUT = _SCORECARD.cuts[0]
_LINE = _CUT.areas[0].lines[0]

_HEAD = IssuedHead(
    id=_ID,
    brand=_BRAND,
    role=_CARD.role,
    period="2026-10",
    cut=None,
    partial=True,
    score=_CUT.score,
    rating=_CUT.rating,
    issued_at=_at(10, 13, 12),
    issued_by="4bLkH0q1Zx2P",
    note="Agreed with the head of marketing",
    content_hash=sha256(b"the card and its definitions").hexdigest(),
)
_RESTATEMENT = Restatement(
    known_at=_at(11, 2, 8),
    issued_score=_CUT.score,
    score=90.0,
    rating=5,
    changed=1,
    lines=[
        RestatedLine(
            kpi=_KEY,
            issued=62.5,
            today=63.0,
            difference=0.5,
            issued_attainment=_LINE.attainment,
            today_attainment=90.0,
            causes=[Cause.LATE_EVENTS],
        )
    ],
)

CARD_EXAMPLES = (
    _SCORECARD,
    _HEAD,
    IssuedPage([_HEAD], str(_ID)),
    IssuedOut(issued=_HEAD, card=_SCORECARD, definitions=[DEFINITIONS[_KEY]], restatement=_RESTATEMENT),
)
"""One of every shape of a whole answer."""
