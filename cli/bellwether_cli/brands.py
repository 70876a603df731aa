"""`bellwether brands`: brands, through the API."""

from typing import Annotated

import typer

from bellwether.domain.business_hours import ClosedAnswer
from bellwether.domain.response_times import RESPONSE_TARGET_S, THREAD_GAP_S
from bellwether_cli import options, terminal
from bellwether_cli.api import BrandSpec, create_brand, list_brands, open_api
from bellwether_cli.hours import read_holidays, read_week

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
    hours: Annotated[
        list[str] | None,
        typer.Option(help="Business hours, as mon-fri=09:00-17:00; repeat for more. Default: around the clock."),
    ] = None,
    holiday: Annotated[
        list[str] | None, typer.Option(help="A date that is closed, or has hours: 2026-12-24=10:00-12:00; repeatable.")
    ] = None,
    closed_answers: Annotated[
        ClosedAnswer, typer.Option(help="The business time of a message received and answered while closed.")
    ] = ClosedAnswer.ZERO,
    response_target_s: Annotated[
        int, typer.Option(min=1, help="How soon an answer should come, in seconds of business hours.")
    ] = RESPONSE_TARGET_S,
    thread_gap_s: Annotated[
        int, typer.Option(min=1, help="After how many seconds a conversation starts anew.")
    ] = THREAD_GAP_S,
    api: options.Api = options.API,
) -> None:
    """Make a brand. The key needs the scope admin."""
    spec = BrandSpec(
        slug,
        name or slug,
        time_zone,
        currency,
        tuple(competitor or ()),
        read_week(hours or ()),
        read_holidays(holiday or ()),
        closed_answers.value,
        response_target_s,
        thread_gap_s,
    )
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
