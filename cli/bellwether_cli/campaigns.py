"""`bellwether campaigns`: when a brand expects to be talked about more than usual."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from bellwether.adapters.postgres.campaigns import Campaign, declare_campaign, list_campaigns, withdraw_campaign
from bellwether.adapters.postgres.pool import open_pool
from bellwether_cli import options, terminal

app = typer.Typer(no_args_is_help=True, help="Campaigns: when more talk than usual is welcome, and no crisis.")

Brand = Annotated[str, typer.Argument(help="Slug of the brand.")]
Name = Annotated[str, typer.Argument(help="Name of the campaign.")]
_FORMATS = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"]


@app.command("declare")
def declare(
    brand: Brand,
    name: Name,
    *,
    tenant: options.Tenant,
    starts: Annotated[datetime, typer.Option(help="Its first moment, UTC.", formats=_FORMATS)],
    ends: Annotated[datetime, typer.Option(help="The moment from which on all is as usual, UTC.", formats=_FORMATS)],
    postgres: options.Postgres = options.POSTGRES,
) -> None:
    """Declare a campaign, or move one. The detector knows of it within some seconds."""
    terminal.run(_declare(postgres, tenant, brand, name, starts.replace(tzinfo=UTC), ends.replace(tzinfo=UTC)))
    terminal.say(f"campaign {name} of {brand}")


@app.command("withdraw")
def withdraw(
    brand: Brand, name: Name, *, tenant: options.Tenant, postgres: options.Postgres = options.POSTGRES
) -> None:
    """Forget a campaign."""
    terminal.run(_withdraw(postgres, tenant, brand, name))
    terminal.say(f"campaign {name} of {brand} is withdrawn")


@app.command("list")
def show(brand: Brand, *, tenant: options.Tenant, postgres: options.Postgres = options.POSTGRES) -> None:
    """List the campaigns of a brand, the earliest first."""
    rows = [
        (one.name, f"{one.starts:%Y-%m-%d %H:%M}", f"{one.ends:%Y-%m-%d %H:%M}")
        for one in terminal.run(_list(postgres, tenant, brand))
    ]
    terminal.table(("name", "starts (UTC)", "ends (UTC)"), rows)


async def _declare(postgres: str, tenant: str, brand: str, name: str, starts: datetime, ends: datetime) -> None:
    async with open_pool(postgres) as pool, pool.connection() as connection:
        await declare_campaign(connection, tenant, brand, name, starts, ends)


async def _withdraw(postgres: str, tenant: str, brand: str, name: str) -> None:
    async with open_pool(postgres) as pool, pool.connection() as connection:
        await withdraw_campaign(connection, tenant, brand, name)


async def _list(postgres: str, tenant: str, brand: str) -> list[Campaign]:
    async with open_pool(postgres) as pool, pool.connection() as connection:
        return await list_campaigns(connection, tenant, brand)
