"""JSON Schema 2020-12 of every event type, generated from the structs.

`python -m bellwether.wire.schema` writes docs/schemas anew; a contract test compares the files with the code.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from bellwether.wire.events import EVENT_TYPES
from bellwether.wire.events.envelope import Envelope

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DIRECTORY: Final = Path("docs/schemas")

Schema: TypeAlias = dict[str, Any]


def schema_of(event: type[Envelope]) -> Schema:
    """The schema of one event type, complete in itself.

    It says less than the decoder where JSON Schema has no words: two fields compared, the range of an instant.
    """
    _, components = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    definitions = {name: _polished(component) for name, component in components.items()}
    root = definitions.pop(event.__name__)
    return {"$schema": DIALECT, **root, "$defs": definitions}


def schema_of_any() -> Schema:
    """The schema of any event: which file of this directory holds the schema of which type."""
    return {
        "$schema": DIALECT,
        "title": "Event",
        "description": "Any event of the contract. Its `type` says which one.",
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": list(EVENT_TYPES)}},
        "oneOf": [{"$ref": f"{name}.json"} for name in EVENT_TYPES],
    }


def summary_of(event: type[Envelope]) -> str:
    """The first line of the type's docstring."""
    return (event.__doc__ or "").partition("\n")[0]


def documents() -> dict[str, str]:
    """What the directory holds, by file name: a schema per type, one of them all, and an overview."""
    schemas = {f"{name}.json": schema_of(event) for name, event in EVENT_TYPES.items()}
    schemas["index.json"] = schema_of_any()
    return {file: _text(schema) for file, schema in schemas.items()} | {"README.md": _overview()}


def write(directory: Path) -> None:
    """Write all documents, and remove the schemas of types that are no more."""
    directory.mkdir(parents=True, exist_ok=True)
    current = documents()
    for stale in directory.glob("*.json"):
        if stale.name not in current:
            stale.unlink()
    for file, text in current.items():
        (directory / file).write_text(text, encoding="utf-8")


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _polished(node: Any) -> Any:
    """What msgspec writes, without noise and with the two things that it cannot know."""
    if isinstance(node, list):
        return [_polished(item) for item in node]
    if not isinstance(node, dict):
        return node
    polished = {key: _polished(value) for key, value in node.items() if (key, value) != ("default", None)}
    if polished.get("format") == "decimal":
        # Money is read from a number, too, digit by digit; "decimal" is no format of the standard.
        polished |= {"type": ["string", "number"]}
        del polished["format"]
    if isinstance(polished.get("enum"), list) and len(polished["enum"]) == 1:
        polished["const"] = polished.pop("enum")[0]
    return _optional(polished)


def _optional(node: Schema) -> Schema:
    """Write `anyOf: [{type: string, …}, {type: "null"}]` as `type: [string, "null"]`: the same, a third as long."""
    known, *others = node.get("anyOf", [{}])
    if others != [{"type": "null"}] or not isinstance(known.get("type"), str):
        return node
    beside = {key: value for key, value in node.items() if key != "anyOf"}
    return {**known, **beside, "type": [known["type"], "null"]}


def _overview() -> str:
    lines = [
        "# Event schemas",
        "",
        "Generated from `bellwether.wire.events` by `python -m bellwether.wire.schema`; edit the structs, not",
        "these files. Each schema is the whole CloudEvents envelope of one type in structured mode. Unknown",
        "fields are legal and passed on. Examples of all of them: `tests/contract/examples`.",
        "",
        "| type | what it says | required in `data`, besides `brand` and `channel` |",
        "|---|---|---|",
    ]
    return "\n".join(lines + [_row(name, event) for name, event in EVENT_TYPES.items()]) + "\n"


def _row(name: str, event: type[Envelope]) -> str:
    body = schema_of(event)["$defs"][f"{event.__name__}Data"]
    required = [f"`{field}`" for field in body["required"] if field not in ("brand", "channel")]
    return f"| [{name}]({name}.json) | {summary_of(event)} | {', '.join(required)} |"


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else DIRECTORY)
