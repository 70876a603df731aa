-- migrate:up

-- Who may call, and for which brands. Every later table hangs off brand_id or tenant_id.
create table tenant (
    tenant_id int generated always as identity primary key,
    slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text not null,
    created_at timestamptz not null default now()
);

create table brand (
    brand_id int generated always as identity primary key,
    tenant_id int not null references tenant,
    slug text not null check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text not null,
    time_zone text not null default 'UTC',
    currency text not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
    competitors text[] not null default '{}',
    version int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (tenant_id, slug)
);

create table api_key (
    key_id text primary key,
    tenant_id int not null references tenant,
    name text not null,
    key_hash bytea not null check (length(key_hash) = 32),
    pepper_id text not null,
    scopes text[] not null,
    brands text[],
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

-- One row that moves with every change above: readers poll it instead of three tables.
create table directory_version (
    only_row boolean primary key default true check (only_row),
    version bigint not null default 1
);
insert into directory_version default values;

create function bump_directory_version() returns trigger language plpgsql as $$
begin
    update directory_version set version = version + 1;
    return null;
end
$$;

create trigger tenant_moves_directory after insert or update or delete on tenant
    for each statement execute function bump_directory_version();
create trigger brand_moves_directory after insert or update or delete on brand
    for each statement execute function bump_directory_version();
create trigger api_key_moves_directory after insert or update or delete on api_key
    for each statement execute function bump_directory_version();

-- Answers kept for a repeated control-plane post with the same Idempotency-Key.
create table idempotency_key (
    tenant_id int not null references tenant,
    key text not null check (length(key) between 1 and 255),
    fingerprint bytea not null,
    status int,
    body bytea,
    expires_at timestamptz not null,
    primary key (tenant_id, key)
);


-- migrate:down
