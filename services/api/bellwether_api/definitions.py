"""The catalogue as the API shows it. It is fixed while the process lives, so it is encoded once."""

from itertools import pairwise

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.kpi import Benchmark, Kpi
from bellwether.catalogue.measures import measure_of
from bellwether.catalogue.own import BUILT_IN, TenantCatalogue
from bellwether.catalogue.provenance import events_behind
from bellwether.domain.errors import UnknownKpi
from bellwether_api.shapes import BenchmarkOut, Catalogue, FormulaOut, KpiOut, KpiVersionOut, MeasureOut
from bellwether_api.wording import wording


def kpi_of(key: str, catalogue: TenantCatalogue = BUILT_IN) -> Kpi:
    """The KPI of that key. Raises UnknownKpi."""
    found = catalogue.kpis.get(key)
    if found is None:
        raise UnknownKpi("GET /v1/kpis lists the keys of all KPIs.")
    return found


def definition(kpi: Kpi) -> KpiOut:
    """A KPI's definition. Raises KeyError where it names a measure that there is not."""
    return KpiOut(
        key=kpi.key,
        title=kpi.title,
        meaning=kpi.meaning,
        formula=FormulaOut(*wording(kpi.formula)),
        unit=kpi.unit,
        better=kpi.better,
        kind=kpi.kind,
        kra=kpi.kra,
        version=kpi.version,
        valid_from=kpi.valid_from,
        home_window=kpi.home,
        measures=[_measure(kpi, key) for key in kpi.shown()],
        evidence=kpi.evidence,
        control=kpi.control,
        screened=FormulaOut(*wording(kpi.screened)) if kpi.screened else None,
        benchmarks=[_benchmark(benchmark) for benchmark in kpi.benchmarks],
        events=list(events_behind(kpi)),
        versions=_versions(kpi),
    )


def _measure(kpi: Kpi, key: str) -> MeasureOut:
    measure = next((own for own in kpi.own if own.key == key), None) or measure_of(key)
    if measure is None:
        raise KeyError(key)
    return MeasureOut(key, measure.title, measure.fold)


def _benchmark(benchmark: Benchmark) -> BenchmarkOut:
    return BenchmarkOut(benchmark.channel, benchmark.good, benchmark.great, benchmark.source)


def _versions(kpi: Kpi) -> list[KpiVersionOut]:
    return [
        KpiVersionOut(
            version=version.version,
            valid_from=version.valid_from,
            valid_until=following.valid_from if following else None,
            title=version.title,
            meaning=version.meaning,
            formula=FormulaOut(*wording(version.formula)),
        )
        for version, following in pairwise((*kpi.versions(), None))
        if version
    ]


DEFINITIONS: dict[str, KpiOut] = {key: definition(kpi) for key, kpi in CATALOGUE.items()}
WHOLE = Catalogue(list(DEFINITIONS.values()))
