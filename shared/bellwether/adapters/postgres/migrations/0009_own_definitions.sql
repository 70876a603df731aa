-- migrate:up

-- What tenants define themselves; every version is kept, the highest holds.
-- document: as it was sent. edition: what it came to, with the versions of measures and KPIs, as JSON.
create table own_definitions (
    tenant_id int not null references tenant,
    version int not null check (version > 0),
    document text not null,
    edition bytea not null,
    created_at timestamptz not null default now(),
    created_by text not null,
    primary key (tenant_id, version)
);

-- One row that moves with every change above: readers poll it.
create table own_definitions_version (
    only_row boolean primary key default true check (only_row),
    version bigint not null default 1
);
insert into own_definitions_version default values;

create function bump_own_definitions_version() returns trigger language plpgsql as $$
begin
    update own_definitions_version set version = version + 1;
    return null;
end
$$;
create trigger own_definitions_move after insert or update or delete on own_definitions
    for each statement execute function bump_own_definitions_version();

-- From which record of a partition on an own measure is counted. What lies before it is counted once it
-- is filled: filled_from is when the intake took the first record that was read for it, in ms.
create table own_measure_start (
    stream text not null,
    part int not null,
    tenant_id int not null references tenant,
    measure text not null,
    since_offset bigint not null,
    filled_at timestamptz,
    filled_from bigint,
    primary key (stream, part, tenant_id, measure)
);


-- migrate:down
