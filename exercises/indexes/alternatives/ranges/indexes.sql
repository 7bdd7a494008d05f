-- All ascending; the questions are written to suit.
create index by_district on reports (district, state, urgency, reported_at);
create index by_address on reports (lower(email), reported_at);
