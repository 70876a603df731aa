"""Scorecards that were issued: frozen with their definitions, listed, and restated."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple, cast
from uuid import UUID

import msgspec

from bellwether.adapters.postgres.directory import Brand
from bellwether.adapters.postgres.pool import Connection, Pool, Row
from bellwether.catalogue.cuts import TOTAL
from bellwether.catalogue.own import TenantCatalogue
from bellwether.domain.errors import UnknownIssuedCard, UnknownScorecard
from bellwether.domain.keys import Caller
from bellwether_api.card_shapes import IssuedHead, IssuedOut, IssuedPage, Restatement, ScorecardOut
from bellwether_api.cuts import shown
from bellwether_api.database import changing, reading
from bellwether_api.definitions import definition
from bellwether_api.idempotency import Kept, claim, keep
from bellwether_api.moments import moment_at
from bellwether_api.requests import CardToIssue
from bellwether_api.restating import FrozenCard, card_query, lines_of, restated
from bellwether_api.scorecards import RoleCard, ScorecardReader
from bellwether_api.shapes import KpiOut

_HEAD = "issued_id, role, period, cut, partial, score, rating, issued_at, issued_by, note, content_hash"
_INSERT = f"""
    INSERT INTO issued_card
        (brand_id, role, period, cut, partial, score, rating, issued_at, issued_by, note, content_hash, body)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING {_HEAD}
"""
_PAGE = f"""
    SELECT {_HEAD} FROM issued_card
    WHERE brand_id = $1 AND role = $2 AND ($3::uuid IS NULL OR issued_id < $3)
    ORDER BY issued_id DESC LIMIT $4
