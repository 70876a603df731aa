"""The catalogue of one tenant: the built-in one and what it defines itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.expressions import ExpressionError
from bellwether.catalogue.kpi import Kpi, Scorecard
from bellwether.catalogue.measures import BY_KEY, Measure, measure_of
from bellwether.catalogue.own.edition import Edition, KpiVersion
from bellwether.catalogue.scorecards import SCORECARDS


class TenantCatalogue(msgspec.Struct, frozen=True):
    """What holds for a tenant.

    kpis, cards: built-in and own, by key and by role
    counted: own measures, by the key they are counted under; those of earlier versions, too
    version: of its own definitions, 0 where there are none
    left_out: own KPIs that this release cannot read any more
    """

    kpis: Mapping[str, Kpi]
    cards: Mapping[str, Scorecard]
    counted: Mapping[str, Measure]
    version: int = 0
    left_out: tuple[str, ...] = ()

    def measure(self, key: str) -> Measure | None:
        """A built-in or own measure by the key it is counted under."""
        return self.counted.get(key) or measure_of(key)


BUILT_IN = TenantCatalogue(CATALOGUE, SCORECARDS, {})
"""The catalogue of a tenant that defines nothing."""


def tenant_catalogue(edition: Edition, version: int) -> TenantCatalogue:
    """The catalogue of the tenant whose edition this is."""
    own: dict[str, Kpi] = {}
    left_out: list[str] = []
    for versions in edition.kpis:
        key = versions[-1].written.key
        try:
            own[key] = _with_earlier(versions)
        except ExpressionError:  # it names what a newer release no longer has
            left_out.append(key)
    kpis = {**CATALOGUE, **own}
    cards = {card.role: card for card in edition.document.roles if all(key in kpis for key in card.kpis())}
    counted = {key: measure for key, measure in edition.counted().items() if key not in BY_KEY}
    return TenantCatalogue(kpis, {**SCORECARDS, **cards}, counted, version, tuple(left_out))


def _with_earlier(versions: tuple[KpiVersion, ...]) -> Kpi:
    *earlier, last = versions
    return _kpi(last, tuple(_kpi(version) for version in earlier))


def _kpi(version: KpiVersion, earlier: tuple[Kpi, ...] = ()) -> Kpi:
    written = version.written
    return Kpi(
        key=written.key,
        title=written.title,
        meaning=written.meaning,
        formula=version.formula(),
        unit=written.unit,
        better=written.better,
        kind=written.kind,
        evidence=written.evidence,
        control=written.control,
        kra=written.kra,
        version=version.version,
        valid_from=version.valid_from,
        home=written.home,
        earlier=earlier,
        own=tuple(of.stored() for of in version.names.values()),
    )
