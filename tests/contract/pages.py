"""The generated pages of docs/: settings, metrics, KPIs and operators, as the code declares them.

`python -m tests.contract.pages` writes them anew; `test_generated_pages.py` compares them with the code.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from typer.main import get_command

from bellwether.observability import metrics
from bellwether_api.settings import Settings as ApiSettings
from bellwether_cli.__main__ import ENVIRONMENT, app
from bellwether_compute.settings import Settings as ComputeSettings
from bellwether_ingest.settings import Settings as IngestSettings
from tests.contract.kpi_page import kpis_page
from tests.contract.markdown import page, row, table
from tests.contract.operators_page import operators_page

DIRECTORY: Final = Path("docs")

_SERVICES: Final[tuple[tuple[str, str, type[BaseSettings]], ...]] = (
    ("Intake", "bellwether_ingest", IngestSettings),
    ("Compute", "bellwether_compute", ComputeSettings),
    ("API", "bellwether_api", ApiSettings),
)
_HEADINGS: Final = {
    "every service": "Every service",
    "ingest": "Intake",
    "compute": "Compute",
    "detection": "Detection",
    "alerts": "Alerts",
    "api": "API",
}
_BOUNDS: Final = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "min_length": "{} characters or more"}
_SECTION: Final = re.compile(r"# -+ (?P<title>[^-]+?) -+$")
_NAMED: Final = re.compile(r"\s*\(BELLWETHER_\w+\)")


def documents() -> dict[str, str]:
    """The pages by file name."""
    return {
        "settings.md": settings_page(),
        "metrics.md": metrics_page(),
        "kpis.md": kpis_page(),
        "operators.md": operators_page(),
    }


def write(directory: Path) -> None:
    """Write all pages."""
    for file, text in documents().items():
        (directory / file).write_text(text, encoding="utf-8")


# --- settings ---------------------------------------------------------------------------------------------------------
def settings_page() -> str:
    """Every environment variable of the services and of the command."""
    lines = ["Units stand in the names: `_s` seconds, `_bytes` bytes. A value out of its range stops the service."]
    for title, package, settings in _SERVICES:
        rows = (_setting(settings, name, field) for name, field in settings.model_fields.items())
        lines += ["", f"## {title}", "", f"Read by `python -m {package}`.", ""]
        lines += table(("variable", "default", "range", "what"), rows)
    lines += ["", "## The command `bellwether`", "", "Each stands in for the option of that name; the option wins.", ""]
    return page("Settings", "the settings classes", lines + table(("variable", "option", "what"), _options()))


def _setting(settings: type[BaseSettings], name: str, field: FieldInfo) -> tuple[str, str, str, str]:
    variable = f"{settings.model_config['env_prefix']}{name.upper()}"
    return f"`{variable}`", _default(field), _range(field), field.description or ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "none" if field.default in (None, ()) else f"`{field.default}`"


def _range(field: FieldInfo) -> str:
    said = []
    for bound in field.metadata:
        if pattern := getattr(bound, "pattern", None):
            said.append(f"`{pattern}`")
        said += [words.format(getattr(bound, name)) for name, words in _BOUNDS.items() if hasattr(bound, name)]
    return ", ".join(said)


def _options() -> Iterator[tuple[str, str, str]]:
    helps = {name: words for name, words in _parameters(get_command(app)) if words}
    for name, variable in ENVIRONMENT.items():
        yield f"`{variable}`", f"`--{name.replace('_', '-')}`", _NAMED.sub("", helps[name])


def _parameters(command: Any) -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        yield parameter.name, getattr(parameter, "help", None) or ""
    for inner in getattr(command, "commands", {}).values():
        yield from _parameters(inner)


# --- metrics ----------------------------------------------------------------------------------------------------------
def metrics_page() -> str:
    """Every metric, by the service that has it."""
    source = Path(str(metrics.__file__)).read_text(encoding="utf-8")
    comments, sections = _comments(source), _sections(source)
    lines = ["Every service answers `GET /metrics`. Labels have closed sets of values; none is a tenant, brand or key."]
    section = ""
    for node in ast.parse(source).body:
        metric = _declared(metrics, node)
        if metric is None:
            continue
        if (current := _section_of(node.lineno, sections)) != section:
            section = current
            lines += ["", f"## {_HEADINGS[section]}", "", *table(("metric", "type", "labels", "what"), ())]
        inside = " ".join(comments[n] for n in range(node.lineno, (node.end_lineno or 0) + 1) if n in comments)
        lines.append(row(_metric(metric, inside)))
    return page("Metrics", "`bellwether.observability.metrics`", lines)


def _declared(module: ModuleType, node: ast.stmt) -> MetricWrapperBase | None:
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
        return None
    found = getattr(module, node.targets[0].id)
    return found if isinstance(found, MetricWrapperBase) else None


def _metric(metric: MetricWrapperBase, comment: str) -> tuple[str, str, str, str]:
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    what = family.documentation
    if isinstance(metric, Histogram):
        what += f" Buckets: {', '.join(f'{bound:g}' for bound in metric._upper_bounds[:-1])}."
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    return f"`{name}`", family.type, labels + (f" ({comment})" if comment else ""), what


def _comments(source: str) -> dict[int, str]:
    """Comments by line: those inside a declaration name the values of its labels."""
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}


def _sections(source: str) -> list[tuple[int, str]]:
    lines = enumerate(source.splitlines(), 1)
    return [(number, found["title"]) for number, line in lines if (found := _SECTION.match(line))]


def _section_of(line: int, sections: Sequence[tuple[int, str]]) -> str:
    return [title for number, title in sections if number < line][-1]


if __name__ == "__main__":
    write(DIRECTORY)
