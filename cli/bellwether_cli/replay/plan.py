"""What is to be sent of a file, in which order and with which times. Pure but for reading the file."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from bellwether_cli.replay import mapping
from bellwether_cli.replay.mapping import Event, Mapped, RowMapping, moment, rfc3339
from bellwether_cli.replay.rows import columns, rows
from bellwether_cli.replay.template import MappingError, Row, RowError

CANONICAL = "events"
"""`--map` for JSON lines that hold canonical events already."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A file and how to send it.

    `rebase_to` shifts all times by one amount so that the last event falls on it; `shuffle` is a seed;
    `in_time_order` sorts by time, as pacing needs; `limit` counts rows of the file.
    """

    path: Path
    mapping: RowMapping | None
    brand: str | None = None
    rebase_to: datetime | None = None
    shuffle: int | None = None
    in_time_order: bool = False
    limit: int | None = None

    def results(self) -> Iterator[Mapped]:
        """Every row's event or fault. Rows stay on disk unless order, shift or threads need all."""
        found = self._mapped(islice(rows(self.path), self.limit))
        if self.rebase_to is None and self.shuffle is None and not self.in_time_order:
            return found
        return iter(self._arranged([*found]))

    def _mapped(self, found: Iterable[Row]) -> Iterator[Mapped]:
        if self.mapping is None:
            return _canonical(found, self.brand)
        return self.mapping.events(found, file=self.path.name, brand=self.brand)

    def _arranged(self, results: list[Mapped]) -> list[Mapped]:
        if self.rebase_to:
            results = rebased(results, self.rebase_to)
        if self.in_time_order:
            results.sort(key=lambda result: time_of(result.event) if result.event else datetime.min.replace(tzinfo=UTC))
        if self.shuffle is not None:
            random.Random(self.shuffle).shuffle(results)  # noqa: S311 - an order, not a secret
        return results


def choose(path: Path, name: str | None) -> RowMapping | None:
    """The mapping of that name or path; without one, guessed from the columns. None: canonical events.

    Raises MappingError where nothing fits.
    """
    if name == CANONICAL:
        return None
    if name is not None:
        return mapping.load(name)
    header = columns(path)
    if "specversion" in header:
        return None
    if guessed := mapping.guess(header):
        return mapping.load(guessed)
    raise MappingError(
        f"{path.name}: the columns {', '.join(header) or '(none)'} fit no built-in mapping; "
        "name one with --map, or write one (docs/replay.md)"
    )


def time_of(event: Event) -> datetime:
    """The event's time; now where it has none, as the intake would take it."""
    return moment(event["time"], UTC) if event.get("time") else datetime.now(UTC)


def brand_of(event: Event) -> str:
    """The slug of the event's brand, empty where it names none."""
    data = event.get("data")
    return str(data.get("brand") if isinstance(data, dict) else "")


def rebased(results: list[Mapped], last: datetime) -> list[Mapped]:
    """All times moved by one amount so that the latest falls on `last`.

    The source names the moment, because these are other events than the file's own: a repeat with the same
    moment adds nothing, one with another moment counts anew.
    """
    times = [time_of(result.event) for result in results if result.event]
    if not times:
        return results
    shift = last - max(times)
    return [_shifted(result, shift, f"?rebased-to={rfc3339(last)}") for result in results]


def _shifted(result: Mapped, shift: timedelta, mark: str) -> Mapped:
    if result.event is None:
        return result
    event = result.event
    return replace(
        result,
        event={**event, "source": f"{event['source']}{mark}", "time": rfc3339(time_of(event) + shift)},
    )


def _canonical(found: Iterable[Row], brand: str | None) -> Iterator[Mapped]:
    for number, row in enumerate(found, start=1):
        event = dict(row)
        data = event.get("data")
        if brand and isinstance(data, dict):
            event["data"] = {**data, "brand": brand}
        try:
            moment(event.get("time", 0), UTC)
        except RowError as error:
            yield Mapped(number, fault=str(error))
        else:
            yield Mapped(number, event)
