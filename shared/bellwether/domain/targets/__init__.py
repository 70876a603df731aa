"""Targets: their forms, how far they are attained at a moment, and where they will stand at the deadline.

Everything here is pure: values in, judgements out.
"""

from bellwether.domain.targets.aims import Aim, Band, Bounds, Change, FromTo, Level, Maximum, against, bounds_of
from bellwether.domain.targets.attainment import (
    TOLERANCE,
    Attainment,
    Lack,
    Standing,
    Status,
    Tolerance,
    attain,
    status_of,
)
from bellwether.domain.targets.projection import (
    COVERAGE,
    DAYS_SEEN,
    FEWEST_DAYS,
    Method,
    Projection,
    by_drift,
    by_trend,
    ended,
)
from bellwether.domain.targets.smart import (
    FEWEST_PERIODS,
    PERIODS_SEEN,
    Check,
    Criterion,
    Finding,
    History,
    achievable,
)
from bellwether.domain.targets.target import Target, in_words, period_word, spelled
from bellwether.domain.targets.timeframes import By, During, Every, Frame, Timeframe, deadline, frame_at

__all__ = [
    "COVERAGE",
    "DAYS_SEEN",
    "FEWEST_DAYS",
    "FEWEST_PERIODS",
    "PERIODS_SEEN",
    "TOLERANCE",
    "Aim",
    "Attainment",
    "Band",
    "Bounds",
    "By",
    "Change",
    "Check",
    "Criterion",
    "During",
    "Every",
    "Finding",
    "Frame",
    "FromTo",
    "History",
    "Lack",
    "Level",
    "Maximum",
    "Method",
    "Projection",
    "Standing",
    "Status",
    "Target",
    "Timeframe",
    "Tolerance",
    "achievable",
    "against",
    "attain",
    "bounds_of",
    "by_drift",
    "by_trend",
    "deadline",
    "ended",
    "frame_at",
    "in_words",
    "period_word",
    "spelled",
    "status_of",
]
