-- migrate:up

-- Additive totals by cut and bucket, packed: {measure: integer | histogram | sketch} as MessagePack.
-- cut is '' for everything, else 'dimension=value'. known_on is 0 for what was recorded on the
-- local day on which it happened, else the local day (days since 1970-01-01) of recording.
create table rollup_minute (
    brand_id int not null,
    cut text not null,
    bucket bigint not null,
    known_on int not null,
    totals bytea not null,
    primary key (brand_id, cut, bucket, known_on)
);
create table rollup_hour (like rollup_minute including all);
create table rollup_day (like rollup_minute including all);
comment on column rollup_minute.bucket is 'start of the minute, seconds since 1970-01-01T00:00Z';
comment on column rollup_hour.bucket is 'start of the local hour, seconds since 1970-01-01T00:00Z';
comment on column rollup_day.bucket is 'local day, days since 1970-01-01';
create index rollup_minute_by_age on rollup_minute (bucket);

-- Snapshots of audiences, absolute, never summed over time.
create table audience_level (
    brand_id int not null,
    channel text not null,
    audience text not null,
    account text not null,
    observed_at bigint not null,
    members bigint not null,
    recorded_at bigint not null,
    primary key (brand_id, channel, audience, account, observed_at)
);

-- known_on below is always the local day of recording, days since 1970-01-01, so that what an evaluation of
-- an earlier moment takes back is only what the rollups of that knowledge hold.

-- A content item: what is needed to fold its next event, and who published it when.
create table content_item (
    brand_id int not null,
    channel text not null,
    content_id text not null,
    published_at bigint,
    followers bigint,
    state bytea not null,
    published_known_on int,
    followers_known_on int,
    primary key (brand_id, channel, content_id)
);
create index content_item_by_publication on content_item (brand_id, channel, published_at);

-- What an item earned in a minute, by the day on which that was known; the sum up to a moment is what it had
-- earned by then.
create table content_point (
    brand_id int not null,
    channel text not null,
    content_id text not null,
    minute bigint not null,
    known_on int not null,
    impressions bigint not null default 0,
    reach bigint not null default 0,
    views bigint not null default 0,
    video_views bigint not null default 0,
    reactions bigint not null default 0,
    comments bigint not null default 0,
    shares bigint not null default 0,
    saves bigint not null default 0,
    clicks bigint not null default 0,
    votes bigint not null default 0,
    primary key (brand_id, channel, content_id, minute, known_on)
);
create index content_point_by_minute on content_point (brand_id, minute);

create table conversation (
    brand_id int not null,
    channel text not null,
    conversation_id text not null,
    state bytea not null,
    primary key (brand_id, channel, conversation_id)
);

-- One row per message received: the receipt behind every response time.
create table receipt (
    brand_id int not null,
    channel text not null,
    conversation_id text not null,
    message_id text not null,
    kind text not null,
    received_at bigint not null,
    answered_at bigint,
    answered_by text,
    known_on int not null,
    answer_known_on int,
    primary key (brand_id, channel, conversation_id, message_id)
);
create index receipt_waiting on receipt (brand_id, received_at) where answered_at is null;
create index receipt_answered on receipt (brand_id, answered_at) where answered_at is not null;
create index receipt_received on receipt (brand_id, received_at);

-- The current values of a brand and cut: all KPIs in all windows, as JSON, so that a refresh is
-- one write and a scorecard is one read. as_of: seconds since 1970-01-01T00:00Z.
create table kpi_current (
    brand_id int not null,
    cut text not null,
    as_of bigint not null,
    fresh_to bigint not null,
    body bytea not null,
    primary key (brand_id, cut)
) with (fillfactor = 50);

-- The last current values of every hour, as they were shown.
create table kpi_history (
    brand_id int not null,
    cut text not null,
    hour bigint not null,
    body bytea not null,
    primary key (brand_id, cut, hour)
);


-- migrate:down
