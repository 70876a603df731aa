"""Answers kept under an Idempotency-Key, so that a repeated post does its work once.

The key is claimed inside the transaction that does the work: whoever repeats it meanwhile waits
for that, and a failed attempt leaves nothing behind.
"""

from typing import NamedTuple

from bellwether.adapters.postgres.pool import Connection
from bellwether.domain.errors import Fault, Invalid

_FORGET = "DELETE FROM idempotency_key WHERE tenant_id = $1 AND expires_at <= now()"
_CLAIM = """
    INSERT INTO idempotency_key (tenant_id, key, fingerprint, expires_at)
    VALUES ($1, $2, $3, now() + $4 * interval '1 second')
    ON CONFLICT (tenant_id, key) DO NOTHING RETURNING true
"""
_STORED = "SELECT fingerprint, status, body FROM idempotency_key WHERE tenant_id = $1 AND key = $2"
_KEEP = "UPDATE idempotency_key SET status = $3, body = $4 WHERE tenant_id = $1 AND key = $2"
_LONGEST = 255


class Kept(NamedTuple):
    """The answer that the first request got."""

    status: int
    body: bytes


def parse_key(header: str | None) -> str | None:
    """The key of the header, whose quotation marks may be left out. Raises Invalid for an unusable one."""
    if header is None:
        return None
    key = header.strip()
    if len(key) > 1 and key.startswith('"') and key.endswith('"'):
        key = key[1:-1]
    if not (1 <= len(key) <= _LONGEST and key.isascii() and key.isprintable()):
        detail = f"must be 1 to {_LONGEST} printable ASCII characters"
        raise Invalid("Some values are not valid.", faults=(Fault("/Idempotency-Key", detail),))
    return key


async def claim(connection: Connection, tenant_id: int, key: str, fingerprint: bytes, keep_s: float) -> Kept | None:
    """Take the key for this transaction, or give the answer that it got before.

    Raises Invalid where the key was used for another request.
    """
    await connection.execute(_FORGET, tenant_id)
    if await connection.fetchval(_CLAIM, tenant_id, key, fingerprint, keep_s):
        return None
    stored = await connection.fetchrow(_STORED, tenant_id, key)
    if stored is None or stored["fingerprint"] != fingerprint:
        fault = Fault("/Idempotency-Key", "was used for another request")
        raise Invalid("An Idempotency-Key stands for one request.", faults=(fault,))
    return Kept(stored["status"], stored["body"])


async def keep(connection: Connection, tenant_id: int, key: str, kept: Kept) -> None:
    """Store the answer under a claimed key."""
    await connection.execute(_KEEP, tenant_id, key, kept.status, kept.body)
