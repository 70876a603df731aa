"""Tables as files: CSV (RFC 4180, UTF-8) and XLSX workbooks.

Text from outside stays text: no cell begins a formula in whatever program opens the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

Cell: TypeAlias = str | float | int | bool | datetime | None

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_LONGEST_CELL = 32_000  # a cell of a workbook holds 32,767 characters
_WIDTHS = (10, 60)  # of a column, in characters


class Sheet(NamedTuple):
    """A table with a head; None is an empty cell, moments are UTC."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


def csv_of(sheet: Sheet) -> bytes:
    """The sheet as CSV with a head line. Text that would begin a formula is led by an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(sheet.head)
    writer.writerows([_plain(cell) for cell in row] for row in sheet.rows)
    return out.getvalue().encode()


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(cell, str):
        return _harmless(cell)
    return repr(cell)


def _harmless(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_FORMULA) else text


def xlsx_of(sheets: Sequence[Sheet], title: str, made_at: datetime) -> bytes:
    """A workbook of the sheets. The same sheets give the same bytes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"title": title, "created": made_at.astimezone(UTC).replace(tzinfo=None)})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for sheet in sheets:
        _fill(book.add_worksheet(sheet.title), sheet, head, moment)
    book.close()
    return out.getvalue()


def _fill(page: Worksheet, sheet: Sheet, head: Format, moment: Format) -> None:
    for column, title in enumerate(sheet.head):
        page.write_string(0, column, title, head)
        page.set_column(column, column, _width(title, [row[column] for row in sheet.rows]))
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, max(1, len(sheet.rows)), len(sheet.head) - 1)
    page.repeat_rows(0)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    for at, row in enumerate(sheet.rows, start=1):
        for column, cell in enumerate(row):
            _write(page, at, column, cell, moment)


def _width(title: str, cells: Sequence[Cell]) -> int:
    narrowest, widest = _WIDTHS
    longest = max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
    return min(max(narrowest, len(title) // 2, longest), widest)


def _write(page: Worksheet, row: int, column: int, cell: Cell, moment: Format) -> None:
    # Each kind by its own method: the general one would take text for numbers, links and formulas.
    if cell is None:
        return
    if isinstance(cell, bool):
        page.write_boolean(row, column, cell)
    elif isinstance(cell, datetime):
        page.write_datetime(row, column, cell.astimezone(UTC).replace(tzinfo=None), moment)
    elif isinstance(cell, str):
        page.write_string(row, column, cell[:_LONGEST_CELL])
    else:
        page.write_number(row, column, cell)
