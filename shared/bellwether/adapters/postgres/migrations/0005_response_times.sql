-- migrate:up

-- When people are expected to answer, and how soon; see bellwether.domain.business_hours and response_times.
alter table brand add column business_hours jsonb;
alter table brand add column holidays jsonb not null default '[]';
alter table brand add column closed_answer_policy text not null default 'zero'
    check (closed_answer_policy in ('zero', 'wall', 'leave_out'));
alter table brand add column response_target_s int not null default 3600 check (response_target_s > 0);
alter table brand add column thread_gap_s int not null default 604800 check (thread_gap_s > 0);
comment on column brand.business_hours is 'hours by weekday, {"mon": ["09:00-17:00"]}; null: around the clock';
comment on column brand.holidays is 'dates with hours of their own or none, [{"date": "2026-12-25", "hours": []}]';

-- The second clock of a receipt, as it was told by the rules of its time.
alter table receipt add column turn_of text;
alter table receipt add column timed boolean not null default true;
alter table receipt add column business_s bigint;
alter table receipt add column within_target boolean;
comment on column receipt.turn_of is 'the message with which the turn began that this one continues';
comment on column receipt.timed is 'whether the answer adds a response time: not where it answered a turn before this';
comment on column receipt.business_s is 'seconds of the business clock until the answer; null where it shows none';


-- migrate:down
