"""Own definitions are read, or everything that is wrong with them is told by line and column."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
import yaml

from bellwether.catalogue.formula import Ratio, Term
from bellwether.catalogue.kpi import Direction, Kind, Line
from bellwether.catalogue.measures import Fold, Where
from bellwether.catalogue.own import LIMITS, Document
from bellwether.catalogue.own.edition import EMPTY, next_edition
from bellwether.wire.definitions import read_document
from bellwether.wire.definitions.event_fields import SNAPSHOTS, Field, Sort, fields_of
from bellwether.wire.events import EVENT_TYPES, WebSessionData
from bellwether_compute.groups import Group
from bellwether_compute.measuring import Derived, compile_measures

TODAY = date(2026, 11, 22)
EXAMPLE = Path(__file__).parents[3] / "docs/examples/own-kpis.yaml"
MEASURE = "own.a: {title: A, events: web.session.v1}"
KPI = "title: T, meaning: M, unit: count, kra: K"


def read(text: str) -> Document:
    document, problems = read_document(text, TODAY)
    assert document is not None, problems
    return document


def wrong(text: str) -> list[tuple[int, int, str]]:
    document, problems = read_document(text, TODAY)
    assert document is None
    return [(problem.line, problem.column, problem.detail) for problem in problems]


def kpi(formula: str) -> str:
    return f"measures:\n  {MEASURE}\nkpis:\n  own.k: {{formula: {formula}, {KPI}}}\n"


def test_the_example_is_right_and_says_what_it_means() -> None:
    document = read(EXAMPLE.read_text(encoding="utf-8"))
    signups, paid, pages, readers = document.measures
    assert signups.where == (Where("kind", ("newsletter", "newsletter_pro")),)
    assert paid.where[1] == Where("attribution", ("paid",))
    assert (pages.fold, pages.field, readers.fold, readers.field) == (Fold.SUM, "pages", Fold.DISTINCT, "visitor_id")
    rate, *_, per_reader = next_edition(EMPTY, document, TODAY).kpis
    assert rate[0].formula() == Ratio((Term("own.newsletter_signups"),), (Term("sessions"),), 100)
    assert rate[0].written.kind is Kind.LAGGING
    assert rate[0].written.better is Direction.UP
    assert per_reader[0].formula() == Ratio((Term("own.pages_read"),), (Term("own.readers"),), 1)
    (card,) = document.roles
    assert [area.weight for area in card.areas] == [2.0, 1.0]
    assert card.areas[0].lines[1] == Line("own.signup_growth", 2.0)


def test_json_is_read_like_yaml() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert read(msgspec.json.encode(yaml.safe_load(text)).decode()) == read(text)


@pytest.mark.parametrize("text", ["measures: {}", "kpis: {}\nroles:\n", '{"roles": {}}'], ids=["one", "two", "json"])
def test_a_document_may_say_that_nothing_is_defined(text: str) -> None:
    assert read(text) == Document()


@pytest.mark.parametrize(
    "text",
    ["", " \n", "# only a remark\n", "---\n", "{}", "kpis:\n", "kpis: null\nroles:\n"],
    ids=["empty", "blank", "remark", "start", "mapping", "section", "sections"],
)
def test_a_document_that_says_nothing_is_wrong(text: str) -> None:
    ((_, _, detail),) = wrong(text)
    assert "says nothing" in detail or "must be a mapping" in detail


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = f"""measurs: {{}}
measures:
  signups: {{title: S, events: sales.conversion.v1}}
  own.b:
    title: B
    events: sales.convertion.v1
kpis:
  own.k:
    {KPI.replace(", ", chr(10) + "    ")}
    formula: 100 * own.b / sesions
