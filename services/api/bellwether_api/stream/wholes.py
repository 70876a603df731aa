"""All figures of lines as they are now, for listeners who begin: made once for all who begin at about the same time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.news import Line, Version, read_kept, read_versions
from bellwether.adapters.postgres.pool import Pool
from bellwether_api.database import asking
from bellwether_api.stream.selection import Marks, Reading, Selection, Update

_AT_ONCE: Final = 2
_MOST_BYTES: Final = 16 * 1024**2


class Whole(NamedTuple):
    """All figures of a selection in one version of a row, and what to compare the next version with."""

    version: Version
    update: Update
    marks: Marks


class Wholes:
    """Reads them; remembers those that were asked for last, `_MOST_BYTES` of them."""

    def __init__(self, pool: Pool, definitions: Definitions) -> None:
        self._pool = pool
        self._definitions = definitions
        self._turns = asyncio.Semaphore(_AT_ONCE)  # listeners come back all at once; requests need connections, too
        self._bytes = 0
        self._made: OrderedDict[tuple[Line, Selection, int], Whole] = OrderedDict()

    async def read(self, lines: Sequence[Line], brands: Mapping[int, Brand], selection: Selection) -> dict[Line, Whole]:
        """Those of a few lines, as far as they have rows. Raises Unavailable."""
        async with self._turns:
            async with asking(self._pool) as connection:
                versions = await read_versions(connection, lines)
            keys = {line: (line, selection, self._catalogue_version(brands[line[0]])) for line in versions}
            found = {line: made for line in versions if (made := self._known(keys[line], versions[line]))}
            for line, made in (await self._make(versions.keys() - found.keys(), brands, selection)).items():
                found[line] = made
                self._keep(keys[line], made)
        return found

    def _catalogue_version(self, brand: Brand) -> int:
        return self._definitions.of(brand.tenant_id).version

    async def _make(
        self, lines: Sequence[Line] | set[Line], brands: Mapping[int, Brand], selection: Selection
    ) -> dict[Line, Whole]:
        if not lines:
            return {}
        async with asking(self._pool) as connection:
            rows = await read_kept(connection, lines)
        found = {}
        for row in rows:
            await asyncio.sleep(0)  # a row takes some milliseconds, and requests are waiting
            brand = brands[row.brand_id]
            made = Reading(row, brand).whole(self._definitions.of(brand.tenant_id), selection)
            found[row.brand_id, row.cut] = Whole(row.version, *made)
        return found

    def _known(self, key: tuple[Line, Selection, int], version: Version) -> Whole | None:
        found = self._made.get(key)
        return found if found is not None and found.version == version else None

    def _keep(self, key: tuple[Line, Selection, int], made: Whole) -> None:
        before = self._made.pop(key, None)
        self._bytes += made.update.size - (before.update.size if before else 0)
        self._made[key] = made
        while self._bytes > _MOST_BYTES:
            _, oldest = self._made.popitem(last=False)
            self._bytes -= oldest.update.size
