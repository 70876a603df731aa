"""`bellwether tenants`: who owns brands and keys."""

from typing import Annotated

import typer

from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.postgres.tenants import TenantRecord, create_tenant, list_tenants
from bellwether_cli import options, terminal

app = typer.Typer(no_args_is_help=True, help="Tenants: who owns brands and keys.")


@app.command("create")
def create(
    slug: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens.")],
    name: Annotated[str | None, typer.Option(help="Name in full; default: the slug.")] = None,
    postgres: options.Postgres = options.POSTGRES,
) -> None:
    """Make a tenant."""
    terminal.run(_create(postgres, slug, name or slug))
    terminal.say(f"tenant {slug}")


@app.command("list")
def show(postgres: options.Postgres = options.POSTGRES) -> None:
    """List all tenants."""
    rows = [
        (tenant.slug, tenant.name, f"{tenant.created_at:%Y-%m-%d %H:%M}", tenant.brands)
        for tenant in terminal.run(_list(postgres))
    ]
    terminal.table(("slug", "name", "created (UTC)", "brands"), rows, numbers=("brands",))


async def _create(postgres: str, slug: str, name: str) -> None:
    async with open_pool(postgres) as pool, pool.transaction() as conn:
        await create_tenant(conn, slug, name)


async def _list(postgres: str) -> list[TenantRecord]:
    async with open_pool(postgres) as pool, pool.connection() as conn:
        return await list_tenants(conn)
