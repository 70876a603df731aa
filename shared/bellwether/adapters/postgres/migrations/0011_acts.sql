-- migrate:up

-- What authors do, an event a row, as advocates and the integrity screen see it; only ever added and deleted.
-- author_id: '' for a comment of nobody that is told; mark_id: of the event, 16 bytes; subject: the content item, or '';
-- cuts: without the total, joined by U+001F; interactions: negative where taken back; said: what a comment says, as 16
-- bytes, if it is long enough to be compared; is_new: the account was empty or new; is_visit: the item is not known as
-- the brand's own; recorded_at: when the intake took the event. Moments in UTC seconds.
create table author_act (
    brand_id int not null,
    author_id text not null,
    moment bigint not null,
    mark_id bytea not null,
    channel text not null,
    subject text not null,
    cuts text not null,
    interactions bigint not null,
    sentiment text not null,
    said bytea,
    is_new boolean not null,
    is_visit boolean not null,
    recorded_at bigint not null
);
create index author_act_of_author on author_act (brand_id, author_id, moment);
create index author_act_by_moment on author_act (brand_id, moment);
create index author_act_on_subject on author_act (brand_id, subject, moment) where is_visit or is_new;
create index author_act_that_said on author_act (brand_id, said, moment) where said is not null;
create index author_act_of_nobody on author_act (recorded_at) where author_id = '';

-- Traces of these rules are not written any more; which are the latest of a brand is asked for while there are some.
create index screen_trace_of_acts on screen_trace (brand_id, touched_at) where rule in ('burst', 'same_text', 'spree');

-- migrate:down
