"""What an operator may set, each as BELLWETHER_INGEST_<NAME>."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the intake. Units stand in the names: _s seconds, _bytes bytes."""

    model_config = SettingsConfigDict(env_prefix="BELLWETHER_INGEST_", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8081, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    log_level: str = Field("INFO", description="Least severity that is logged.")
    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka brokers to ask first, host:port, by commas.")
    events_topic: str = Field("social.events.v1", description="Topic that accepted events are written to.")
    postgres_dsn: str = Field(
        "postgresql://bellwether@127.0.0.1:5432/bellwether", description="Postgres with tenants, brands and keys."
    )
    key_pepper: SecretStr = Field(min_length=16, description="Secret that API keys are hashed with; no default.")
    older_peppers: tuple[SecretStr, ...] = Field((), description="Peppers that keys in use were hashed with before.")

    max_body_bytes: int = Field(5 * 1024**2, ge=1024, description="Largest body, after inflation.")
    max_event_bytes: int = Field(
        512 * 1024, ge=65_536, le=900_000, description="Largest single event; below the topic's max.message.bytes."
    )
    max_events: int = Field(10_000, ge=1, description="Most events in one request.")
    max_requests_in_flight: int = Field(512, ge=1, description="Most requests whose bodies are held at once.")
    max_bytes_in_flight: int = Field(64 * 1024**2, ge=1024, description="Most bytes of bodies held at once.")
    head_timeout_s: float = Field(10.0, gt=0, description="Longest time that a client may take to send its headers.")
    body_timeout_s: float = Field(30.0, gt=0, description="Longest time that a client may take to send its body.")
    produce_timeout_s: float = Field(5.0, gt=0, le=30, description="Longest wait for Kafka's acknowledgement.")
    linger_s: float = Field(0.002, ge=0, le=1, description="How long small requests wait to share a batch.")
    compression: str | None = Field(None, pattern="^(gzip|lz4)$", description="Compression of batches in Kafka.")

    events_per_s: float = Field(50_000, gt=0, description="Events a second that one key may send on average.")
    burst_events: int = Field(200_000, ge=1, description="Events that one key may send at once after a pause.")
    refusals_per_minute: float = Field(
        300, gt=0, description="Wrong keys that one address may try a minute before it gets 429 instead of 401."
    )
    drain_s: float = Field(0.0, ge=0, le=60, description="Time between falling readiness and closing the port at stop.")
    stop_timeout_s: float = Field(15.0, gt=0, description="Longest time for requests in flight to finish at stop.")
