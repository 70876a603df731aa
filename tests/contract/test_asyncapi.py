"""The committed AsyncAPI document, the topics and the schemas may not part."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bellwether.wire import asyncapi
from bellwether.wire.events import EVENT_TYPES
from bellwether.wire.topics import EVENTS, KPI_UPDATES, TOPICS, QuarantineHeader, Topic, event_key

DOCS = Path(__file__).parents[2] / "docs"


def references(node: Any) -> list[str]:
    match node:
        case {"$ref": str(target)}:
            return [target]
        case dict():
            return [target for value in node.values() for target in references(value)]
        case list():
            return [target for value in node for target in references(value)]
        case _:
            return []


def test_the_committed_document_is_what_the_code_says() -> None:
    committed = (DOCS / "asyncapi.yaml").read_text(encoding="utf-8")
    assert committed == asyncapi.text(), "run `python -m bellwether.wire.asyncapi`"


def test_the_yaml_says_the_same_as_the_data() -> None:
    assert yaml.safe_load(asyncapi.text()) == asyncapi.document()


def test_every_reference_leads_somewhere() -> None:
    document = asyncapi.document()
    for target in references(document):
        file, _, pointer = target.partition("#/")
        if file:
            assert (DOCS / file).is_file(), target
            continue
        node: Any = document
        for step in pointer.split("/"):
            node = node[step]


def test_every_topic_is_a_channel_and_every_event_type_a_message_of_the_first() -> None:
    channels = asyncapi.document()["channels"]
    assert set(channels) == {topic.name for topic in TOPICS}
    assert list(channels[EVENTS.name]["messages"]) == list(EVENT_TYPES)


def test_the_quarantine_message_names_the_headers_that_are_sent() -> None:
    headers = asyncapi.document()["components"]["messages"]["quarantined"]["headers"]
    assert set(headers["properties"]) == set(QuarantineHeader)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_is_described_with_the_settings_it_is_created_with(topic: Topic) -> None:
    binding = asyncapi.document()["channels"][topic.name]["bindings"]["kafka"]
    assert binding["partitions"] == topic.partitions
    assert str(binding["topicConfiguration"]["retention.ms"]) == topic.config()["retention.ms"]


def test_current_values_are_compacted_and_never_expire() -> None:
    assert KPI_UPDATES.config()["cleanup.policy"] == "compact"
    assert KPI_UPDATES.config()["retention.ms"] == "-1"


def test_all_of_a_brand_has_one_key() -> None:
    assert event_key("acme", "acme-coffee") == b"acme/acme-coffee"
