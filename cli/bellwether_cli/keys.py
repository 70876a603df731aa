"""`bellwether keys`: API keys, straight in the database, so that the first one can be made."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from bellwether.adapters.postgres import keys as store
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.postgres.tenants import tenant_id
from bellwether.domain.keys import Scope
from bellwether_cli import options, terminal

app = typer.Typer(no_args_is_help=True, help="API keys of a tenant.")


@app.command("create")
def create(
    *,
    tenant: options.Tenant,
    pepper: options.Pepper,
    name: Annotated[str, typer.Option(help="What the key is for; it is shown in lists.")],
    scope: Annotated[list[Scope], typer.Option("--scope", "-s", help="What it may do; repeat for more.")],
    brand: Annotated[
        list[str] | None, typer.Option("--brand", help="Limit it to this brand; repeat for more. Default: all.")
    ] = None,
    days: Annotated[float | None, typer.Option(min=0, help="Days until it expires; default: never.")] = None,
    postgres: options.Postgres = options.POSTGRES,
) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    key = terminal.run(
        create_key(postgres, pepper, tenant, name=name, scopes=scope, brands=brand or None, expires=expires)
    )
    terminal.note("the key is shown this once; keep it somewhere safe")
    terminal.say(key)


@app.command("list")
def show(tenant: options.Tenant, postgres: options.Postgres = options.POSTGRES) -> None:
    """List the keys of a tenant, revoked and expired ones too; the keys themselves are not known."""
    rows = [
        (
            key.key_id,
            key.name,
            _state(key),
            " ".join(key.scopes),
            "all" if key.brands is None else " ".join(key.brands),
            f"{key.created_at:%Y-%m-%d %H:%M}",
        )
        for key in terminal.run(_list(postgres, tenant))
    ]
    terminal.table(("id", "name", "state", "scopes", "brands", "created (UTC)"), rows)


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id as `keys list` shows it, not the key.")],
    tenant: options.Tenant,
    postgres: options.Postgres = options.POSTGRES,
) -> None:
    """End a key for good; running services notice within seconds."""
    terminal.run(_revoke(postgres, tenant, key_id))
    terminal.say(f"revoked {key_id}")


def _state(key: store.KeyRecord) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is None:
        return "valid"
    return f"{'expired' if key.expires_at <= datetime.now(UTC) else 'until'} {key.expires_at:%Y-%m-%d}"


async def create_key(
    postgres: str,
    pepper: str,
    tenant: str,
    *,
    name: str,
    scopes: list[Scope],
    brands: list[str] | None = None,
    expires: datetime | None = None,
) -> str:
    """Make a key for a tenant and give it. Raises UnknownTenant, UnknownBrand, Invalid."""
    async with open_pool(postgres) as pool, pool.transaction() as conn:
        owner = await tenant_id(conn, tenant)
        return await store.create_key(conn, owner, name, scopes, brands, expires, pepper)


async def _list(postgres: str, tenant: str) -> list[store.KeyRecord]:
    async with open_pool(postgres) as pool, pool.connection() as conn:
        return await store.list_keys(conn, await tenant_id(conn, tenant))


async def _revoke(postgres: str, tenant: str, key_id: str) -> None:
    async with open_pool(postgres) as pool, pool.transaction() as conn:
        await store.revoke_key(conn, await tenant_id(conn, tenant), key_id)
