"""Declared campaigns as callers send and read them."""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from bellwether.adapters.postgres.campaigns import Campaign
from bellwether_api.queries import Moment
from bellwether_api.shapes import Moment as Told


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("name", "must be printable")
    return text


class CampaignIn(BaseModel):
    """When a brand expects to be talked about more than usual."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_printable)]
    starts: Annotated[
        Moment, WithJsonSchema({"type": "string", "format": "date-time", "description": "Its first moment, RFC 3339."})
    ]
    ends: Annotated[
        Moment,
        WithJsonSchema(
            {"type": "string", "format": "date-time", "description": "From when on all is as usual, RFC 3339."}
        ),
    ]


class CampaignOut(Struct, frozen=True):
    """A declared campaign: more talk than usual is no crisis then; anger still is."""

    name: Annotated[str, Meta(description="Unique within the brand.")]
    starts: Told
    ends: Told


class CampaignList(Struct, frozen=True):
    """All declared campaigns of a brand, the earliest first."""

    items: list[CampaignOut]


def campaign_out(campaign: Campaign) -> CampaignOut:
    """A campaign as it is told of."""
    return CampaignOut(campaign.name, campaign.starts.replace(tzinfo=UTC), campaign.ends.replace(tzinfo=UTC))


_OUT = CampaignOut("spring", datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 27, tzinfo=UTC))
CAMPAIGN_ANSWERS = (CampaignOut, CampaignList)
CAMPAIGN_EXAMPLES = (_OUT, CampaignList([_OUT]))
