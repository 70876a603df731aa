"""What an operator may set, each as BELLWETHER_API_<NAME>."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the API. Units stand in the names: _s seconds, _bytes bytes."""

    model_config = SettingsConfigDict(env_prefix="BELLWETHER_API_", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    log_level: str = Field("INFO", description="Least severity that is logged.")
    postgres_dsn: str = Field(
        "postgresql://bellwether@127.0.0.1:5432/bellwether",
        description="Postgres with brands, keys, rollups and current values.",
    )
    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka brokers to ask first, host:port, by commas.")
    events_topic: str = Field("social.events.v1", description="Topic that steps of incidents are written to.")
    key_pepper: SecretStr = Field(min_length=16, description="Secret that API keys are hashed with; no default.")
    older_peppers: tuple[SecretStr, ...] = Field((), description="Peppers that keys in use were hashed with before.")

    alert_key: SecretStr | None = Field(
        None, min_length=16, description="Secret that addresses of alert endpoints are sealed with; none without it."
    )
    older_alert_keys: tuple[SecretStr, ...] = Field((), description="Such secrets that were in use before.")
    alert_networks: tuple[str, ...] = Field(
        (), description="Networks, as 10.1.0.0/16, that alerts may go to though they are not public; without TLS, too."
    )

    connections: int = Field(8, ge=1, le=100, description="Most connections to Postgres.")
    read_timeout_s: float = Field(5.0, gt=0, le=60, description="Longest wait for Postgres in one request.")
    produce_timeout_s: float = Field(5.0, gt=0, le=30, description="Longest wait for Kafka's acknowledgement.")
    step_wait_s: float = Field(
        2.0, ge=0, le=30, description="How long the answer to a step of an incident waits for compute to apply it."
    )
    directory_refresh_s: float = Field(
        1.0, gt=0, le=10, description="How often Postgres is asked whether brands or keys changed."
    )
    cache_s: float = Field(
        0.25, ge=0, le=60, description="How long an answer may be given again unchanged; 0 for never."
    )
    comparison_s: float = Field(
        120.0,
        ge=0,
        le=3600,
        description="How long the period before is shown unchanged beside a scorecard of now, and twice that at most; "
        "0 for never.",
    )
    cache_entries: int = Field(512, ge=1, description="Most answers that are kept.")
    streams: int = Field(1_000, ge=0, description="Most event streams that may be open.")
    streams_per_key: int = Field(100, ge=0, description="Most event streams of one API key that may be open.")
    stream_pause_s: float = Field(
        0.25, gt=0, le=10, description="Least time between two looks for news while somebody listens."
    )
    stream_keep_alive_s: float = Field(
        15.0, gt=0, le=300, description="How long an event stream is silent before a comment is sent."
    )
    max_body_bytes: int = Field(64 * 1024, ge=1024, description="Largest body of a request.")
    idempotency_s: float = Field(
        86_400.0, gt=0, description="How long the answer to an Idempotency-Key is kept and given again."
    )
    drain_s: float = Field(0.0, ge=0, le=60, description="Time between falling readiness and closing the port at stop.")
    stop_timeout_s: float = Field(10.0, gt=0, description="Longest time for requests in flight to finish at stop.")
