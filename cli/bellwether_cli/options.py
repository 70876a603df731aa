"""Options that several commands share. What the environment may supply is in `__main__`."""

from typing import Annotated

import typer

from bellwether.wire.topics import EVENTS

# What the environment supplies would be shown as the default: never for an option that carries a secret.
Postgres = Annotated[
    str, typer.Option("--postgres", help="Address of the database (BELLWETHER_POSTGRES_DSN).", show_default=False)
]
Pepper = Annotated[
    str, typer.Option("--pepper", help="Secret with which keys are hashed (BELLWETHER_KEY_PEPPER).", show_default=False)
]
Kafka = Annotated[str, typer.Option("--kafka", help="host:port of a broker (BELLWETHER_KAFKA_BOOTSTRAP).")]
Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Slug of the tenant.")]
Ingest = Annotated[str, typer.Option("--ingest", help="Address of the intake (BELLWETHER_INGEST_URL).")]
Api = Annotated[str, typer.Option("--api", help="Address of the API (BELLWETHER_API_URL).")]
Key = Annotated[str, typer.Option("--key", help="API key (BELLWETHER_KEY).", show_default=False)]

POSTGRES = "postgresql://bellwether@127.0.0.1:5432/bellwether"
KAFKA = "127.0.0.1:9092"
INGEST = "http://127.0.0.1:8081"
API = "http://127.0.0.1:8080"
EVENTS_TOPIC = EVENTS.name
