"""Everything about alerts that runs beside the worker."""

from __future__ import annotations

import asyncio

import structlog

from bellwether.adapters.alerting.addresses import networks
from bellwether.adapters.alerting.client import Client
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.sealing import Sealer
from bellwether_compute.alert_canary import watch_deliveries, write_canaries
from bellwether_compute.alert_sender import AlertSender, SenderSettings
from bellwether_compute.settings import Settings

log = structlog.get_logger(__name__)

_RETRY_S = 1.0
_CONNECTIONS = 4


async def deliver_alerts(settings: Settings, name: str) -> None:
    """Deliver what is in the outbox, prove it by a canary, and watch over both, for ever; name: of this process."""
    while True:
        try:
            await _deliver(settings, name)
        except Exception:  # counting goes on whatever becomes of delivery; its canary tells
            log.exception("delivery of alerts begins anew")
        await asyncio.sleep(_RETRY_S)


async def _deliver(settings: Settings, name: str) -> None:
    keys = [key.get_secret_value() for key in (settings.alert_key, *settings.older_alert_keys) if key]
    own = SenderSettings(settings.postgres_dsn, name, settings.alert_canary_url)
    # Connections of its own: whatever it waits for, counting does not wait for it.
    database = open_pool(settings.postgres_dsn, application="bellwether-alerts", max_size=_CONNECTIONS)
    async with Client.open(networks(settings.alert_networks)) as client, database as pool:
        sender = AlertSender(own, pool, client, Sealer(*keys))
        await asyncio.gather(sender.run(), write_canaries(pool, settings.alert_canary_s), watch_deliveries(pool))
