"""The API key: how it looks, how it is checked without a database, how it is stored.

`bw_<key_id>_<secret><checksum>`, all base62: 12 characters of public id, 43 of secret (256 bits),
6 of CRC-32 over what stands before. Secret scanners find keys with KEY_PATTERN.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from enum import StrEnum

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX = "bw"
ID_LENGTH = 12
SECRET_LENGTH = 43
CHECKSUM_LENGTH = 6
KEY_PATTERN = rf"{PREFIX}_[0-9A-Za-z]{{{ID_LENGTH}}}_[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}"

KEY_ID = slice(len(PREFIX) + 1, len(PREFIX) + 1 + ID_LENGTH)
"""Where the id stands in a well-formed key."""

_SHAPE = re.compile(KEY_PATTERN)


class Scope(StrEnum):
    """What a key may do. `admin` includes every other scope."""

    EVENTS_WRITE = "events:write"
    KPIS_READ = "kpis:read"
    KPIS_WRITE = "kpis:write"
    TARGETS_WRITE = "targets:write"
    INCIDENTS_WRITE = "incidents:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: the holder of a valid key. `brands` is None where the key may act for every brand."""

    tenant_id: int
    tenant: str
    key_id: str
    scopes: frozenset[str]
    brands: frozenset[str] | None

    def may(self, scope: str) -> bool:
        """Whether the key carries the scope, or `admin`."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sees(self, brand: str) -> bool:
        """Whether the key's own list of brands, if it has one, names the brand."""
        return self.brands is None or brand in self.brands


def new_key() -> str:
    """A fresh key. It is shown once and never stored; only its `digest` is."""
    key_id = "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return format_key(key_id, secret)


def format_key(key_id: str, secret: str) -> str:
    """Join the parts and append the checksum. Raises ValueError where a part is of the wrong shape."""
    body = f"{PREFIX}_{key_id}_{secret}"
    key = body + _checksum(body)
    if not _SHAPE.fullmatch(key):
        raise ValueError("an API key's parts are base62 of fixed length")
    return key


def key_id_of(key: str) -> str | None:
    """The public id inside a well-formed key; None for anything else, decided without a database."""
    if not _SHAPE.fullmatch(key) or _checksum(key[:-CHECKSUM_LENGTH]) != key[-CHECKSUM_LENGTH:]:
        return None
    return key[KEY_ID]


def digest(pepper: str, key: str) -> bytes:
    """What is stored of a key: 32 bytes of HMAC-SHA256. A slow hash would add nothing to 256 random bits."""
    return hmac.digest(pepper.encode(), key.encode(), hashlib.sha256)


def pepper_id(pepper: str) -> str:
    """A name for a pepper that gives nothing away about it, so that two can be in use while one is rotated out."""
    return hmac.digest(pepper.encode(), b"bellwether pepper id", hashlib.sha256).hex()[:16]


def _checksum(body: str) -> str:
    value = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
