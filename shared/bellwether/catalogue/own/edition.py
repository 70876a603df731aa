"""Editions: a document with the versions that its measures and KPIs have by now.

A measure that counts something else than before is a new one under the same key: it is kept
apart, and what the old one counted stays. A KPI whose number changes its meaning gets a new
version; earlier ones go on with the measures that they were made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec

from bellwether.catalogue.expressions import ExpressionError, parse_formula
from bellwether.catalogue.formula import AnyFormula
from bellwether.catalogue.measures import Fold, Measure
from bellwether.catalogue.own.document import LIMITS, Document, Limits, OwnKpi


class NotTaken(Exception):
    """A document that is right by itself cannot follow the one before it.

    pointer: the JSON pointer to what is in the way
    """

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


class MeasureVersion(msgspec.Struct, frozen=True):
    """A measure as it was written, and its version."""

    written: Measure
    version: int

    @property
    def stored_as(self) -> str:
        """The key under which it is counted."""
        return self.written.key if self.version == 1 else f"{self.written.key}#{self.version}"

    def stored(self) -> Measure:
        """The measure as it is counted."""
        return msgspec.structs.replace(self.written, key=self.stored_as)


class KpiVersion(msgspec.Struct, frozen=True):
    """A KPI as it was written, its version, and the local date from which it holds.

    names: the versions of the own measures in its formula, by the key they are written with
    """

    written: OwnKpi
    version: int
    valid_from: date
    names: dict[str, MeasureVersion]

    def formula(self) -> AnyFormula:
        """Its formula over measures as they are counted. Raises ExpressionError."""
        return parse_formula(self.written.formula, {key: of.stored() for key, of in self.names.items()})


class Edition(msgspec.Struct, frozen=True):
    """What holds for a tenant after its document was taken.

    measures: as written in the document
    kpis: of each its versions, oldest first
    numbers: the last version of every key that there ever was
    """

    document: Document
    measures: tuple[MeasureVersion, ...] = ()
    kpis: tuple[tuple[KpiVersion, ...], ...] = ()
    numbers: dict[str, int] = {}

    def counted(self) -> dict[str, Measure]:
        """The measures to count, by the key they are counted under; earlier versions of KPIs need theirs, too."""
        needed = (name for kpi in self.kpis for version in kpi for name in version.names.values())
        return {of.stored_as: of.stored() for of in (*self.measures, *needed)}


EMPTY = Edition(Document())


def next_edition(before: Edition, document: Document, today: date, limits: Limits = LIMITS) -> Edition:
    """The edition of a document that was found to be right, after the one before it.

    today: from when a changed formula holds, unless the document says so
    Raises NotTaken where past periods would change and nobody says so, and where too much would be counted.
    """
    numbers = dict(before.numbers)
    known = {of.written.key: of for of in before.measures}
    measures = {measure.key: _measure(measure, known.get(measure.key), numbers) for measure in document.measures}
    histories = {versions[-1].written.key: versions for versions in before.kpis}
    kpis = tuple(_kpi(kpi, histories.get(kpi.key, ()), measures, numbers, today) for kpi in document.kpis)
    edition = Edition(document, tuple(measures.values()), kpis, numbers)
    _check_counted(edition.counted().values(), limits)
    return edition


def _check_counted(measures: Iterable[Measure], limits: Limits) -> None:
    """Earlier versions count towards what is counted, but not towards what may be written."""
    folds = [measure.fold for measure in measures]
    for found, most, what in (
        (len(folds), limits.counted, "measures"),
        (folds.count(Fold.DISTINCT), 2 * limits.distinct, "distinct counts"),
    ):
        if found > most:
            raise NotTaken(
                "/measures",
                f"with those that earlier versions of KPIs need, {found} {what} would be counted; the limit is {most}. "
                "Give a KPI that changed a new key to end its earlier versions",
            )


def _measure(written: Measure, known: MeasureVersion | None, numbers: dict[str, int]) -> MeasureVersion:
    if known is not None and _counts_alike(known.written, written):
        return msgspec.structs.replace(known, written=written)
    number = numbers[written.key] = numbers.get(written.key, 0) + 1
    return MeasureVersion(written, number)


def _counts_alike(one: Measure, other: Measure) -> bool:
    return msgspec.structs.replace(one, title="") == msgspec.structs.replace(other, title="")


def _kpi(
    written: OwnKpi,
    history: tuple[KpiVersion, ...],
    measures: Mapping[str, MeasureVersion],
    numbers: dict[str, int],
    today: date,
) -> tuple[KpiVersion, ...]:
    made = KpiVersion(written, numbers.get(written.key, 0) + 1, written.valid_from or today, _own_in(written, measures))
    if history and _means_alike(history[-1], made):
        current, history = history[-1], history[:-1]
        made = msgspec.structs.replace(made, version=current.version)
        if written.valid_from in (None, current.valid_from):
            return (*history, msgspec.structs.replace(made, valid_from=current.valid_from))
        _check_restated(written, changes_past=bool(history))
    elif history and written.valid_from is not None:
        _check_restated(written, changes_past=written.valid_from <= history[-1].valid_from)
    numbers[written.key] = made.version
    return (*_kept(history, made), made)


def _check_restated(written: OwnKpi, *, changes_past: bool) -> None:
    if changes_past and not written.restate:
        detail = "would change what past periods show; give a later date, or say restate: true"
        raise NotTaken(f"/kpis/{written.key}/valid_from", detail)


def _kept(history: tuple[KpiVersion, ...], following: KpiVersion) -> Iterator[KpiVersion]:
    """The earlier versions that still hold on some day. On the days before it, the first one does."""
    restated = following.written.restate
    if restated and following.written.valid_from is None:
        return
    for at, version in enumerate(history):
        if version.valid_from < following.valid_from or (at == 0 and not restated):
            yield version


def _own_in(written: OwnKpi, measures: Mapping[str, MeasureVersion]) -> dict[str, MeasureVersion]:
    """The own measures that a formula names."""
    named = parse_formula(written.formula, {key: of.written for key, of in measures.items()}).measures()
    return {key: measures[key] for key in named if key in measures}


def _means_alike(one: KpiVersion, other: KpiVersion) -> bool:
    try:
        return one.formula() == other.formula() and one.written.unit == other.written.unit
    except ExpressionError:  # the earlier one names what a newer release no longer has
        return False
