-- migrate:up

-- What a crisis was made of when it opened and at its peak; evidence: bellwether.domain.evidence.Evidence as JSON, which
-- holds excerpts and names, and goes with its incident. steps: of so many steps of the incident it was known that they
-- ask for no other evidence. since, at, channel, severity: of what it is, as bellwether.domain.occasions tells it.
create table incident_evidence (
    brand_id int not null,
    incident_id text not null,
    occasion text not null check (occasion in ('opening', 'peak')),
    since bigint not null,
    at bigint not null,
    channel text not null,
    severity double precision,
    steps int not null,
    evidence jsonb not null,
    taken_at timestamptz not null default now(),
    primary key (brand_id, incident_id, occasion),
    foreign key (brand_id, incident_id) references incident on delete cascade
);

create index incident_by_recording on incident (recorded_at);


-- migrate:down
drop index incident_by_recording;
drop table incident_evidence;
