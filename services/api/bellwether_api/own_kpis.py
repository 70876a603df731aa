"""A tenant's own definitions in Postgres: the whole document is read, checked and replaced; every version is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import NamedTuple

from bellwether.adapters.postgres.definitions import Definitions, decode_edition, encode_edition
from bellwether.adapters.postgres.pool import Connection, Pool
from bellwether.catalogue.own import Document, Edition, NotTaken, next_edition
from bellwether.domain.errors import Fault, Invalid, Refused, Unavailable, VersionRequired
from bellwether.domain.keys import Caller
from bellwether.wire.definitions import place_of, read_document
from bellwether_api.conditional import require_match
from bellwether_api.database import changing, reading
from bellwether_api.own_shapes import OwnCatalogue, shown

_LATEST = """
    SELECT version, document, edition, created_at FROM own_definitions WHERE tenant_id = $1
    ORDER BY version DESC LIMIT 1
"""
# Whoever replaces the same tenant's document at the same time waits here.
_LOCK = "SELECT FROM tenant WHERE tenant_id = $1 FOR NO KEY UPDATE"
_INSERT = """
    INSERT INTO own_definitions (tenant_id, version, document, edition, created_by) VALUES ($1, $2, $3, $4, $5)
    RETURNING created_at
"""
_REFUSED = "Some definitions are not valid."


class _Stored(NamedTuple):
    version: int
    document: str
    edition: Edition
    created_at: datetime | None

    def shown(self) -> OwnCatalogue:
        return shown(self.edition, self.version, self.document, self.created_at)


_NOTHING = _Stored(0, "", Edition(Document()), None)


class OwnDefinitions:
    """The own definitions of all tenants; each call is for one caller. `now` gives the present moment."""

    def __init__(self, pool: Pool, definitions: Definitions, now: Callable[[], float]) -> None:
        self._pool = pool
        self._definitions = definitions
        self._now = now

    async def read(self, who: Caller) -> OwnCatalogue:
        """What holds now; version 0 where nothing is defined."""
        async with reading(self._pool) as connection:
            return (await _latest(connection, who.tenant_id)).shown()

    async def check(self, who: Caller, text: str) -> OwnCatalogue:
        """What a document would come to. Raises Invalid."""
        document = await self._document(text)
        async with reading(self._pool) as connection:
            now = await _latest(connection, who.tenant_id)
        return shown(await self._edition(now, text, document), now.version + 1, text, None)

    async def replace(self, who: Caller, text: str, if_match: str | None) -> OwnCatalogue:
        """Put a document in place of the present one; the same one changes nothing.

        Raises Invalid with the place of everything that is wrong, VersionRequired without If-Match,
        StaleVersion where it names another version, Refused for a key of some brands, Unavailable.
        """
        if who.brands is not None:
            raise Refused("This API key is limited to certain brands; definitions hold for all of the tenant.")
        if if_match is None:
            raise VersionRequired('Send the ETag of GET /v1/catalogue as If-Match; it is "0" before the first.')
        document = await self._document(text)
        async with changing(self._pool) as connection:
            await connection.execute(_LOCK, who.tenant_id)
            now = await _latest(connection, who.tenant_id)
            require_match(if_match, now.version)
            if text == now.document:
                return now.shown()
            made = await self._put(connection, who, now, text, document)
        await self._show()
        return made.shown()

    async def _put(self, connection: Connection, who: Caller, now: _Stored, text: str, document: Document) -> _Stored:
        edition, version = await self._edition(now, text, document), now.version + 1
        values = (who.tenant_id, version, text, encode_edition(edition), who.key_id)
        return _Stored(version, text, edition, await connection.fetchval(_INSERT, *values))

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    async def _document(self, text: str) -> Document:
        """The document, if it is right. In threads: a long one takes a second, and others are waiting."""
        document, problems = await asyncio.to_thread(read_document, text, self._today())
        if document is None:
            faults = (Fault(at.pointer, at.detail, at.line, at.column) for at in problems)
            raise Invalid(_REFUSED, faults=tuple(faults))
        return document

    async def _edition(self, now: _Stored, text: str, document: Document) -> Edition:
        try:
            return await asyncio.to_thread(next_edition, now.edition, document, self._today())
        except NotTaken as error:
            fault = Fault(error.pointer, error.detail, *place_of(text, error.pointer))
            raise Invalid(_REFUSED, faults=(fault,)) from None

    async def _show(self) -> None:
        """Let this process see the change at once; the others look for themselves."""
        try:
            await self._definitions.refresh()
        except Unavailable:
            return


async def _latest(connection: Connection, tenant_id: int) -> _Stored:
    row = await connection.fetchrow(_LATEST, tenant_id)
    if row is None:
        return _NOTHING
    return _Stored(row["version"], row["document"], decode_edition(row["edition"]), row["created_at"])
