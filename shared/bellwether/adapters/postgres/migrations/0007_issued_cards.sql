-- migrate:up

-- Scorecards as they were issued: the whole answer with the definitions behind it. A row never changes.
-- issued_id grows with time. issued_at: the moment the card was read at, seconds since 1970-01-01T00:00Z.
-- cut: '' for the total. body: JSON.
create table issued_card (
    issued_id uuid primary key default uuidv7(),
    brand_id int not null,
    role text not null,
    period text not null,
    cut text not null,
    partial boolean not null,
    score double precision,
    rating int,
    issued_at bigint not null,
    issued_by text not null,
    note text not null,
    content_hash bytea not null check (content_hash = sha256(body)),
    body bytea not null
);
create index issued_card_by_role on issued_card (brand_id, role, issued_id);

create function refuse_change_of_issued_card() returns trigger language plpgsql as $$
begin
    raise exception 'an issued scorecard never changes';
end
$$;

create trigger issued_card_never_changes before update or delete or truncate on issued_card
    for each statement execute function refuse_change_of_issued_card();


-- migrate:down
