"""The built-in catalogue: complete, consistent, and as the design page lists it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from msgspec import structs

from bellwether.catalogue.builtin import CATALOGUE, _checked
from bellwether.catalogue.formula import Average, Blend, Formula, Ratio, Sum, total
from bellwether.catalogue.kpi import Control, Direction, Evidence, Kind, Kpi, Unit
from bellwether.catalogue.measures import MEASURES, measure_of
from bellwether.catalogue.provenance import MARKED_BY, events_behind
from bellwether.catalogue.scorecards import SCORECARDS
from bellwether.wire.events import EVENT_TYPES
from bellwether_api.definitions import DEFINITIONS, definition
from tests.unit.catalogue import design_keys

KPIS = pytest.mark.parametrize("kpi", CATALOGUE.values(), ids=list(CATALOGUE))
LISTED = [(role, area, key) for role, areas in design_keys.CARDS.items() for area, keys in areas for key in keys]


@pytest.mark.parametrize("key", design_keys.every_key())
def test_every_key_of_the_design_page_is_in_the_catalogue(key: str) -> None:
    assert CATALOGUE[key].key == key


@pytest.mark.parametrize(("role", "title", "key"), LISTED)
def test_every_key_of_the_design_page_stands_in_its_area_of_its_card(role: str, title: str, key: str) -> None:
    (area,) = (area for area in SCORECARDS[role].areas if area.title == title)
    assert key in [line.kpi for line in area.lines]


@pytest.mark.parametrize("role", design_keys.CARDS)
def test_a_card_keeps_the_order_of_the_page_and_adds_readings_of_its_kpis_alone(role: str) -> None:
    areas = SCORECARDS[role].areas
    assert [area.title for area in areas] == [title for title, _ in design_keys.CARDS[role]]
    for area, (_, keys) in zip(areas, design_keys.CARDS[role], strict=True):
        lines = [line.kpi for line in area.lines]
        assert [line for line in lines if line in keys] == list(keys)
        added = {line.partition(".")[0] for line in lines if line not in keys}
        assert added <= {key.partition(".")[0] for key in keys} | {"brand_mention_growth"}


def test_there_is_a_card_for_every_role_of_the_page_and_for_no_other() -> None:
    assert list(SCORECARDS) == list(design_keys.CARDS)
    assert all(
        area.weight == line.weight == 1 for card in SCORECARDS.values() for area in card.areas for line in area.lines
    )


def test_what_the_page_says_of_windows_directions_and_kinds_holds() -> None:
    assert {key: CATALOGUE[key].home for key in design_keys.WINDOWS} == design_keys.WINDOWS
    listed = {key.partition(".")[0] for key in design_keys.every_key()}
    assert {key for key in listed if CATALOGUE[key].better is Direction.DOWN} == set(design_keys.DOWN)
    assert {CATALOGUE[key].kind for key in design_keys.LAGGING} == {Kind.LAGGING}
    assert Evidence.COMPUTED not in {CATALOGUE[key].evidence for key in design_keys.RATED}


def test_what_others_decide_as_well_is_marked_as_influenced() -> None:
    assert {CATALOGUE[key].control for key in ("social_sales", "social_sales_volume")} == {Control.INFLUENCED}
    assert {CATALOGUE[key].control for key in ("response_rate", "content_pieces_monthly")} == {Control.DIRECT}


@KPIS
def test_every_kpi_says_in_words_what_it_is(kpi: Kpi) -> None:
    told = DEFINITIONS[kpi.key]
    assert kpi.title
    assert kpi.meaning.endswith(".")
    assert kpi.meaning != kpi.title
    assert told.formula.words.endswith(".")
    assert told.formula.expression
    assert told.events
    assert set(told.events) <= EVENT_TYPES.keys()


@KPIS
def test_every_kpi_names_measures_that_exist(kpi: Kpi) -> None:
    named = [*kpi.shown(), *(kpi.screened.measures() if kpi.screened else ())]
    assert [name for name in named if measure_of(name) is None] == []


def test_every_measure_is_part_of_a_kpi_or_shown_beside_one() -> None:
    named = {name for kpi in CATALOGUE.values() for name in (*kpi.shown(), *_screened(kpi))}
    assert {measure.key for measure in MEASURES} - named == set()


def _screened(kpi: Kpi) -> tuple[str, ...]:
    return kpi.screened.measures() if kpi.screened else ()


def test_no_two_kpis_have_one_title() -> None:
    titles = [kpi.title for kpi in CATALOGUE.values()]
    assert sorted(titles) == sorted(set(titles))


@KPIS
def test_money_shows_how_much_of_it_could_not_be_converted(kpi: Kpi) -> None:
    money = [name for name in kpi.formula.measures() if measure_of(f"{name}.unconverted")]
    assert {f"{name}.unconverted" for name in money} <= set(kpi.shown())


@KPIS
def test_what_is_kept_in_millionths_is_shown_in_whole_ones(kpi: Kpi) -> None:
    for formula in _parts(kpi.formula):
        for shown, unit in _sums_of(formula):
            kept = {_unit_of(name) for name in shown}
            assert len(kept) == 1
            assert unit in kept if kpi.unit is not Unit.PERCENT else unit in (*kept, *(k // 100 for k in kept))


def _parts(formula: Formula) -> Iterator[Formula]:
    yield from formula.parts if isinstance(formula, Blend) else (formula,)


def _sums_of(formula: Any) -> Iterator[tuple[list[str], int]]:
    """The sums of a formula, each with what it is divided by for display."""
    if isinstance(formula, Sum):
        yield [term.measure for term in formula.terms], formula.unit
    if isinstance(formula, Ratio):
        yield [term.measure for term in formula.numerator], formula.unit
        yield [term.measure for term in formula.denominator], formula.denominator_unit
    if isinstance(formula, Average):
        yield [formula.total], formula.unit


def _unit_of(measure: str) -> int:
    found = measure_of(measure)
    return 1_000_000 if found and ("in millionths" in found.title or measure == "item_rate_sum") else 1


def test_gameable_kpis_are_read_without_inauthentic_activity_too() -> None:
    screened = {key for key, kpi in CATALOGUE.items() if kpi.screened}
    assert {"weekly_interactions", "engagement_growth", "visitor_conversion_rate"} <= screened
    for key in screened:
        kpi = CATALOGUE[key]
        assert type(kpi.screened) is type(kpi.formula)
        assert set(_screened(kpi)) - set(kpi.formula.measures()) <= {"suspect_interactions", "suspect_joins"}


def test_benchmarks_say_where_they_were_published() -> None:
    bands = {band.channel: (band.good, band.great) for band in CATALOGUE["content_engagement_rate"].benchmarks}
    assert bands["instagram"] == (2.0, 3.0)
    for kpi in CATALOGUE.values():
        assert all(band.source and 0 < band.good < band.great for band in kpi.benchmarks)


def test_every_marker_that_a_kpi_looks_at_is_set_by_events() -> None:
    markers = {marker for kpi in CATALOGUE.values() if (marker := getattr(kpi.formula, "marker", None))}
    assert markers == MARKED_BY.keys()


def test_the_events_behind_a_kpi_are_those_of_its_measures_levels_markers_and_crises() -> None:
    assert events_behind(CATALOGUE["subscriber_growth"]) == ("social.audience.snapshot.v1",)
    assert events_behind(CATALOGUE["audience_churn_rate"]) == ("social.audience.left.v1", "social.audience.snapshot.v1")
    assert events_behind(CATALOGUE["influencer_awareness_impact"]) == ("social.mention.v1", "social.collaboration.v1")
    assert events_behind(CATALOGUE["crisis_sentiment"])[-1] == "crisis.incident.v1"
    assert "survey.response.v1" in events_behind(CATALOGUE["brand_voice_alignment"])


def _kpi(key: str, measure: str = "mentions", **others: Any) -> Kpi:
    given = {"title": "T", "meaning": "M.", "unit": Unit.COUNT, "kra": "K", **others}
    return Kpi(key=key, formula=Sum(total(measure)), **given)


def test_a_catalogue_with_a_key_twice_or_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="given twice"):
        _checked((_kpi("a"), _kpi("a")))
    with pytest.raises(ValueError, match="mansions"):
        _checked((*CATALOGUE.values(), _kpi("a", "mansions")))
    with pytest.raises(ValueError, match="mansions"):
        _checked((*CATALOGUE.values(), _kpi("a", screened=Sum(total("mansions")))))
    with pytest.raises(ValueError, match="mansions"):
        _checked((*CATALOGUE.values(), _kpi("a", version=2, earlier=(_kpi("a", "mansions"),))))


OLD = _kpi("a", valid_from=date(2026, 1, 1))
NEW = _kpi("a", "interactions", version=2, valid_from=date(2026, 7, 1), earlier=(OLD,))


def test_a_day_is_read_by_the_version_that_held_on_it() -> None:
    assert [NEW.on(day).version for day in (date(2026, 6, 30), date(2026, 7, 1), date(2027, 1, 1))] == [1, 2, 2]
    assert NEW.on(date(2020, 1, 1)) is OLD
    assert NEW.versions() == (OLD, NEW)


def test_versions_are_numbered_from_one_on_and_follow_one_another() -> None:
    whole = tuple(CATALOGUE.values())
    assert _checked((*whole, NEW))["a"] is NEW
    for faulty in (
        structs.replace(NEW, earlier=()),
        structs.replace(NEW, version=3),
        structs.replace(NEW, valid_from=date(2025, 1, 1)),
        structs.replace(NEW, valid_from=OLD.valid_from),
    ):
        with pytest.raises(ValueError, match="versions"):
            _checked((*whole, faulty))


def test_a_definition_shows_every_version_and_until_when_it_held() -> None:
    told = definition(NEW)
    assert [(v.version, v.valid_from, v.valid_until, v.formula.expression) for v in told.versions] == [
        (1, date(2026, 1, 1), date(2026, 7, 1), "mentions"),
        (2, date(2026, 7, 1), None, "interactions"),
    ]
