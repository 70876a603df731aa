"""The committed schemas and the code may not part."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from bellwether.wire.events import EVENT_TYPES
from bellwether.wire.schema import documents
from tests.contract.examples import read_examples

DIRECTORY = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize(("file", "text"), documents().items())
def test_a_committed_schema_is_what_the_code_says(file: str, text: str) -> None:
    assert (DIRECTORY / file).read_text(encoding="utf-8") == text, "run `python -m bellwether.wire.schema`"


def test_no_schema_of_a_former_type_is_left() -> None:
    assert {path.name for path in DIRECTORY.iterdir()} == set(documents())


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_schema_is_itself_valid(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(documents()[f"{name}.json"]))


def test_the_index_finds_the_schema_of_every_example() -> None:
    schemas = {file: json.loads(text) for file, text in documents().items() if file.endswith(".json")}
    registry: Registry[Any] = Registry().with_resources(
        (file, Resource.from_contents(schema)) for file, schema in schemas.items()
    )
    any_event = Draft202012Validator(schemas["index.json"], registry=registry)
    for examples in read_examples().values():
        for example in examples.valid:
            any_event.validate(example.event)
    assert not any_event.is_valid({"type": "social.unheard.of.v1"})
