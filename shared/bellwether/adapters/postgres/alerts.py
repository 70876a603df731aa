"""The outbox of alerts: written in the transaction that makes them true, routed and sent afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bellwether.adapters.postgres.pool import Connection
from bellwether.domain.alerts import Alert

CHANNEL: Final = "bellwether_alert"
"""What is notified when something is to be routed or sent."""

_WRITE: Final = f"""
    WITH written AS (
        INSERT INTO alert (alert_id, tenant_id, brand_id, incident_id, kind, severity, at, title, cut, onset, evidence)
        SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::text[], $5::text[], $6::float8[], $7::bigint[],
            $8::text[], $9::text[], $10::bigint[], $11::text[])
        ON CONFLICT (alert_id) DO NOTHING RETURNING 1
    )
    SELECT pg_notify('{CHANNEL}', '') FROM (SELECT FROM written LIMIT 1) AS any_written
"""


async def write_alerts(connection: Connection, alerts: Sequence[Alert]) -> None:
    """Put alerts into the outbox, in the caller's transaction; one that is there already stays as it is.

    Senders are woken by the commit. Nothing is asked of Postgres where there is no alert.
    """
    if alerts:
        columns = zip(*(_row(alert) for alert in alerts), strict=True)
        await connection.execute(_WRITE, *(list(column) for column in columns))


async def wake_senders(connection: Connection) -> None:
    """Let senders look, when the caller's transaction commits, at what is due."""
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


def _row(alert: Alert) -> tuple[object, ...]:
    return (
        alert.id,
        alert.tenant_id,
        alert.brand_id,
        alert.incident,
        alert.kind.value,
        alert.severity,
        alert.at,
        alert.title,
        alert.cut,
        alert.onset,
        alert.evidence,
    )
