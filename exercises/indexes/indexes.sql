-- Two indexes for the five questions, beside the one of the primary key.

-- The desks ask for the open reports of one district, the most urgent first. In
-- this order their list can be read off, and everything that the backlog wants
-- to know is in the index as well.
create index reports_queue on reports (district, urgency desc, reported_at)
    where state = 'open';

-- Addresses without regard to capitals: one as a whole, or its beginning, for
-- which the order must be that of the characters and not of a language. Under one
-- address in order of time: the latest and a day each are next to each other.
create index reports_address on reports (lower(email) text_pattern_ops, reported_at);
