"""Secrets that have to be read again, kept so that whoever reads the tables alone cannot read them."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bellwether.domain.errors import Unavailable

_ID: Final = 4
_NONCE: Final = 12


class Sealer:
    """Seals with AES-256-GCM under the first key, and opens what was sealed under any.

    Sealed bytes are the key's id (4 bytes, which say nothing of the key), a nonce (12), and the rest.
    keys: secrets of at least 16 characters, the current one first; none at all where nothing is to be sealed
    """

    def __init__(self, *keys: str) -> None:
        self._keys = {_key_id(key): AESGCM(_stretched(key)) for key in keys}
        self._current = next(iter(self._keys), None)

    @property
    def ready(self) -> bool:
        """Whether there is a key."""
        return self._current is not None

    def seal(self, told: bytes, about: str) -> bytes:
        """Seal bytes for one purpose: they open under the same `about` only. Raises Unavailable without a key."""
        if self._current is None:
            raise Unavailable("No key is set that secrets could be sealed with.")
        nonce = secrets.token_bytes(_NONCE)
        return self._current + nonce + self._keys[self._current].encrypt(nonce, told, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """What was sealed. Raises Unavailable where its key is not among ours, or it was sealed for something else."""
        key = self._keys.get(sealed[:_ID])
        if key is None:
            raise Unavailable("The key that this was sealed with is not set.")
        try:
            return key.decrypt(sealed[_ID : _ID + _NONCE], sealed[_ID + _NONCE :], about.encode())
        except InvalidTag:
            raise Unavailable("What was sealed is damaged, or of something else.") from None


def _stretched(key: str) -> bytes:
    # A fast hash will do: the key is a random secret, not a password.
    return blake2b(key.encode(), digest_size=32, person=b"bellwether seal").digest()


def _key_id(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=_ID, person=b"bellwether keyid").digest()
