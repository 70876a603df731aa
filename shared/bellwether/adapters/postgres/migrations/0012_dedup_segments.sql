-- migrate:up

-- Hashes do not compress: trying to costs the server time with every commit and every merge.
alter table dedup_segment alter column entries set storage external;


-- migrate:down
alter table dedup_segment alter column entries set storage extended;
