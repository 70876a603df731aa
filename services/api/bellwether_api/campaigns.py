"""Declared campaigns over the API, by the same statements as the command."""

from bellwether.adapters.postgres.campaigns import Campaign, declare_campaign, list_campaigns, withdraw_campaign
from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Pool
from bellwether.domain.errors import Fault, Invalid
from bellwether.domain.keys import Caller
from bellwether_api.campaign_shapes import CampaignIn, CampaignList, CampaignOut, campaign_out
from bellwether_api.database import asking, changing
from bellwether_api.moments import moment_at


class Campaigns:
    """The campaigns of all brands."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self, who: Caller, brand: Brand) -> CampaignList:
        """Those of a brand, the earliest first. Raises Unavailable."""
        async with asking(self._pool) as connection:
            return CampaignList(list(map(campaign_out, await list_campaigns(connection, who.tenant, brand.slug))))

    async def declare(self, who: Caller, brand: Brand, new: CampaignIn) -> CampaignOut:
        """Declare one, or move the one of that name. Raises Invalid where it ends before it starts, Unavailable."""
        if new.ends <= new.starts:
            raise Invalid("Some values are not valid.", faults=(Fault("/ends", "must lie after `starts`"),))
        starts, ends = moment_at(new.starts), moment_at(new.ends)
        async with changing(self._pool) as connection:
            await declare_campaign(connection, who.tenant, brand.slug, new.name, starts, ends)
        return campaign_out(Campaign(new.name, starts, ends))

    async def withdraw(self, who: Caller, brand: Brand, name: str) -> None:
        """Forget one. Raises NotFound, Unavailable."""
        async with changing(self._pool) as connection:
            await withdraw_campaign(connection, who.tenant, brand.slug, name)
