-- migrate:up

-- The outbox: what is to be told, written in the transaction that made it true. seq: in which order it is routed.
create table alert (
    alert_id text primary key,
    seq bigint generated always as identity,
    tenant_id int not null,
    brand_id int not null,
    incident_id text not null,
    kind text not null,
    severity double precision not null,
    cut text not null,
    at bigint not null,
    onset bigint,
    title text not null,
    evidence text not null,
    endpoint_id text,
    written_at timestamptz not null default now(),
    routed_at timestamptz
);
comment on column alert.endpoint_id is 'the only endpoint that it is for; null for what routes decide';
create index alert_to_route on alert (seq) where routed_at is null;
create index alert_of_incident on alert (brand_id, incident_id, seq);

-- Where alerts go. sealed: its address and secrets, encrypted; shown: what may be seen of the address.
create table alert_endpoint (
    endpoint_id text primary key,
    tenant_id int not null,
    name text not null,
    type text not null,
    shown text not null,
    sealed bytea not null,
    at_once int not null,
    per_minute int not null,
    version int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    disabled_at timestamptz,
    disabled_why text,
    not_before timestamptz,
    delivered_at timestamptz,
    failed_at timestamptz
);
create index alert_endpoint_of_tenant on alert_endpoint (tenant_id, endpoint_id);

-- Which alerts go where: document is a Route of bellwether.domain.alerts without its id and brand, as JSON.
create table alert_route (
    route_id text primary key,
    tenant_id int not null,
    brand_id int,
    name text not null,
    document text not null,
    version int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index alert_route_of_tenant on alert_route (tenant_id, route_id);

-- What goes to an endpoint in one request: an alert or a group of them, under the id that the receiver sees.
create table alert_message (
    endpoint_id text not null,
    message_id text not null,
    seq bigint generated always as identity,
    tenant_id int not null,
    brand_id int not null,
    group_key text not null,
    escalates boolean not null,
    state text not null,
    wanted_at timestamptz not null,
    due_at timestamptz not null,
    attempts int not null default 0,
    attempted_at timestamptz,
    leased_by text,
    leased_until timestamptz,
    status int,
    error text,
    created_at timestamptz not null default now(),
    delivered_at timestamptz,
    primary key (endpoint_id, message_id)
);
comment on column alert_message.state is 'waiting, delivered, dead, or unneeded: somebody attended to it before it escalated';
create index alert_message_waiting on alert_message (due_at) where state = 'waiting';
create index alert_message_dead on alert_message (endpoint_id) where state = 'dead';
create index alert_message_attempted on alert_message (endpoint_id, attempted_at);
create index alert_message_of_endpoint on alert_message (endpoint_id, seq);

comment on column alert_message.wanted_at is 'when it was first due';

-- Whom the canary, a synthetic alert of no tenant, is sent to: the senders themselves.
insert into alert_endpoint (endpoint_id, tenant_id, name, type, shown, sealed, at_once, per_minute)
values ('canary', 0, 'canary', 'canary', '', '', 4, 600);

-- That an alert was given to an endpoint by a route; left_out: why it was not.
create table alert_delivery (
    endpoint_id text not null,
    alert_id text not null,
    message_id text not null,
    route_id text not null,
    left_out text not null,
    routed_at timestamptz not null default now(),
    primary key (endpoint_id, alert_id, message_id)
);
create index alert_delivery_of_alert on alert_delivery (alert_id);
create index alert_delivery_lately on alert_delivery (endpoint_id, routed_at);


-- migrate:down
