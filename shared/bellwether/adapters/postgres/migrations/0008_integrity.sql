-- migrate:up

-- What is kept of an author, packed: since when an advocate, and what was done before.
create table author_state (
    brand_id int not null,
    author_id text not null,
    state bytea not null,
    primary key (brand_id, author_id)
);

-- What a rule of the integrity screen has seen of a subject (an item, an account, a text), packed; touched_at: when
-- its last event was recorded, UTC seconds. It is deleted once that is long ago.
create table screen_trace (
    brand_id int not null,
    rule text not null,
    subject text not null,
    state bytea not null,
    touched_at bigint not null,
    primary key (brand_id, rule, subject)
);
create index screen_trace_by_age on screen_trace (touched_at);

-- An item that a user published, or may have: its publication and the first interactions with it, packed.
create table screen_show (
    brand_id int not null,
    channel text not null,
    content_id text not null,
    state bytea not null,
    touched_at bigint not null,
    primary key (brand_id, channel, content_id)
);
create index screen_show_by_age on screen_show (touched_at);

-- Events that the screen marks as inauthentic. mark_id follows from the event's identity, so that it is the same
-- after a rebuild; cuts are without the total; grounds: why, by the name of the rule; formed_at: the moment from
-- which on the event is marked; known_on: the local day (days since 1970-01-01) on which that was recorded.
create table integrity_mark (
    brand_id int not null,
    mark_id text not null,
    moment bigint not null,
    formed_at bigint not null,
    cuts text[] not null,
    measure text not null check (measure in ('suspect_interactions', 'suspect_joins')),
    count bigint not null,
    author text,
    subject text,
    grounds jsonb not null,
    known_on int not null,
    recorded_at bigint not null,
    primary key (brand_id, mark_id)
);
comment on column integrity_mark.subject is 'the content item, or the member';
create index integrity_mark_by_moment on integrity_mark (brand_id, moment, mark_id);
create index integrity_mark_by_subject on integrity_mark (brand_id, subject);
create index integrity_mark_by_forming on integrity_mark (brand_id, formed_at);

-- What people have said of marks; the last word on a mark stands. recorded_at: UTC seconds.
create table integrity_verdict (
    verdict_id bigint generated always as identity primary key,
    brand_id int not null,
    mark_id text not null,
    overruled boolean not null,
    by_key text not null,
    by_name text,
    note text,
    recorded_at bigint not null
);
create index integrity_verdict_of_mark on integrity_verdict (brand_id, mark_id, verdict_id);

-- Moves with every verdict on a mark of the brand: compute polls it.
create table integrity_version (
    brand_id int primary key,
    version bigint not null
);


-- migrate:down
