"""`bellwether rebuild`: own measures for the past, from the log."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bellwether.domain.errors import Unavailable
from bellwether_cli import options, terminal

if TYPE_CHECKING:
    from bellwether_compute.filling import Filled


def rebuild(
    *,
    tenant: options.Tenant,
    topic: Annotated[str, typer.Option(help="Topic to read from.")] = options.EVENTS_TOPIC,
    kafka: options.Kafka = options.KAFKA,
    postgres: options.Postgres = options.POSTGRES,
) -> None:
    """Count own measures in what the log held before they were defined, as far back as it is kept.

    The services go on meanwhile; what is filled is added at once for each partition, and only once.
    """
    try:
        from bellwether_compute.filling import fill  # noqa: PLC0415 - an extra: only this command counts events
    except ImportError as error:
        raise Unavailable("This needs the package bellwether-compute: install the extra `rebuild`.") from error
    filled = terminal.run(fill(kafka, postgres, topic, tenant, terminal.note))
    if not filled:
        terminal.say("nothing to fill: every measure is counted from the beginning or filled already")
        return
    terminal.table(
        ("partition", "measures", "events", "from"),
        [(one.part, " ".join(one.measures), one.events, _reach(one)) for one in filled],
        numbers=("partition", "events"),
    )


def _reach(filled: "Filled") -> str:
    if filled.reaches_back_to is None:
        return "nothing was before"
    since = datetime.fromtimestamp(filled.reaches_back_to / 1000, UTC)
    return f"{since:%Y-%m-%d %H:%M:%S} UTC" + ("" if filled.first == 0 else ", as far as the log is kept")
