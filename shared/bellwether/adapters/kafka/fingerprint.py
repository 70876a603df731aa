"""What tells a record of one log from one at the same offset of another."""

from __future__ import annotations

from hashlib import blake2b

from bellwether.adapters.kafka.log_reader import Record


def fingerprint(record: Record) -> bytes:
    """16 bytes of a record's offset, timestamp, key and value."""
    place = f"{record.offset} {record.timestamp} ".encode()
    body = b"\0".join((record.key or b"", record.value or b""))
    return blake2b(place + body, digest_size=16).digest()
