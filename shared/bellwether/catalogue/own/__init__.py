"""What a tenant defines itself: measures, KPIs, and the scorecards of roles, beside the built-in ones."""

from __future__ import annotations

from bellwether.catalogue.own.document import (
    KEY,
    LIMITS,
    PREFIX,
    ROLE,
    ROLE_PREFIX,
    Document,
    Limits,
    OwnKpi,
)
from bellwether.catalogue.own.edition import Edition, KpiVersion, MeasureVersion, NotTaken, next_edition
from bellwether.catalogue.own.tenant import BUILT_IN, TenantCatalogue, tenant_catalogue

__all__ = [
    "BUILT_IN",
    "KEY",
    "LIMITS",
    "PREFIX",
    "ROLE",
    "ROLE_PREFIX",
    "Document",
    "Edition",
    "KpiVersion",
    "Limits",
    "MeasureVersion",
    "NotTaken",
    "OwnKpi",
    "TenantCatalogue",
    "next_edition",
    "tenant_catalogue",
]
