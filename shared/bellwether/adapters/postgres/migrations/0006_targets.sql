-- migrate:up

-- Targets, every version of each; the highest one holds. A version never changes.
-- body: the target as JSON, null where it was deleted. checks: the SMART check of that moment, as JSON.
-- changed_at: seconds since 1970-01-01T00:00Z; changed_by: the id of the API key.
create table target_version (
    brand_id int not null,
    target_id text not null check (target_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    version int not null check (version > 0),
    body bytea,
    checks bytea,
    changed_at bigint not null,
    changed_by text not null,
    primary key (brand_id, target_id, version)
);


-- migrate:down
