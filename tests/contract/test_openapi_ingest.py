"""The committed OpenAPI document of the intake is the one that the code makes."""

from __future__ import annotations

import json
from pathlib import Path

from openapi_spec_validator import validate

from bellwether.wire.events import EVENT_TYPES
from bellwether_ingest.app import documentation
from bellwether_ingest.openapi import FILE, text

COMMITTED = Path(__file__).parents[2] / FILE


def test_the_committed_document_is_up_to_date() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == text(documentation()), "run: python -m bellwether_ingest.openapi"


def test_the_document_is_valid_openapi() -> None:
    document = json.loads(COMMITTED.read_text(encoding="utf-8"))
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_event_type_and_every_refusal_is_described() -> None:
    document = documentation()
    mapping = document["components"]["schemas"]["Event"]["discriminator"]["mapping"]
    assert set(mapping) == set(EVENT_TYPES)
    responses = document["paths"]["/v1/events"]["post"]["responses"]
    refusals = {"400", "401", "403", "404", "408", "413", "415", "422", "429", "500", "503"}
    assert set(responses) == {"202", *refusals}
    assert all("application/problem+json" in responses[status]["content"] for status in refusals)
