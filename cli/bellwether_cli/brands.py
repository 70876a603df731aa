"""`bellwether brands`: brands, through the API."""

from typing import Annotated

import typer

from bellwether_cli import options, terminal
from bellwether_cli.api import BrandSpec, create_brand, list_brands, open_api

app = typer.Typer(no_args_is_help=True, help="Brands of the key's tenant.")


@app.command("create")
def create(
    slug: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens; events carry it.")],
    *,
    key: options.Key,
    name: Annotated[str | None, typer.Option(help="Name in full; default: the slug.")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA name; its days are the brand's days.")] = "UTC",
    currency: Annotated[str, typer.Option(help="ISO 4217 code of its reports.")] = "USD",
    competitor: Annotated[
        list[str] | None, typer.Option("--competitor", help="Slug of a tracked competitor; repeat for more.")
    ] = None,
    api: options.Api = options.API,
) -> None:
    """Make a brand. The key needs the scope admin."""
    spec = BrandSpec(slug, name or slug, time_zone, currency, tuple(competitor or ()))
    made = terminal.run(_create(api, key, spec))
    terminal.say(f"brand {slug}" + ("" if made else " exists already"))
    if not made:
        raise typer.Exit(1)


@app.command("list")
def show(key: options.Key, api: options.Api = options.API) -> None:
    """List the brands that the key may see."""
    brands = terminal.run(_list(api, key))
    rows = [(brand.slug, brand.name, brand.time_zone, brand.currency, " ".join(brand.competitors)) for brand in brands]
    terminal.table(("slug", "name", "time zone", "currency", "competitors"), rows)


async def _create(api: str, key: str, spec: BrandSpec) -> bool:
    async with open_api(api, key) as client:
        return await create_brand(client, spec)


async def _list(api: str, key: str) -> list[BrandSpec]:
    async with open_api(api, key) as client:
        return await list_brands(client)
