"""Exports hold what they were given, as text where it is text, in whatever program opens them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether_api.exports import Cell, Sheet, csv_of, xlsx_of
from bellwether_api.formats import CardFormat, TableFormat, asked_format, content_headers

NOON = datetime(2026, 10, 13, 12, tzinfo=UTC)
CARD = tuple(CardFormat)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(-1e9, 1e9), st.text(max_size=12)
)


def test_csv_is_as_rfc_4180_says() -> None:
    sheet = Sheet(
        "S", ("name", "n", "at", "good"), [('Ann "A", Bob', 1.5, NOON, True), ("two\r\nlines", None, None, False)]
    )
    assert csv_of(sheet) == (
        b'name,n,at,good\r\n"Ann ""A"", Bob",1.5,2026-10-13T12:00:00Z,true\r\n"two\r\nlines",,,false\r\n'
    )


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_what_is_read_from_csv_is_what_was_written(rows: list[tuple[Cell, ...]]) -> None:
    read = list(csv.reader(io.StringIO(csv_of(Sheet("S", ("a", "b"), rows)).decode(), newline="")))
    assert read[0] == ["a", "b"]
    for written, found in zip(rows, read[1:], strict=True):
        for cell, text in zip(written, found, strict=True):
            if isinstance(cell, str):
                assert text in {cell, f"'{cell}"}
            elif isinstance(cell, bool) or cell is None:
                assert text == {None: "", True: "true", False: "false"}[cell]
            else:
                assert float(text) == cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "  ="])
def test_text_that_would_begin_a_formula_does_not(start: str) -> None:
    text = f'{start}HYPERLINK("http://example.org")'
    ((found, number),) = list(
        csv.reader(io.StringIO(csv_of(Sheet("S", ("a", "b"), [(text, -5)])).decode(), newline=""))
    )[1:]
    assert (found, number) == (f"'{text}", "-5")
    page = openpyxl.load_workbook(io.BytesIO(xlsx_of([Sheet("S", ("a",), [(text,)])], "t", NOON))).worksheets[0]
    assert page["A2"].data_type == "s"


def test_a_workbook_holds_its_sheets_with_kinds_kept() -> None:
    local = datetime(2026, 10, 13, 14, tzinfo=timezone(timedelta(hours=2)))
    sheets = [
        Sheet("Numbers", ("n", "text", "at", "flag"), [(1.5, "1.5", local, True), (None, "", None, False)]),
        Sheet("Empty", ("nothing",), []),
    ]
    book = openpyxl.load_workbook(io.BytesIO(xlsx_of(sheets, "A title", NOON)))
    assert book.sheetnames == ["Numbers", "Empty"]
    assert [cell.value for cell in book["Numbers"][1]] == ["n", "text", "at", "flag"]
    assert [cell.value for cell in book["Numbers"][2]] == [1.5, "1.5", datetime(2026, 10, 13, 12), True]  # noqa: DTZ001
    assert [cell.value for cell in book["Numbers"][3]] == [None, "", None, False]
    assert book.properties.title == "A title"


def test_the_same_sheets_give_the_same_workbook() -> None:
    sheet = Sheet("S", ("a",), [("x",), (2,)])
    assert xlsx_of([sheet], "t", NOON) == xlsx_of([sheet], "t", NOON)


@pytest.mark.parametrize(
    ("asked", "accept", "expected"),
    [
        (None, None, "json"),
        (None, "*/*", "json"),
        (None, "text/csv", "csv"),
        (None, "text/csv;q=0.5, application/json", "json"),
        (None, "application/json;q=0.1, TEXT/CSV; Q=0.9", "csv"),
        (None, XLSX, "xlsx"),
        (None, CHROME, "html"),
        (None, "image/png", "json"),
        (None, "text/csv;q=0", "json"),
        (None, "text/csv;q=much", "json"),
        ("html", "text/csv", "html"),
    ],
)
def test_the_parameter_decides_then_accept_then_json(asked: str | None, accept: str | None, expected: str) -> None:
    assert asked_format(asked, accept, CARD) == expected


def test_a_browser_gets_json_where_no_page_is_offered() -> None:
    assert asked_format(None, CHROME, tuple(TableFormat)) == "json"


def test_a_file_name_holds_nothing_that_could_be_more_than_a_name() -> None:
    headers = content_headers("csv", "acme", '../../"x"\r\nSet-Cookie: a', "campaign", "späť/½")
    name = headers["Content-Disposition"].removeprefix("attachment; filename=")
    assert set(name.strip('"')) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert name.endswith('.csv"')
    assert headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert content_headers("html", "acme")["Content-Disposition"].startswith("inline")
