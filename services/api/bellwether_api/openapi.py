"""The OpenAPI document: what FastAPI knows of the routes, and the shapes of the answers.

`python -m bellwether_api.openapi` writes docs/openapi-api.json anew; a test compares it with the code.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import FastAPI

from bellwether.adapters.http.problems import MEDIA_TYPE, PROBLEM_SCHEMA
from bellwether_api.alert_shapes import ALERT_ANSWERS
from bellwether_api.backtest_shapes import BacktestOut
from bellwether_api.campaign_shapes import CAMPAIGN_ANSWERS
from bellwether_api.card_shapes import CARD_ANSWERS
from bellwether_api.documentation import components
from bellwether_api.examples import EXAMPLES
from bellwether_api.incident_shapes import INCIDENT_ANSWERS
from bellwether_api.integrity_shapes import INTEGRITY_ANSWERS
from bellwether_api.label_shapes import Label
from bellwether_api.own_shapes import OwnCatalogue
from bellwether_api.receipt_shapes import ReceiptPage
from bellwether_api.shapes import ANSWERS
from bellwether_api.stream.shapes import STREAM_SHAPES
from bellwether_api.target_shapes import TARGET_ANSWERS

FILE: Final = Path("docs/openapi-api.json")
TITLE: Final = "Bellwether API"
DESCRIPTION: Final = """KPIs and scorecards of a brand, while they move.

Every request carries an API key as `Authorization: Bearer bw_…`; the tenant comes from the key. Moments are RFC 3339, \
answered in UTC; days, weeks, months, quarters and years are those of the brand's time zone. A KPI that is undefined \
is null with a reason, never 0. Refusals are RFC 9457 problems, whose `errors` point at what is wrong: a JSON pointer \
into the body, or the name of a parameter or header. Unknown parameters are refused."""
TAGS: Final = [
    {"name": "brands", "description": "What events are sent for, and in which time zone their days are counted."},
    {"name": "catalogue", "description": "Every KPI: its meaning, formula and version."},
    {"name": "values", "description": "KPIs now, at another moment, and over time."},
    {"name": "scorecards", "description": "The KPIs of a role over a calendar period."},
    {"name": "targets", "description": "What KPIs are to be, whether history supports it, and how far they are."},
    {"name": "incidents", "description": "Crises: where each stands, who did what when, and what can be done now."},
    {"name": "stream", "description": "Values and crises as they change, as server-sent events."},
    {"name": "alerts", "description": "Who is told of crises, where and when, and whether it arrived."},
    {"name": "integrity", "description": "What is marked as inauthentic, by which rule, and what people say of it."},
    {"name": "operations", "description": "For whoever runs the service; no key is needed."},
]

_EXAMPLE_OF: Final = {type(example).__name__: msgspec.to_builtins(example) for example in EXAMPLES}


def describe(app: FastAPI) -> None:
    """Add to the app's document the shapes of all answers, their examples, and what every route may answer."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        document["components"]["schemas"].update(
            components((*ANSWERS, *CARD_ANSWERS, Label, ReceiptPage, *INTEGRITY_ANSWERS, OwnCatalogue, *TARGET_ANSWERS))
        )
        document["components"]["schemas"].update(components(INCIDENT_ANSWERS))
        document["components"]["schemas"].update(components(ALERT_ANSWERS))
        document["components"]["schemas"].update(components(STREAM_SHAPES))
        document["components"]["schemas"].update(components((BacktestOut, *CAMPAIGN_ANSWERS)))
        for path in document["paths"].values():
            for method, operation in path.items():
                _complete(method, operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    for answer in responses.values():
        content = answer.get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name in _EXAMPLE_OF:  # here, since FastAPI would leave its nulls out
            content["example"] = _EXAMPLE_OF[name]
    if "security" not in operation:
        return
    if method == "get" and "application/json" in responses["200"].get("content", {}):
        responses["304"] = {"description": "If-None-Match names what the answer would be"}
    responses["500"] = {"description": "A fault of ours", "content": {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}}}
    operation["responses"] = dict(sorted(responses.items()))


def text(document: dict[str, Any]) -> str:
    """The document as it is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the committed document."""
    from bellwether_api.app import documentation  # noqa: PLC0415 - the app imports this module

    FILE.write_text(text(documentation()), encoding="utf-8")


if __name__ == "__main__":
    main()