"""
    assert [(line, column) for line, column, _ in wrong(text)] == [(1, 1), (3, 3), (6, 13), (13, 28)]


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("measures: [", 1, 12, "cannot be read as YAML"),
        ("a: b: c", 1, 5, "cannot be read as YAML"),
        ("kpis:\n\t- x", 2, 1, "cannot be read as YAML"),
        ("kpis: \x00", 1, 1, "does not allow"),
        ("- 1\n- 2", 1, 1, "must be a mapping"),
        ("kpi:\n  own.a: {}", 1, 1, "did you mean kpis?"),
        (f"measures:\n  {MEASURE}\n  {MEASURE}", 3, 3, "given twice"),
        ("measures:\n  own.a: &x {title: A, events: web.session.v1}\n  own.b: *x", 2, 10, "alias"),
        ("measures: " + "[" * 20 + "]" * 20, 1, 22, "nested too deeply"),
        ("measures: " + "[" * 5000 + "]" * 5000, 1, 1, "nested too deeply"),
        ("measures:\n  mentions: {title: A, events: web.session.v1}", 2, 3, "must be own."),
        ("measures:\n  own.A: {title: A, events: web.session.v1}", 2, 3, "must be own."),
        ("measures:\n  own.a: {title: A}", 2, 10, "needs events"),
        ("measures:\n  own.a: {title: '', events: web.session.v1}", 2, 18, "1 to 120"),
        ("measures:\n  own.a: {title: A, events: []}", 2, 29, "must not be empty"),
        ("measures:\n  own.a: {title: A, events: web.sesion.v1}", 2, 29, "did you mean web.session.v1?"),
        ("measures:\n  own.a: {title: A, events: web.session.v1, fold: avg}", 2, 51, "must be one of count, sum"),
        ("measures:\n  own.a: {title: A, events: web.session.v1, fold: sum}", 2, 10, "a sum needs field"),
        ("measures:\n  own.a: {title: A, events: web.session.v1, field: pages}", 2, 52, "a count reads no field"),
        (
            "measures:\n  own.a: {title: A, events: web.session.v1, fold: sum, field: page}",
            2,
            63,
            "did you mean pages?",
        ),
        (
            "measures:\n  own.a: {title: A, events: sales.conversion.v1, fold: sum, field: value}",
            2,
            68,
            "money",
        ),
        (
            "measures:\n  own.a: {title: A, events: web.session.v1, fold: distinct, field: pages}",
            2,
            68,
            "a distinct reads text",
        ),
        ("measures:\n  own.a: {title: A, events: web.session.v1, where: {page: 1}}", 2, 53, "did you mean pages?"),
        ("measures:\n  own.a: {title: A, events: web.session.v1, where: {bounced: 7}}", 2, 62, "true or false"),
        (
            "measures:\n  own.a: {title: A, events: sales.conversion.v1, where: {attribution: free}}",
            2,
            71,
            "there are influencer, organic, paid",
        ),
        ("measures:\n  own.a: {title: A, events: web.session.v1, where: {pages: 1}}", 2, 60, "present: true"),
        (kpi("100 * sessions / leeds"), 4, 37, "did you mean leads?"),
        (kpi('"100 * sessions / leeds"'), 4, 38, "did you mean leads?"),
        (kpi("growht(sessions)"), 4, 20, "did you mean growth?"),
        (kpi("sessions * leads"), 4, 20, "cannot be multiplied"),
        (kpi("sessions / (leads"), 4, 31, "cannot be read"),
        (kpi("followers"), 4, 20, "latest(followers)"),
        (kpi("{operator: ratio, numerator: leads}"), 4, 31, "needs denominator"),
        (kpi("{numerator: leads}"), 4, 20, "needs operator"),
        (kpi("{operator: ratio, numerator: leads, denominator: leeds}"), 4, 69, "did you mean leads?"),
        (kpi("{operator: ratio, numerator: leads, denominator: 'a), (b'}"), 4, 69, "bracket"),
        (kpi("{operator: ratio, numerators: leads}"), 4, 50, "there are numerator, denominator, scale"),
        (kpi("sessions").replace("count", "percnt"), 4, 58, "did you mean percent?"),
        (kpi("sessions").replace("kra: K", "kra: K, better: higher"), 4, 81, "must be one of up, down, band"),
        (kpi("sessions").replace("kra: K", "valid_from: 2026-11-23, kra: K"), 4, 77, "must not lie in the future"),
        (kpi("sessions").replace("kra: K", "valid_from: soon, kra: K"), 4, 77, "must be a date"),
        (kpi("sessions").replace("own.k", "own.a"), 4, 3, "is the key of a measure, too"),
        ("roles:\n  editor: {title: E, areas: [{title: A, lines: [brand_mentions]}]}", 2, 3, "must be own-"),
        ("roles:\n  own-e: {title: E, areas: [{title: A, lines: [brand_mention]}]}", 2, 48, "brand_mentions?"),
        ("roles:\n  own-e: {title: E, areas: [{title: A, weight: 0, lines: [bounce_rate]}]}", 2, 48, "greater than 0"),
        ("roles:\n  own-e: {title: E, areas: [{title: A, lines: [bounce_rate, bounce_rate]}]}", 2, 47, "twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, line: int, column: int, words: str) -> None:
    assert [(at, start) for at, start, _ in wrong(text)] == [(line, column)]
    assert words in wrong(text)[0][2]


def test_a_word_that_yaml_takes_for_true_or_a_number_is_text_where_the_field_is_text() -> None:
    text = "measures:\n  own.a: {title: A, events: sales.conversion.v1, where: {kind: [no, 12, on]}}"
    assert read(text).measures[0].where == (Where("kind", ("no", "12", "on")),)


def many(count: int, line: str) -> str:
    return "".join(f"  {line.replace('N', str(number))}\n" for number in range(count))


DISTINCT = "own.mN: {title: A, events: web.session.v1, fold: distinct, field: session_id}"
VALUES = ",".join(map(str, range(51)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("measures:\n" + many(101, "own.mN: {title: A, events: web.session.v1}"), "is 100"),
        ("kpis:\n" + many(201, "own.kN: {formula: leads}"), "is 200"),
        ("measures:\n" + many(11, DISTINCT), "only 10"),
        (kpi("+".join(["leads"] * 100)), "1 to 500"),
        ("#" * 70_000, "65536 bytes"),
        (f"measures:\n  own.a: {{title: A, events: sales.conversion.v1, where: {{kind: [{VALUES}]}}}}", "is 50"),
        ("roles:\n" + many(21, "own-rN: {title: R, areas: [{title: A, lines: [bounce_rate]}]}"), "is 20"),
    ],
)
def test_more_than_a_limit_is_refused_with_the_limit(text: str, words: str) -> None:
    assert any(words in detail for *_, detail in wrong(text))


def test_as_much_as_the_limits_allow_is_taken() -> None:
    text = "measures:\n" + many(LIMITS.measures, "own.mN: {title: A, events: web.session.v1}")
    text += "kpis:\n" + many(LIMITS.kpis, f"own.kN: {{formula: own.m1 + own.m99, {KPI}}}")
    assert len(read(text).kpis) == 200


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_whatever_the_reader_lets_through_can_be_counted(event_type: str) -> None:
    for name, field in {**fields_of(event_type), "labels.product": Field(Sort.TEXT)}.items():
        fold = {Sort.NUMBER: None if event_type in SNAPSHOTS else "sum", Sort.TEXT: "distinct"}.get(field.sort)
        reads = f"fold: {fold}, field: '{name}'" if fold else f"where: {{'{name}': {{present: true}}}}"
        document = read(f"measures:\n  own.a: {{title: A, events: {event_type}, {reads}}}")
        assert compile_measures(document.measures)


def test_a_total_so_far_is_never_added_up() -> None:
    for event_type, field in (("social.audience.snapshot.v1", "count"), ("ads.delivery.v1", "clicks")):
        text = f"measures:\n  own.a: {{title: A, events: {event_type}, fold: sum, field: {field}}}"
        assert ["would add up totals so far" in detail for *_, detail in wrong(text)] == [True]


def test_labels_and_fields_of_objects_are_conditions_that_count() -> None:
    text = """
measures:
  own.labelled: {title: A, events: web.session.v1, where: {labels.product: beans}}
  own.mailed: {title: A, events: web.session.v1, where: {utm.medium: email, author.verified: true}}
"""
    counts = compile_measures(read(text).measures)["web.session.v1"]
    session = {"brand": "b", "channel": "web", "session_id": "s", "pages": 1, "seconds": 1, "bounced": False}
    told: list[dict[str, object]] = [
        {},
        {"labels": {"product": "beans"}},
        {"labels": {"product": "tea"}},
        {"utm": {"medium": "email"}, "author": {"id": "a", "verified": True}},
        {"utm": {"medium": "email"}, "author": {"id": "a"}},
    ]
    group = Group()
    for more in told:
        data = msgspec.convert({**session, **more}, WebSessionData)
        for count in counts:
            count(data, Derived(0, True, None, None, None), group)
    assert group.sums == {"own.labelled": 1, "own.mailed": 1}


def test_a_problem_repeats_nothing_of_what_was_sent() -> None:
    text = kpi("sekret_word / leads").replace("count", "sekret_word")
    assert len(wrong(text)) == 2
    assert not any("sekret" in detail for *_, detail in wrong(text))
