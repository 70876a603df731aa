"""Every metric of every service, declared here and nowhere else.

Base units, closed label sets: a label's values are named in the comment beside it, and none is ever a tenant, a
brand, a key or an event. One process serves one registry.

The conservation check: over all ingest and compute processes,
accepted (ingest) = applied + duplicate + quarantined (compute) + in flight (lag).
"""

from prometheus_client import Counter, Gauge, Histogram

from bellwether.observability import unlocked

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_FRESHNESS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)

# --- every service -------------------------------------------------------------------------------------------------
REQUESTS = unlocked.Counter(
    "bellwether_http_requests_total",
    "HTTP requests answered.",
    ["route", "status"],  # route: the template, never the path; status: 2xx … 5xx
)
REQUEST_DURATION = unlocked.Histogram(
    "bellwether_http_request_duration_seconds",
    "From the first byte of a request to the last of its answer.",
    ["route"],
    buckets=_FAST,
)
REQUESTS_REFUSED = Counter(
    "bellwether_http_requests_refused_total",
    "Requests refused before their content mattered.",
    ["reason"],  # key, scope, rate, size, time, media_type
)
READY = Gauge("bellwether_ready", "1 while the service can do its work, else 0.")
DIRECTORY_AGE = Gauge("bellwether_directory_age_seconds", "Since Postgres last confirmed tenants, brands and keys.")
DIRECTORY_REFRESH_FAILURES = Counter(
    "bellwether_directory_refresh_failures_total",
    "Looks at tenants, brands and keys that Postgres did not answer.",
)

# --- ingest --------------------------------------------------------------------------------------------------------
EVENTS_ACCEPTED = unlocked.Counter(
    "bellwether_events_accepted_total",
    "Events that Kafka acknowledged and the caller was told so.",
    ["mode"],  # structured, batch, lines, binary, json (plain, one event or several)
)
EVENTS_REJECTED = Counter(
    "bellwether_events_rejected_total",
    "Events refused to the caller's face; they are the caller's still.",
    ["reason"],  # malformed, invalid, unknown_brand, too_large, too_deep, atomic
)
EVENTS_UNCERTAIN = Counter(
    "bellwether_events_uncertain_total",
    "Events answered with 503: some may be in Kafka all the same, and the repeat counts once.",
)
INTAKE_BATCH_EVENTS = unlocked.Histogram("bellwether_intake_request_events", "Events per request.", buckets=_SIZES)
INTAKE_BYTES = unlocked.Counter("bellwether_intake_bytes_total", "Bytes of request bodies, as inflated.")
INTAKE_IN_FLIGHT_BYTES = Gauge("bellwether_intake_in_flight_bytes", "Bytes of bodies held at this moment.")
INTAKE_IN_FLIGHT_REQUESTS = Gauge("bellwether_intake_in_flight_requests", "Intake requests open at this moment.")
PRODUCE_DURATION = unlocked.Histogram(
    "bellwether_produce_duration_seconds",
    "From handing records to the producer to Kafka's acknowledgement.",
    buckets=_FAST,
)
PRODUCE_FAILURES = Counter(
    "bellwether_produce_failures_total",
    "Writes to Kafka without acknowledgement.",
    ["reason"],  # timeout, error, unavailable
)
PRODUCER_REPLACEMENTS = Counter("bellwether_producer_replacements_total", "Producers thrown away for a new one.")
KAFKA_REACHABLE = Gauge("bellwether_kafka_reachable", "1 while the brokers answer, else 0.")

