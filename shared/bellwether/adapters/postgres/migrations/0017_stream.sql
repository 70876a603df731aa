-- migrate:up

-- Which transaction wrote it: what a listener has not seen is what its snapshot does not hold. Rows of before have none,
-- and are told to nobody.
alter table incident_word add column written xid8;
alter table incident_word alter column written set default pg_current_xact_id();
create index incident_word_by_writing on incident_word (written);


-- migrate:down
drop index incident_word_by_writing;
alter table incident_word drop column written;
