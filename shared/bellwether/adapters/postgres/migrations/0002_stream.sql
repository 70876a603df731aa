-- migrate:up

-- Which log the offsets below belong to: another cluster or a re-created topic must not pass.
create table stream_guard (
    stream text primary key,
    cluster_id text not null,
    partitions int not null check (partitions > 0),
    created_at timestamptz not null default now()
);

-- The truth about what has been applied. Every commit moves next_offset under a compare-and-set
-- on (epoch, next_offset); claiming a partition raises the epoch and so fences whoever had it.
create table stream_offset (
    stream text not null references stream_guard,
    part int not null,
    next_offset bigint not null check (next_offset >= 0),
    epoch bigint not null default 0,
    owner text,
    last_fingerprint bytea,
    updated_at timestamptz not null default now(),
    primary key (stream, part)
);

-- Identities that were counted: per entry 16 bytes of identity hash and 4 of body checksum.
create table dedup_segment (
    stream text not null,
    part int not null,
    event_day int not null,
    epoch bigint not null,
    first_offset bigint not null,
    entries bytea not null check (length(entries) % 20 = 0),
    primary key (stream, part, event_day, epoch, first_offset)
);

-- What became of every record: their sum per partition is next_offset less where it began.
create table ledger (
    stream text not null,
    part int not null,
    tenant_id int not null,
    outcome text not null check (outcome in ('applied', 'duplicate', 'conflicting', 'quarantined')),
    events bigint not null,
    primary key (stream, part, tenant_id, outcome)
);

create table quarantine (
    stream text not null,
    part int not null,
    log_offset bigint not null,
    tenant_id int,
    reason text not null,
    detail text not null,
    record_key bytea,
    record_value bytea,
    recorded_at timestamptz not null,
    announced_at timestamptz,
    replayed_at timestamptz,
    primary key (stream, part, log_offset)
);
create index quarantine_unannounced on quarantine (stream, part, log_offset) where announced_at is null;


-- migrate:down
