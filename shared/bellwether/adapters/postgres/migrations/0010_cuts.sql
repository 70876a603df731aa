-- migrate:up

-- The cuts that a row counts in, by name, without the total.
alter table audience_level add column cuts text[] not null default '{}';
alter table receipt add column cuts text[] not null default '{}';
alter table content_item add column cuts text[] not null default '{}';
alter table content_item add column partnered boolean not null default false;
comment on column content_item.partnered is 'its publication names a campaign and a team';
update audience_level set cuts = array['channel=' || channel];
update receipt set cuts = array['channel=' || channel];
update content_item set cuts = array['channel=' || channel];


-- migrate:down
