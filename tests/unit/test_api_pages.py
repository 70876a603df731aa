"""The printable page of a card shows what the card says, in its units, and nothing that could run."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

import msgspec
import pytest

from bellwether.catalogue.kpi import Unit
from bellwether_api.card_examples import CARD_EXAMPLES
from bellwether_api.card_shapes import ScorecardOut
from bellwether_api.card_tables import card_sheets
from bellwether_api.pages import PAGE_HEADERS, amount, card_page, duration, number

CARD = CARD_EXAMPLES[0]
assert isinstance(CARD, ScorecardOut)


def test_the_page_shows_value_target_status_projection_and_score() -> None:
    page = " ".join(card_page(CARD).decode().split())
    for told in (
        ">62.5 %</td>",
        "at least 70 % by 2026-10-31",
        '<span class="at_risk">at risk</span>',
        "66 %<br>",
        "61.5 % to 70.5 %",
        '<td class="number better">+25 %',
        "89.29 of 100, rating 4 of 5",
        "2026-10-13 14:00",
        "(1 × 89.29 [share_of_voice]) / 1 = 89.29",
    ):
        assert told in page, told


def test_the_policy_lets_the_browser_use_the_page_s_own_style_and_nothing_else() -> None:
    (style,) = re.findall("<style>(.*?)</style>", card_page(CARD).decode(), re.DOTALL)
    told = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{told}'" in PAGE_HEADERS["Content-Security-Policy"]
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
    assert not re.search(r" (style|on\w+)=", card_page(CARD).decode())


def test_a_card_without_target_and_score_has_a_page_too() -> None:
    bare = msgspec.structs.replace(CARD.cuts[0].areas[0].lines[0], target=None, points=None, attainment=None)
    area = msgspec.structs.replace(CARD.cuts[0].areas[0], lines=[bare], score=None, rating=None)
    cut = msgspec.structs.replace(CARD.cuts[0], areas=[area], score=None, rating=None)
    page = card_page(msgspec.structs.replace(CARD, cuts=[cut])).decode()
    assert "Total: not scored" in page
    assert "left out</span>" in page


def test_words_of_people_stay_words() -> None:
    line = CARD.cuts[0].areas[0].lines[0]
    assert line.target is not None
    target = msgspec.structs.replace(line.target, words='<b onclick="x">')
    area = msgspec.structs.replace(CARD.cuts[0].areas[0], lines=[msgspec.structs.replace(line, target=target)])
    card = msgspec.structs.replace(CARD, cuts=[msgspec.structs.replace(CARD.cuts[0], areas=[area])])
    assert "&lt;b onclick=&#34;x&#34;&gt;" in card_page(card).decode()


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, Unit.COUNT, "–"),
        (1234567, Unit.COUNT, "1,234,567"),
        (0.5, Unit.PERCENT, "0.5 %"),
        (1234.5, Unit.MONEY, "1,234.5 EUR"),
        (3.2, Unit.RATIO, "3.2 ×"),
        (-12.25, Unit.NET_SENTIMENT, "-12.25"),
        (4800, Unit.SECONDS, "1 h 20 min"),
        (100, Unit.COUNT, "100"),
    ],
)
def test_amounts_are_told_in_their_unit(value: float | None, unit: Unit, expected: str) -> None:
    assert amount(value, unit, "EUR") == expected


@pytest.mark.parametrize("unit", list(Unit))
def test_every_unit_can_be_told(unit: Unit) -> None:
    assert "7" in amount(7, unit, "EUR")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (59.6, "1 min 0 s"), (3600, "1 h 0 min"), (90_061, "1 d 1 h"), (-90, "−1 min 30 s")],
)
def test_durations_are_told_in_two_units(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_whole_numbers_keep_their_zeros() -> None:
    assert [number(value) for value in (0, 10, 1000, -0.004, 12.30)] == ["0", "10", "1,000", "0", "12.3"]


def test_the_tables_of_a_card_are_rectangular() -> None:
    for sheet in card_sheets(CARD):
        assert {len(row) for row in sheet.rows} == {len(sheet.head)}
