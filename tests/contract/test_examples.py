"""Every event type has examples, and the decoder and the schema agree on them."""

from typing import Any, get_type_hints

import msgspec
import pytest
from jsonschema import Draft202012Validator

from bellwether.wire.events import EVENT_TYPES, UNREADABLE, decode_event, encode_event, explain, type_name
from bellwether.wire.schema import schema_of
from bellwether.wire.strict import fault
from tests.contract.examples import Invalid, encode, read_examples

EXAMPLES = read_examples()
VALIDATORS = {
    name: Draft202012Validator(schema_of(event), format_checker=Draft202012Validator.FORMAT_CHECKER)
    for name, event in EVENT_TYPES.items()
}
VALID = [
    pytest.param(name, example.event, id=f"{name}: {example.title}")
    for name, examples in EXAMPLES.items()
    for example in examples.valid
]
INVALID = [
    pytest.param(name, examples.broken(example), example, id=f"{name}: {example.because}")
    for name, examples in EXAMPLES.items()
    for example in examples.invalid
]


def test_every_type_has_examples_and_every_example_a_type() -> None:
    assert set(EXAMPLES) == set(EVENT_TYPES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_type_has_two_valid_and_three_invalid_examples(name: str) -> None:
    assert len(EXAMPLES[name].valid) >= 2
    assert len(EXAMPLES[name].invalid) >= 3


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_valid_examples_of_a_type_show_every_field_it_requires(name: str) -> None:
    required = schema_of(EVENT_TYPES[name])["$defs"][f"{EVENT_TYPES[name].__name__}Data"]["required"]
    assert set(required) <= set(EXAMPLES[name].valid[0].event["data"])


@pytest.mark.parametrize(("name", "event"), VALID)
def test_a_valid_example_is_decoded_to_its_type(name: str, event: Any) -> None:
    raw = encode(event)
    assert fault(raw) is None
    assert type_name(decode_event(raw)) == name


@pytest.mark.parametrize(("name", "event"), VALID)
def test_a_valid_example_meets_its_schema(name: str, event: Any) -> None:
    assert [error.message for error in VALIDATORS[name].iter_errors(event)] == []


@pytest.mark.parametrize(("name", "event"), VALID)
def test_a_valid_example_survives_encoding(name: str, event: Any) -> None:
    decoded = decode_event(encode(event))
    assert decode_event(encode_event(decoded)) == decoded


@pytest.mark.parametrize(("name", "event", "example"), INVALID)
def test_an_invalid_example_is_refused_at_its_pointer(name: str, event: Any, example: Invalid) -> None:
    with pytest.raises(UNREADABLE) as caught:
        decode_event(encode(event))
    assert [error.pointer for error in explain(caught.value)] == [example.pointer]


@pytest.mark.parametrize(("name", "event", "example"), INVALID)
def test_the_schema_refuses_an_invalid_example_where_it_has_words(name: str, event: Any, example: Invalid) -> None:
    assert example.schema in ("refuses", "silent")
    assert VALIDATORS[name].is_valid(event) == (example.schema == "silent")


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_the_schema_knows_the_fields_that_the_decoder_knows(name: str) -> None:
    body = get_type_hints(EVENT_TYPES[name])["data"]
    known = {field.encode_name for field in msgspec.structs.fields(body)}
    schema = schema_of(EVENT_TYPES[name])["$defs"][f"{EVENT_TYPES[name].__name__}Data"]
    assert set(schema["properties"]) == known
