"""Reading rows: CSV, TSV and JSON lines, each also with .gz; one row in memory at a time."""

import csv
import gzip
import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from bellwether_cli.replay.template import Row, RowError

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = {".jsonl", ".ndjson", ".jsonlines"}
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a post may be longer than the module's 128 KiB


def suffix(path: Path) -> str:
    """The file's format by its name: `.csv`, `.tsv`, `.jsonl`, …, without a `.gz` behind it."""
    return Path(path.stem if path.suffix == ".gz" else path.name).suffix.lower()


def columns(path: Path) -> list[str]:
    """Names of the columns: the header of a CSV file, the fields of the first JSON line."""
    return list(next(iter(rows(path)), {}))


def rows(path: Path) -> Iterator[Row]:
    """Rows in the order of the file.

    Raises RowError for an unknown format, text that is not UTF-8 and JSON that is none, with its line.
    """
    form = suffix(path)
    try:
        with _open(path) as file:
            if form in _SEPARATORS:
                yield from _separated(file, _SEPARATORS[form])
            elif form in _JSON_LINES:
                yield from _json_lines(file)
            else:
                raise RowError(f"{path.name}: neither .csv, .tsv nor .jsonl (each also .gz)")
    except (UnicodeDecodeError, csv.Error) as error:
        raise RowError(f"{path.name}: {error}") from error


def _open(path: Path) -> IO[str]:
    # utf-8-sig drops the mark that spreadsheets put before the first column's name.
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _separated(file: IO[str], separator: str) -> Iterator[Row]:
    for row in csv.DictReader(file, delimiter=separator):
        # Cells beyond the header are gathered under None; cells missing at the end are None.
        yield {name: cell for name, cell in row.items() if name is not None}


def _json_lines(file: IO[str]) -> Iterator[Row]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise RowError(f"line {number}: {error}") from error
        if not isinstance(row, Mapping):
            raise RowError(f"line {number}: expected an object")
        yield row
