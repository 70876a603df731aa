"""Editions: what a document comes to after the one before it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bellwether.adapters.postgres.definitions import decode_edition, encode_edition
from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.formula import AnyFormula, Sum, total
from bellwether.catalogue.own import (
    LIMITS,
    Edition,
    Limits,
    NotTaken,
    TenantCatalogue,
    next_edition,
    tenant_catalogue,
)
from bellwether.catalogue.own.edition import EMPTY
from bellwether.wire.definitions import place_of, read_document

FIRST = date(2026, 10, 1)


def text(formula: str, where: str = "sale", more: str = "", measures: str = "") -> str:
    return f"""
measures:
  own.a: {{title: A, events: sales.conversion.v1, where: {{kind: {where}}}}}
{measures}
kpis:
  own.k: {{title: K, meaning: M, unit: count, kra: R, formula: '{formula}'{more}}}
roles:
  own-r: {{title: R, areas: [{{title: A, lines: [own.k]}}]}}
"""


def follow(before: Edition, written: str, today: date, limits: Limits = LIMITS) -> Edition:
    document, problems = read_document(written, today)
    assert document is not None, problems
    edition = next_edition(before, document, today, limits)
    assert decode_edition(encode_edition(edition)) == edition
    return edition


def catalogue(*written: str) -> TenantCatalogue:
    """The catalogue after documents that came a day apart."""
    edition = EMPTY
    for days, one in enumerate(written):
        edition = follow(edition, one, FIRST + timedelta(days))
    return tenant_catalogue(edition, len(written))


def held(own: TenantCatalogue, days: int) -> AnyFormula:
    return own.kpis["own.k"].on(FIRST + timedelta(days)).formula


def test_what_a_tenant_defines_stands_beside_the_built_in_catalogue() -> None:
    own = catalogue(text("own.a"))
    assert own.kpis.keys() - CATALOGUE.keys() == {"own.k"}
    assert own.cards["own-r"].kpis() == ("own.k",)
    assert own.kpis["own.k"].own[0].title == "A"
    assert list(own.counted) == ["own.a"]


def test_a_changed_formula_holds_from_its_day_on_and_the_first_one_before_it() -> None:
    own = catalogue(text("own.a"), text("leads"), text("sessions"))
    assert [held(own, days) for days in (-400, 0, 1, 2, 400)] == [
        Sum(total(name)) for name in ("own.a", "own.a", "leads", "sessions", "sessions")
    ]
    assert [version.version for version in own.kpis["own.k"].versions()] == [1, 2, 3]


def test_what_is_changed_twice_on_a_day_leaves_earlier_days_as_they_were() -> None:
    edition = follow(EMPTY, text("own.a"), FIRST)
    for formula in ("leads", "sessions"):
        edition = follow(edition, text(formula), FIRST)
    own = tenant_catalogue(edition, 3)
    assert (held(own, -1), held(own, 0)) == (Sum(total("own.a")), Sum(total("sessions")))


def test_the_same_meaning_in_other_words_is_the_same_version() -> None:
    own = catalogue(text("100 * own.a / leads"), text("own.a / leads * 100"), text("ratio(own.a, leads)"))
    assert [version.version for version in own.kpis["own.k"].versions()] == [1]


def test_another_unit_is_another_version() -> None:
    own = catalogue(text("own.a"), text("own.a").replace("count", "points"))
    assert len(own.kpis["own.k"].versions()) == 2


def test_a_measure_that_counts_something_else_is_another_one_and_the_old_one_goes_on_for_the_past() -> None:
    own = catalogue(text("own.a"), text("own.a", where="signup"))
    assert (held(own, 0), held(own, 1)) == (Sum(total("own.a")), Sum(total("own.a#2")))
    assert {key: measure.where[0].among for key, measure in own.counted.items()} == {
        "own.a": ("sale",),
        "own.a#2": ("signup",),
    }


def test_a_key_that_comes_back_never_means_what_was_counted_before() -> None:
    own = catalogue(text("own.a"), "measures: {}", text("own.a"))
    assert list(own.counted) == ["own.a#2"]
    assert [version.version for version in own.kpis["own.k"].versions()] == [2]


def test_the_past_changes_only_on_purpose() -> None:
    with pytest.raises(NotTaken) as refused:
        catalogue(text("leads"), text("sessions", more=", valid_from: 2026-09-01"))
    assert refused.value.pointer == "/kpis/own.k/valid_from"
    own = catalogue(text("leads"), text("sessions", more=", valid_from: 2026-09-01, restate: true"))
    assert held(own, -400) == Sum(total("sessions"))
    with pytest.raises(NotTaken):
        catalogue(text("leads"), text("sessions"), text("sessions", more=", valid_from: 2026-10-03"))


def test_earlier_versions_count_towards_what_is_counted() -> None:
    few = Limits(counted=2)
    edition = follow(follow(EMPTY, text("own.a"), FIRST), text("own.a", where="b"), FIRST, few)
    with pytest.raises(NotTaken, match="3 measures would be counted; the limit is 2"):
        follow(edition, text("own.a", where="c"), FIRST + timedelta(1), few)


def test_a_place_is_found_by_its_pointer() -> None:
    assert place_of(text("leads", more=", valid_from: 2026-09-01"), "/kpis/own.k/valid_from") == (6, 84)
    assert place_of("kpis: {}", "/measures") == (1, 1)
