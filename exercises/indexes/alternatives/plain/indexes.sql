-- Both without a predicate: every report is in them, open or not.
create index on reports (state, district, urgency desc, reported_at, id);
create unique index on reports (lower(email) collate "C", reported_at desc, id desc);

-- Afterwards PostgreSQL knows how the values of lower(email) are spread.
analyze reports;
