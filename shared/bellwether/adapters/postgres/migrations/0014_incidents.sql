-- migrate:up

-- What an event says of a step of a crisis besides when and what: who did it, and why. A row is never changed. Several
-- may say it of one step; of a step that the release before this one wrote none does.
create table incident_word (
    brand_id int not null,
    word uuid generated always as (md5(source || chr(31) || event_id)::uuid) stored,
    incident_id text not null,
    at bigint not null,
    phase text not null,
    source text not null,
    event_id text not null,
    by_name text not null,
    note text not null,
    severity text,
    score double precision,
    reason text,
    other_incident text not null,
    onset bigint,
    signal text not null,
    numbers text not null,
    known_on int not null,
    recorded_at bigint not null,
    primary key (brand_id, word)
);
comment on column incident_word.known_on is 'the local day of recording; recorded_at is its moment, UTC seconds';
create index incident_word_by_incident on incident_word (brand_id, incident_id);

-- Crises as their steps tell them (bellwether.domain.incidents.account): to be read, never to be changed by itself.
create table incident (
    brand_id int not null,
    incident_id text not null,
    state text not null,
    since bigint not null,
    opened_at bigint not null,
    opened_by text not null,
    source text not null,
    onset bigint,
    cuts text[] collate "C" not null,
    signal text not null,
    numbers text not null,
    severity text,
    score double precision,
    peak double precision,
    acknowledged_at bigint,
    responded_at bigint,
    stable_at bigint,
    resolved_at bigint,
    reason text,
    merged_into text not null,
    steps int not null,
    recorded_at bigint not null,
    primary key (brand_id, incident_id)
);
comment on column incident.steps is 'how many steps this was told from; more are stored where another release wrote';
comment on column incident.recorded_at is 'when the last step was recorded, UTC seconds';
create index incident_by_opening on incident (brand_id, opened_at desc, incident_id collate "C" desc);

-- Crises of before. Resolutions and reopenings count alternately; who acknowledged or responded since the last
-- reopening tells the state of an open one. From 0 steps: compute tells it anew when it next hears of the brand.
insert into incident (brand_id, incident_id, state, since, opened_at, opened_by, source, cuts, signal, numbers,
    acknowledged_at, responded_at, resolved_at, merged_into, steps, recorded_at)
with opened as (
    select distinct on (brand_id, incident_id) brand_id, incident_id, at, cuts from crisis_step
    where phase = 'opened' order by brand_id, incident_id, at
), step as (
    select s.brand_id, s.incident_id, s.at, s.phase,
        s.phase is distinct from lag(s.phase) over turns and (s.phase = 'resolved' or lag(s.phase) over turns is not null)
            as turned
    from crisis_step s join opened o using (brand_id, incident_id)
    where s.at >= o.at and s.phase in ('resolved', 'reopened')
    window turns as (partition by s.brand_id, s.incident_id order by s.at, s.phase = 'reopened')
), turn as (
    select distinct on (brand_id, incident_id) brand_id, incident_id, at, phase from step
    where turned order by brand_id, incident_id, at desc, phase = 'reopened' desc
), reaction as (
    select s.brand_id, s.incident_id,
        min(s.at) filter (where s.phase = 'acknowledged') as acknowledged_at,
        min(s.at) filter (where s.phase = 'responded') as responded_at,
        min(s.at) filter (where s.phase = 'acknowledged' and (t.at is null or s.at > t.at)) as acknowledged_again,
        min(s.at) filter (where s.phase = 'responded' and (t.at is null or s.at > t.at)) as responded_again
    from crisis_step s join opened o using (brand_id, incident_id) left join turn t using (brand_id, incident_id)
    where s.at >= o.at group by 1, 2
)
select o.brand_id, o.incident_id,
    case when t.phase = 'resolved' then 'resolved' when r.responded_again is not null then 'responded'
        when r.acknowledged_again is not null then 'acknowledged' else 'open' end,
    case when t.phase = 'resolved' then t.at
        else coalesce(r.responded_again, r.acknowledged_again, t.at, o.at) end,
    o.at, '', '', o.cuts, '', '', r.acknowledged_at, r.responded_at,
    case when t.phase = 'resolved' then t.at end, '', 0, n.recorded_at
from opened o
left join turn t using (brand_id, incident_id)
left join reaction r using (brand_id, incident_id)
join (
    select brand_id, incident_id, max(at) as recorded_at from crisis_step group by 1, 2
) n using (brand_id, incident_id);


-- migrate:down