# --- compute -------------------------------------------------------------------------------------------------------
EVENTS_APPLIED = Counter("bellwether_events_applied_total", "Events counted, in a committed transaction.")
EVENTS_LEFT_OUT = Counter(
    "bellwether_events_left_out_total",
    "Events not counted, by the reason why, in a committed transaction.",
    ["reason"],  # duplicate, and the reasons of the quarantine
)
EVENTS_QUARANTINED = Counter(
    "bellwether_events_quarantined_total",
    "Records put aside with their reason.",
    # service: compute; reason: empty, malformed, invalid, unknown_brand, wrong_key, wrong_time, conflicting, unwritable
    ["service", "reason"],
)
LAG_RECORDS = Gauge("bellwether_lag_records", "Records in a partition that are not applied yet.", ["partition"])
LAG_SECONDS = Gauge(
    "bellwether_lag_seconds", "Age of the last applied record of the partition furthest behind, 0 without lag."
)
FRESHNESS = Histogram(
    "bellwether_freshness_seconds",
    "From the intake taking an event to its KPI being readable.",
    buckets=_FRESHNESS,
)
COMMIT_DURATION = Histogram(
    "bellwether_commit_duration_seconds",
    "The one transaction of a cycle, from begin to Postgres' answer.",
    buckets=_FAST,
)
COMMIT_FAILURES = Counter(
    "bellwether_commit_failures_total",
    "Transactions that did not commit, or whose outcome had to be read again.",
    ["reason"],  # fenced, timeout, error
)
CYCLE_DURATION = Histogram("bellwether_cycle_duration_seconds", "One cycle: poll, decode, fold, commit.", buckets=_FAST)
CYCLE_EVENTS = Histogram("bellwether_cycle_events", "Events in one cycle.", buckets=_SIZES)
CLAIMED_PARTITIONS = Gauge("bellwether_claimed_partitions", "Partitions that this worker may write for.")
REBALANCES = Counter(
    "bellwether_rebalances_total", "Assignments and revocations of partitions.", ["kind"]
)  # assigned, revoked
KPI_ROWS_WRITTEN = Counter("bellwether_kpi_rows_written_total", "Rows of current KPI values written.")
KPI_REFRESH_AGE = Gauge("bellwether_kpi_refresh_age_seconds", "Age of the stalest KPI row that waits to be refreshed.")
HALTED_PARTITIONS = Gauge(
    "bellwether_halted_partitions",
    "Partitions stopped by a guard until an operator decides.",
    ["reason"],  # cluster, fingerprint, range, partitions, poison
)
LAST_PROGRESS = Gauge("bellwether_last_progress_timestamp_seconds", "When the last cycle ended well, as Unix time.")

# --- detection -----------------------------------------------------------------------------------------------------
DETECTION_DELAY = Histogram(
    "bellwether_detection_delay_seconds",
    "From the intake taking the text that opened a crisis to the crisis being stored with its alert.",
    buckets=_FRESHNESS,
)
INCIDENTS_OPEN = Gauge("bellwether_incidents_open", "Crises that go on, of the brands of this worker.")
INCIDENTS_UNATTENDED = Gauge(
    "bellwether_incidents_oldest_unacknowledged_seconds",
    "Since the alert of the crisis that has been open the longest without anybody acknowledging it, 0 without any.",
)
EVIDENCE = Counter(
    "bellwether_incident_evidence_total",
    "Looks at what crises are made of.",
    ["result"],  # written, unchanged, failed
)
EVIDENCE_DURATION = Histogram(
    "bellwether_incident_evidence_seconds",
    "Reading what a crisis is made of from the log, and storing it.",
    buckets=_FRESHNESS,
)

# --- alerts --------------------------------------------------------------------------------------------------------
ALERT_ATTEMPTS = Counter(
    "bellwether_alert_attempts_total",
    "Attempts to deliver alerts.",
    ["type", "result"],  # type: webhook, alertmanager, apprise, canary; result: delivered, failed, given_up
)
ALERT_DELAY = Histogram(
    "bellwether_alert_delay_seconds",
    "From an alert being written to its receiver having taken it, without what was meant to wait.",
    buckets=_FRESHNESS,
)
ALERT_OLDEST = Gauge(
    "bellwether_alert_oldest_undelivered_seconds",
    "For how long the oldest alert that should be delivered by now has not been, 0 without any.",
)
ALERT_DEAD_LETTERS = Gauge("bellwether_alert_dead_letters", "Messages that were given up and not sent again.")
ALERT_ENDPOINTS_DISABLED = Gauge("bellwether_alert_endpoints_disabled", "Endpoints that no alert is sent to.")
ALERT_CANARY_SUCCESS = Gauge(
    "bellwether_alert_canary_last_success_timestamp_seconds",
    "When this process last delivered the synthetic alert, as Unix time; 0 before the first.",
)

# --- api -----------------------------------------------------------------------------------------------------------
STREAMS_OPEN = Gauge("bellwether_streams_open", "Server-sent event streams open at this moment.")
STREAM_EVENTS = Counter(
    "bellwether_stream_events_total",
    "Events written to streams.",
    ["event"],  # kpis, incident, ready, resync
)
READ_CACHE = Counter("bellwether_read_cache_total", "Reads, by whether the cache had them.", ["result"])  # hit, miss
