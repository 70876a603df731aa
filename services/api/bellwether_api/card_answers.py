"""The answers to requests for cards, by what was asked: made once, and given again for a moment."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from bellwether.adapters.postgres.directory import Brand
from bellwether_api.cache import AnswerCache, Encoded
from bellwether_api.cuts import Cut
from bellwether_api.formats import CardFormat, content_headers
from bellwether_api.pages import PAGE_HEADERS
from bellwether_api.queries import ScorecardQuery
from bellwether_api.rendering import CARD_RENDERERS
from bellwether_api.scorecards import RoleCard, ScorecardReader


class CardAsked(NamedTuple):
    """What a request for a card asks: of which role, what, in which format."""

    role: str
    query: ScorecardQuery
    format: str


class CardAnswer(NamedTuple):
    """The bytes of a card, and the headers that go with them besides those of every answer."""

    encoded: Encoded
    headers: dict[str, str]


class CardAnswers:
    """Answers requests for cards."""

    def __init__(self, cards: ScorecardReader, cache: AnswerCache) -> None:
        self._cards = cards
        self._cache = cache

    def of_role(self, brand: Brand, role: str) -> RoleCard:
        """The scorecard of a role. Raises UnknownScorecard."""
        return self._cards.of_role(brand, role)

    async def get(self, brand: Brand, asked: CardAsked) -> CardAnswer:
        """The card in the format asked for. Raises UnknownScorecard, Invalid, Unavailable."""
        of_role = self.of_role(brand, asked.role)

        async def make() -> bytes:
            found = await self._cards.read(brand, of_role, asked.query)
            if asked.format == CardFormat.JSON:
                return CARD_RENDERERS[asked.format](found)
            return await asyncio.to_thread(CARD_RENDERERS[asked.format], found)

        kept = await self._cache.get((brand, of_role.catalogue.version, asked), make)
        names = (brand.slug, asked.role, self._cards.period(brand, asked.query), *_cut_name(asked.query.cut))
        return CardAnswer(kept, export_headers(asked.format, *names))


def export_headers(chosen: str, *names: str) -> dict[str, str]:
    """The headers of a card in a format, with a name to save it under, made of `names`."""
    return {**content_headers(chosen, *names), **(PAGE_HEADERS if chosen == CardFormat.HTML else {})}


def _cut_name(cut: Cut | None) -> tuple[str, ...]:
    return () if cut is None else tuple(filter(None, (cut.dimension, cut.value)))
