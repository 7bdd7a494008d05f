-- The five questions that the city's programs ask of the table reports.
--
-- They answer right. PostgreSQL puts the body of each into the statement that
-- calls it, as if it had been written there.

-- What a district's desk should look at next.
create function queue(of_district int)
returns table (id bigint, reported_at timestamptz, urgency int, place text)
language sql stable as $$
    select id, reported_at, urgency, place
    from reports
    where district = of_district and state = 'open'
    order by - urgency, reported_at, id
    limit 20
$$;

-- How much waits in a district, and for how long.
create function backlog(of_district int)
returns table (urgency int, reports bigint, oldest timestamptz)
language sql stable as $$
    select urgency, count(*), min(reported_at)
    from reports
    where district = of_district and state = 'open'
    group by urgency
    order by urgency desc
$$;

-- What somebody has reported lately.
create function latest(address text)
returns table (id bigint, reported_at timestamptz, state text, place text)
language sql stable as $$
    select id, reported_at, state, place
    from reports
    where small(email) = lower(address)
    order by (reported_at at time zone 'UTC')::date desc,
             reported_at desc, id desc
    limit 20
$$;

-- What somebody has reported on a day.
create function of_day(address text, day date)
returns table (id bigint, reported_at timestamptz, state text, place text)
language sql stable as $$
    select id, reported_at, state, place
    from reports
    where small(email) = lower(address)
      and (reported_at at time zone 'UTC')::date = day
    order by reported_at, id
$$;

-- Which reports are by an address of which the caller knows the beginning.
create function search(beginning text)
returns table (id bigint, email text)
language sql stable as $$
    select id, email
    from reports
    where small(email) like lower(beginning) || '%'
    order by lower(email), id
$$;
