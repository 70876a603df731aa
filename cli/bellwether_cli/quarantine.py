"""`bellwether quarantine`: what could not be counted, why, and once more through after a fix."""

import time
from collections import defaultdict
from typing import Annotated

import stamina
import typer

from bellwether.adapters.kafka.producer import Producer, ProducerSettings
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.postgres.quarantine import Quarantined, mark_replayed, waiting
from bellwether.domain.errors import Unavailable
from bellwether_cli import options, terminal

app = typer.Typer(no_args_is_help=True, help="Records that could not be counted, with their reasons.")

_SHOWN = 120

Reason = Annotated[str | None, typer.Option(help="Only records put aside for this reason.")]
OfTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="Only records of this tenant.")]
Limit = Annotated[int, typer.Option(min=1, help="At most this many, oldest first.")]


@app.command("list")
def show(
    reason: Reason = None,
    tenant: OfTenant = None,
    limit: Limit = 50,
    postgres: options.Postgres = options.POSTGRES,
) -> None:
    """List what waits in quarantine."""
    rows = [
        (
            record.origin,
            f"{record.recorded_at:%Y-%m-%d %H:%M:%S}",
            record.tenant,
            record.reason,
            record.detail,
            _shown(record),
        )
        for record in terminal.run(_waiting(postgres, reason, tenant, limit))
    ]
    terminal.table(("origin", "recorded (UTC)", "tenant", "reason", "detail", "begins with"), rows)


@app.command("replay")
def replay(
    *,
    reason: Reason = None,
    tenant: OfTenant = None,
    limit: Limit = 1000,
    topic: Annotated[str, typer.Option(help="Topic to write to.")] = options.EVENTS_TOPIC,
    kafka: options.Kafka = options.KAFKA,
    postgres: options.Postgres = options.POSTGRES,
) -> None:
    """Write the records to the log again, as they were. Whatever was counted meanwhile is not counted twice."""
    count = terminal.run(_replay(postgres, kafka, topic, reason=reason, tenant=tenant, limit=limit))
    terminal.say(f"{count} replayed")


def _shown(record: Quarantined) -> str:
    return (record.value or b"")[:_SHOWN].decode("utf-8", "replace")


async def _waiting(postgres: str, reason: str | None, tenant: str | None, limit: int) -> list[Quarantined]:
    async with open_pool(postgres) as pool, pool.connection() as conn:
        return await waiting(conn, reason=reason, tenant=tenant, limit=limit)


async def _replay(postgres: str, kafka: str, topic: str, *, reason: str | None, tenant: str | None, limit: int) -> int:
    settings = ProducerSettings(bootstrap=kafka, topics=(topic,), client_id="bellwether-quarantine")
    async with open_pool(postgres) as pool, Producer.open(settings) as producer:
        async with pool.connection() as conn:
            found = await waiting(conn, reason=reason, tenant=tenant, limit=limit)
        # Without its key a record belongs to no brand, and without its value there is nothing to write.
        records = [record for record in found if record.key and record.value]
        if records:
            await _write(producer, topic, records)
            async with pool.transaction() as conn:
                await mark_replayed(conn, records)  # after the acknowledgement: a crash between repeats, harmlessly
    return len(records)


async def _write(producer: Producer, topic: str, records: list[Quarantined]) -> None:
    values: dict[bytes, list[bytes]] = defaultdict(list)
    for record in records:
        values[record.key or b""].append(record.value or b"")
    async for attempt in stamina.retry_context(on=Unavailable, attempts=None, timeout=30.0):
        with attempt:
            await producer.produce(topic, values, int(time.time() * 1000))
