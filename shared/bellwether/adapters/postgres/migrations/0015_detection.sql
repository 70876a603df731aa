-- migrate:up

-- What the crisis detector carries from one event to the next, of every brand and cut that it watches; state: MessagePack
-- of `detecting.Kept`. due_at: of a brand's total alone, when something is due though nothing is heard any more.
create table detector (
    brand_id int not null,
    cut text collate "C" not null,
    state bytea not null,
    due_at bigint,
    primary key (brand_id, cut)
);
comment on column detector.due_at is 'by the clock of the intake, UTC seconds';
create index detector_due on detector (due_at) where due_at is not null;

-- What the detector heard, an hour a row: 12 bins of five minutes of what was heard, then of what of it was scored, then
-- of what was negative. They add up.
create table detector_hour (
    brand_id int not null,
    cut text collate "C" not null,
    hour bigint not null,
    counts int[] not null,
    primary key (brand_id, cut, hour)
);
comment on column detector_hour.hour is 'its first UTC second';

-- When a brand expects to be talked about: more of it than usual is then no crisis. [starts_at, ends_at), UTC seconds.
create table declared_campaign (
    brand_id int not null,
    name text not null,
    starts_at bigint not null,
    ends_at bigint not null check (ends_at > starts_at),
    declared_at timestamptz not null default now(),
    primary key (brand_id, name)
);


-- migrate:down
drop table declared_campaign;
drop table detector_hour;
drop table detector;