"""
_ONE = f"SELECT {_HEAD}, body FROM issued_card WHERE brand_id = $1 AND role = $2 AND issued_id = $3"
_CREATED = 201


class _Body(msgspec.Struct, frozen=True):
    """What is frozen. Kept as the bytes that were written: later versions of the shapes may differ."""

    card: msgspec.Raw
    definitions: msgspec.Raw


class Issue(NamedTuple):
    """A card that was issued, now or by the first of several equal requests; `body` is the answer."""

    head: IssuedHead
    body: bytes
    replayed: bool


class _Frozen(NamedTuple):
    """A card, and the catalogue that it was computed by."""

    card: ScorecardOut
    catalogue: TenantCatalogue


class IssuedCards:
    """The issued cards of all tenants; each call is for one brand. `now` gives seconds since 1970."""

    def __init__(
        self, pool: Pool, cards: ScorecardReader, idempotency_s: float, now: Callable[[], float] = time.time
    ) -> None:
        self._pool = pool
        self._cards = cards
        self._idempotency_s = idempotency_s
        self._now = now

    async def issue(self, brand: Brand, who: Caller, role: RoleCard, asked: CardToIssue, key: str | None) -> Issue:
        """Freeze the card as it reads now, once for each Idempotency-Key.

        Raises Invalid for a period that has not begun and for a key used for another request, Unavailable.
        """
        # As of a moment: kept values may be a little older, and would not be found again.
        frozen = await self._cards.read(brand, role, card_query(asked.period, asked.cut, int(self._now())))
        async with changing(self._pool) as connection:
            if key is not None:
                kept = await claim(
                    connection, brand.tenant_id, key, _fingerprint(brand, role, asked), self._idempotency_s
                )
                if kept is not None:
                    return Issue(msgspec.json.decode(kept.body, type=IssuedHead), kept.body, replayed=True)
            head = await _insert(connection, brand, who, _Frozen(frozen, role.catalogue), asked.note)
            body = msgspec.json.encode(head)
            if key is not None:
                await keep(connection, brand.tenant_id, key, Kept(_CREATED, body))
        return Issue(head, body, replayed=False)

    async def page(self, brand: Brand, role: str, after: UUID | None, limit: int) -> IssuedPage:
        """The cards issued for a role, the latest first, from the one after `after` on."""
        async with reading(self._pool) as connection:
            rows = await connection.fetch(_PAGE, brand.brand_id, role, after, limit + 1)
        items = [_head(brand, row) for row in rows[:limit]]
        return IssuedPage(items, str(items[-1].id) if len(rows) > limit else None)

    async def card(self, brand: Brand, role: str, issued_id: UUID) -> ScorecardOut:
        """One issued card as it was. Raises UnknownIssuedCard, Unavailable."""
        row = await self._row(brand, role, issued_id)
        return msgspec.json.decode(msgspec.json.decode(row["body"], type=_Body).card, type=ScorecardOut)

    async def read(self, brand: Brand, role: str, issued_id: UUID) -> IssuedOut:
        """One issued card as it was, and as it would be today. Raises UnknownIssuedCard, Unavailable."""
        row = await self._row(brand, role, issued_id)
        body = msgspec.json.decode(row["body"], type=_Body)
        return IssuedOut(
            issued=_head(brand, row),
            card=cast(ScorecardOut, body.card),
            definitions=cast(list[KpiOut], body.definitions),
            restatement=await self._restatement(brand, role, row["issued_at"], body),
        )

    async def _row(self, brand: Brand, role: str, issued_id: UUID) -> Row:
        async with reading(self._pool) as connection:
            row = await connection.fetchrow(_ONE, brand.brand_id, role, issued_id)
        if row is None:
            raise UnknownIssuedCard
        return row

    async def _restatement(self, brand: Brand, role: str, issued_at: int, body: _Body) -> Restatement | None:
        try:
            card = self._cards.of_role(brand, role)
        except UnknownScorecard:
            return None
        frozen = msgspec.json.decode(body.card, type=FrozenCard)
        period, cut = frozen.period, frozen.cut.cut
        then = today = await self._cards.read(brand, card, card_query(period, cut, issued_at))
        if frozen.differs_from(today):
            then = await self._cards.read(brand, card, card_query(period, cut, issued_at, known_at=issued_at))
        return restated(frozen, then, today, moment_at(int(self._now())))


def _fingerprint(brand: Brand, role: RoleCard, asked: CardToIssue) -> bytes:
    path = f"POST /v1/brands/{brand.slug}/scorecards/{role.card.role}/issue "
    return sha256(path.encode() + asked.model_dump_json().encode()).digest()


async def _insert(connection: Connection, brand: Brand, who: Caller, frozen: _Frozen, note: str) -> IssuedHead:
    card = frozen.card
    (cut,) = card.cuts
    body = msgspec.json.encode({"card": card, "definitions": _definitions(frozen)})
    row = await connection.fetchrow(
        _INSERT,
        brand.brand_id,
        card.role,
        card.period,
        cut.cut or TOTAL,
        card.partial,
        cut.score,
        cut.rating,
        int(card.as_of.timestamp()),
        who.key_id,
        note,
        sha256(body).digest(),
        body,
    )
    assert row is not None  # noqa: S101 - an insert that returns gives its row
    return _head(brand, row)


def _definitions(frozen: _Frozen) -> list[KpiOut]:
    """The definitions, in their versions, that the lines were computed by."""
    return [
        definition(kpi)
        for key, line in lines_of(frozen.card).items()
        for kpi in frozen.catalogue.kpis[key].versions()
        if kpi.version == line.version
    ]


def _head(brand: Brand, row: Row) -> IssuedHead:
    return IssuedHead(
        id=row["issued_id"],
        brand=brand.slug,
        role=row["role"],
        period=row["period"],
        cut=shown(row["cut"]),
        partial=row["partial"],
        score=row["score"],
        rating=row["rating"],
        issued_at=moment_at(row["issued_at"]),
        issued_by=row["issued_by"],
        note=row["note"],
        content_hash=row["content_hash"].hex(),
    )
