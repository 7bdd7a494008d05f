-- What the questions compute of a column is in the index, already computed. A
-- function of one's own does as well, if it says that it is immutable and is.
create function small(address text) returns text
language sql immutable parallel safe as $$ select lower(address) $$;

-- Negated, the urgency goes the same way as the time.
create index queue_of_district
    on reports (district, (- urgency), reported_at) include (urgency)
    where state = 'open';

-- The day as UTC has it: a date of timestamptz alone depends on the session.
create index of_address on reports (
    small(email) text_pattern_ops,
    ((reported_at at time zone 'UTC')::date), reported_at
);
