"""The topics of Bellwether and what makes them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from bellwether.domain.errors import BellwetherError, Unavailable

_DEADLINE_S = 20.0
_POLL_S = 0.02
_FENCED_S = 0.2
_FENCED = "currently fenced"
_ALREADY_EXISTS: int = TopicAlreadyExistsError.errno


class TopicFailed(BellwetherError):
    """Kafka refused to make a topic; the message has its words."""

    title = "A topic could not be made"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be. `configs` are Kafka's own names and texts."""

    name: str
    partitions: int
    replication: int = 1
    configs: Mapping[str, str] = field(default_factory=dict)


async def create_topics(bootstrap: str, topics: Sequence[Topic], deadline_s: float = _DEADLINE_S) -> list[str]:
    """Make the topics that are missing and give their names; those that exist stay as they are.

    All of them can be written to and read when it returns. Raises TopicFailed where Kafka refuses one, and
    Unavailable where it does not answer in time.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(deadline_s * 1000))
    try:
        async with asyncio.timeout(deadline_s):
            await admin.start()
            made = await _make(admin, topics)
            await _have_leaders(admin, topics)
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka does not answer at {bootstrap}.") from error
    finally:
        await admin.close()
    return made


async def _make(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> list[str]:
    """Make topics; a broker whose heartbeat came late is fenced for a moment, and makes none meanwhile."""
    made: list[str] = []
    while True:
        answer = await admin.create_topics([_new(topic) for topic in topics])
        told = [(name, code, detail[0] if detail else None) for name, code, *detail in answer.topic_errors]
        fenced = [name for name, _, detail in told if _FENCED in (detail or "")]
        made += [name for name, code, detail in told if name not in fenced and _made(name, code, detail)]
        if not fenced:
            return made
        await asyncio.sleep(_FENCED_S)


async def _have_leaders(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
    """A new topic is known at once, but its partitions answer only when the broker has heard that it leads them."""
    while True:
        described = await admin.describe_topics([topic.name for topic in topics])
        leaders = [partition["leader"] for topic in described for partition in topic["partitions"]]
        if all(topic["partitions"] for topic in described) and all(leader >= 0 for leader in leaders):
            return
        await asyncio.sleep(_POLL_S)


def _new(topic: Topic) -> NewTopic:
    return NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=dict(topic.configs))


def _made(name: str, code: int, detail: str | None = None) -> bool:
    if code not in (0, _ALREADY_EXISTS):
        raise TopicFailed(f"{name}: {detail or for_code(code).__name__}")
    return code == 0
