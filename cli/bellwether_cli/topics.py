"""`bellwether topics`: the topics in Kafka."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bellwether.adapters.kafka.topics import Topic, create_topics
from bellwether.adapters.postgres.pool import open_pool
from bellwether.adapters.stream import initialise
from bellwether.wire.topics import EVENTS, TOPICS
from bellwether_cli import options, terminal

app = typer.Typer(no_args_is_help=True, help="Topics in Kafka.")

_DAY_MS = 86_400_000
_EVENTS_DAYS = EVENTS.retention.days if EVENTS.retention else -1
_SAFE_REPLICATION = 3


def bellwether_topics(replication: int = 1, *, partitions: int | None = None, days: int | None = None) -> list[Topic]:
    """Every topic of Bellwether as `bellwether.wire.topics` defines it.

    `partitions` and `days` change what the events topic has by default; days are how long events are kept, -1 for
    ever. With three replicas or more, two have to have a record before it counts as written.
    """
    safe = {"min.insync.replicas": "2" if replication >= _SAFE_REPLICATION else "1"}
    topics = [Topic(topic.name, topic.partitions, replication, {**topic.config(), **safe}) for topic in TOPICS]
    own = {} if days is None else {"retention.ms": str(days * _DAY_MS if days >= 0 else -1)}
    events = topics[0]
    topics[0] = Topic(events.name, partitions or events.partitions, replication, {**events.configs, **own})
    return topics


async def prepare(kafka: str, postgres: str, topics: Sequence[Topic]) -> list[str]:
    """Make the topics that are missing, give their names, and tie the events topic to its offsets in Postgres.

    The database has to be migrated. Repeating it changes nothing. Raises TopicFailed and Unavailable.
    """
    made = await create_topics(kafka, topics)
    async with open_pool(postgres, max_size=1) as pool:
        await initialise(pool, kafka, options.EVENTS_TOPIC)
    return made


@app.command("create")
def create(
    kafka: options.Kafka = options.KAFKA,
    postgres: options.Postgres = options.POSTGRES,
    partitions: Annotated[
        int, typer.Option(min=1, help="Bound of parallel compute workers; cannot be changed later.")
    ] = EVENTS.partitions,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each record, on as many brokers.")] = 1,
    days: Annotated[int, typer.Option(min=-1, help="Days that events are kept; -1 for ever.")] = _EVENTS_DAYS,
) -> None:
    """Make the topics that are missing and their first offsets in the migrated database; what exists stays as it is."""
    wanted = bellwether_topics(replication, partitions=partitions, days=days)
    made = terminal.run(prepare(kafka, postgres, wanted))
    for topic in wanted:
        terminal.say(f"{topic.name}: {'created' if topic.name in made else 'exists'}")


@app.callback()
def _topics() -> None:
    """Topics in Kafka."""
