"""What callers ask of a backtest: the stretch, the cut and the settings to be tried, with their bounds."""

from typing import Annotated, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from bellwether.domain.clock import DAY_S
from bellwether.domain.detection import DEFAULTS, DetectorSettings, SimpleRule, parse_rule
from bellwether.domain.detection.simple_rules import FORMS
from bellwether_api.cuts import Cut, parse_cut
from bellwether_api.queries import Moment, reads

LONGEST_DAYS = 92
"""So long are the counts kept that a backtest reads."""

_MOST_RULES = 8
_Hours = Annotated[int, Field(ge=1, le=168)]
_Severity = Annotated[float, Field(gt=0, le=10)]


class TriedSettings(BaseModel):
    """Settings of the crisis detector to be tried; what is left out is as it is armed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open_severity: _Severity = DEFAULTS.open_severity
    close_severity: _Severity = DEFAULTS.close_severity
    quiet_hours: _Hours = DEFAULTS.quiet_hours
    grow_step: _Severity = DEFAULTS.grow_step
    span_minutes: Annotated[int, Field(ge=5, le=1440, multiple_of=5)] = DEFAULTS.span_minutes
    share_hours: Annotated[int, Field(ge=1, le=24)] = DEFAULTS.share_hours
    share_least: Annotated[int, Field(ge=1, le=100_000)] = DEFAULTS.share_least
    share_rise: Annotated[float, Field(ge=0, le=1)] = DEFAULTS.share_rise
    history_days: Annotated[int, Field(ge=1, le=28)] = DEFAULTS.history_days
    warm_up_hours: _Hours = DEFAULTS.warm_up_hours
    rare: Annotated[float, Field(gt=0.5, lt=1)] = DEFAULTS.rare
    least_excess: Annotated[float, Field(gt=0, le=1_000_000)] = DEFAULTS.least_excess
    least_growth: Annotated[float, Field(ge=0, le=1000)] = DEFAULTS.least_growth
    least_deviations: Annotated[float, Field(gt=0, le=1000)] = DEFAULTS.least_deviations
    gap_events: Annotated[float, Field(gt=0, le=1_000_000)] = DEFAULTS.gap_events
    renewal_hours: Annotated[int, Field(ge=1, le=24)] = DEFAULTS.renewal_hours

    @model_validator(mode="after")
    def _agree(self) -> Self:
        try:
            self.settings()
        except ValueError as error:
            raise PydanticCustomError("settings", "{detail}", {"detail": str(error)}) from None
        return self

    def settings(self) -> DetectorSettings:
        """The same for the detector. Raises ValueError for bounds that contradict each other."""
        return msgspec.convert(self.model_dump(), DetectorSettings)


_RULE = {"type": "string", "description": f"As {FORMS}.", "examples": ["zscore", "volume>100/h"]}
_MOMENT = {"type": "string", "format": "date-time", "examples": ["2026-10-01T00:00:00Z"]}


class BacktestIn(BaseModel):
    """What is to be told of the past."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=False)

    start: Annotated[
        Moment, WithJsonSchema(_MOMENT | {"description": "What opened at or after it is told, RFC 3339."})
    ] = Field(alias="from")
    to: Annotated[Moment, WithJsonSchema(_MOMENT | {"description": f"At most {LONGEST_DAYS} days later, RFC 3339."})]
    cut: Annotated[
        Cut | None,
        reads(parse_cut),
        WithJsonSchema({"type": "string", "description": "`channel=x` for one channel; nothing for the total."}),
    ] = None
    settings: TriedSettings = TriedSettings()
    rules: Annotated[
        tuple[Annotated[SimpleRule, reads(parse_rule), WithJsonSchema(_RULE)], ...],
        Field(max_length=_MOST_RULES, description="Other rules, to be compared with the detector."),
    ] = ()

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not 0 < self.to - self.start <= LONGEST_DAYS * DAY_S:
            raise PydanticCustomError("stretch", f"`to` must be after `from`, by {LONGEST_DAYS} days at most")
        if self.cut is not None and (self.cut.dimension != "channel" or self.cut.value is None):
            raise PydanticCustomError("cut", "`cut` must name one channel, as in channel=x: others are not watched")
        return self
