"""Whether a Kafka cluster is there, and which one."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

_DEADLINE_S = 5.0


async def cluster_id(bootstrap: str, deadline_s: float = _DEADLINE_S) -> str | None:
    """The id of the cluster that answers at `bootstrap` with at least one broker, None if none does in time."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(deadline_s * 1000))
    try:
        async with asyncio.timeout(deadline_s):
            await admin.start()
            cluster = await admin.describe_cluster()
    except (KafkaError, OSError):
        return None
    finally:
        await admin.close()
    return str(cluster["cluster_id"]) if cluster["brokers"] else None
