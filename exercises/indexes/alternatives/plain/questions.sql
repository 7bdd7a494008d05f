-- The five questions that the city's programs ask of the table reports.
--
-- They answer right. PostgreSQL puts the body of each into the statement that
-- calls it, as if it had been written there.

-- What a district's desk should look at next.
create or replace function queue(of_district int)
returns table (id bigint, reported_at timestamptz, urgency int, place text)
language sql stable as $$
    select id, reported_at, urgency, place
    from reports
    where district = of_district and state = 'open'
    order by urgency desc, reported_at, id
    limit 20
$$;

-- How much waits in a district, and for how long.
create or replace function backlog(of_district int)
returns table (urgency int, reports bigint, oldest timestamptz)
language sql stable as $$
    select urgency, count(*), min(reported_at)
    from reports
    where district = of_district and state = 'open'
    group by urgency
    order by urgency desc
$$;

-- What somebody has reported lately.
create or replace function latest(address text)
returns table (id bigint, reported_at timestamptz, state text, place text)
language sql stable as $$
    select id, reported_at, state, place
    from reports
    where lower(email) collate "C" = lower(address)
    order by reported_at desc, id desc
    limit 20
$$;

-- What somebody has reported on a day.
create or replace function of_day(address text, day date)
returns table (id bigint, reported_at timestamptz, state text, place text)
language sql stable as $$
    select id, reported_at, state, place
    from reports
    where lower(email) collate "C" = lower(address)
      and reported_at >= day::timestamptz
      and reported_at < (day + 1)::timestamptz
    order by reported_at, id
$$;

-- Which reports are by an address of which the caller knows the beginning.
create or replace function search(beginning text)
returns table (id bigint, email text)
language sql stable as $$
    select id, email
    from reports
    where lower(email) collate "C" like lower(beginning) || '%'
    order by lower(email), id
$$;
