"""What an operator may set, each as BELLWETHER_COMPUTE_<NAME>."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the worker. Units stand in the names: _s seconds."""

    model_config = SettingsConfigDict(env_prefix="BELLWETHER_COMPUTE_", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on, for probes and metrics.")
    port: int = Field(8082, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    log_level: str = Field("INFO", description="Least severity that is logged.")
    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka brokers to ask first, host:port, by commas.")
    events_topic: str = Field("social.events.v1", description="Topic that events are read from.")
    quarantine_topic: str = Field("social.quarantine.v1", description="Topic for records that cannot be used.")
    updates_topic: str = Field("kpi.updates.v1", description="Topic that refreshed values are announced on.")
    postgres_dsn: str = Field(
        "postgresql://bellwether@127.0.0.1:5432/bellwether", description="Postgres that holds everything."
    )
    group: str = Field("bellwether-compute", description="Consumer group that shares the partitions.")
    max_events: int = Field(4_000, ge=1, le=100_000, description="Most events in one transaction.")
    max_wait_s: float = Field(0.1, gt=0, le=5, description="Longest wait for events before a cycle without.")
    max_refreshes: int = Field(64, ge=1, description="Most rows of current values written in one transaction.")
    max_cached: int = Field(
        20_000, ge=100, description="Content items, and conversations, of a brand that are kept in memory."
    )
    commit_timeout_s: float = Field(10.0, gt=0, le=60, description="Longest time for one transaction.")
    session_timeout_s: float = Field(10.0, ge=6, le=60, description="Silence after which Kafka gives partitions away.")
    stuck_after_s: float = Field(60.0, ge=5, description="Time without progress after which the process ends itself.")
    alert_key: SecretStr | None = Field(
        None, min_length=16, description="Secret that addresses of alert endpoints are sealed with, as the API's."
    )
    older_alert_keys: tuple[SecretStr, ...] = Field((), description="Such secrets that were in use before.")
    alert_networks: tuple[str, ...] = Field(
        (), description="Networks, as 10.1.0.0/16, that alerts may go to though they are not public; without TLS, too."
    )
    alert_canary_s: int = Field(10, ge=1, le=3600, description="How often a synthetic alert proves that alerts go out.")
    alert_canary_url: str | None = Field(
        None, description="Where the synthetic alert is posted, so that somebody outside notices when it stays away."
    )
    failpoint: str | None = Field(None, description="For fault tests: a point to die at, like before_commit:3.")
