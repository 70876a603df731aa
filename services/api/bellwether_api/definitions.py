"""The catalogue as the API shows it. It is fixed while the process lives, so it is encoded once."""

from bellwether.catalogue.builtin import CATALOGUE
from bellwether.catalogue.kpi import Kpi
from bellwether.catalogue.measures import BY_KEY
from bellwether.domain.errors import UnknownKpi
from bellwether_api.shapes import Catalogue, FormulaOut, KpiOut, MeasureOut
from bellwether_api.wording import wording


def kpi_of(key: str) -> Kpi:
    """The KPI of that key. Raises UnknownKpi."""
    found = CATALOGUE.get(key)
    if found is None:
        raise UnknownKpi("GET /v1/kpis lists the keys of all KPIs.")
    return found


def _measure(key: str) -> MeasureOut:
    measure = BY_KEY[key]
    return MeasureOut(measure.key, measure.title, measure.fold)


def definition(kpi: Kpi) -> KpiOut:
    """A KPI's definition."""
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
        measures=[_measure(key) for key in kpi.shown()],
    )


DEFINITIONS: dict[str, KpiOut] = {key: definition(kpi) for key, kpi in CATALOGUE.items()}
WHOLE = Catalogue(list(DEFINITIONS.values()))
