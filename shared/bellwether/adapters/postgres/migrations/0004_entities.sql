-- migrate:up

-- What takes several events to tell besides items and conversations: conflicts, breaches of the rules, paid
-- collaborations, periods of advertising, and single amounts in another currency than that of the brand's reports.
create table entity (
    brand_id int not null,
    kind text not null,
    entity_id text not null,
    state bytea not null,
    currencies text[] not null default '{}',
    first_at bigint not null default 0,
    last_at bigint not null default 0,
    primary key (brand_id, kind, entity_id)
);
comment on column entity.state is 'all its events say, MessagePack; what is needed to fold the next one';
comment on column entity.currencies is 'of its amounts that a rate converts; they count from first_at to last_at';
comment on column entity.first_at is 'seconds since 1970-01-01T00:00Z, as last_at';
create index entity_priced on entity (brand_id, last_at) where currencies <> '{}';

-- One unit of base is worth rate units of quote from valid_from on. Of two of one pair and moment the one told of
-- later stands, then the larger.
create table currency_rate (
    brand_id int not null,
    base text not null,
    quote text not null,
    valid_from bigint not null,
    told_at bigint not null,
    rate numeric not null,
    primary key (brand_id, base, quote, valid_from)
);

-- Moments before and after which KPIs are compared. A marker has a row per day on which it was told of; the earliest
-- moment stands, of those that were known.
create table marker (
    brand_id int not null,
    name text not null,
    subject text not null,
    known_on int not null,
    moment bigint not null,
    cuts text[] collate "C" not null,
    primary key (brand_id, name, subject, known_on)
);
create index marker_by_moment on marker (brand_id, moment);

-- Every step in the life of a crisis, and the day on which it was first told of. An opening says in which cuts
-- the crisis counts.
create table crisis_step (
    brand_id int not null,
    incident_id text not null,
    at bigint not null,
    phase text not null,
    cuts text[] collate "C" not null,
    known_on int not null,
    primary key (brand_id, incident_id, at, phase)
);

-- The seconds in which a brand said something for everybody to read: the first one after the opening of a crisis is
-- a reaction to it.
create table public_reply (
    brand_id int not null,
    sent_at bigint not null,
    primary key (brand_id, sent_at)
);


-- migrate:down
