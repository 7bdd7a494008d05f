-- Rooms that several houses let by the hour, in one database.
--
-- This is the schema as it went to production. Every column is there. What may
-- never be true, nobody has told the database.

create table tenants (
    id   serial primary key,
    name varchar(40)
);

create table members (
    id        serial primary key,
    tenant_id int,
    email     varchar(40),
    name      varchar(40)
);

create table rooms (
    id        serial primary key,
    tenant_id int,
    building  varchar(40),
    name      varchar(40),
    seats     int
);

create table bookings (
    id            serial primary key,
    tenant_id     int,
    room_id       int,
    member_id     int,
    starts_at     timestamp,
    ends_at       timestamp,
    price         float,
    cancelled_at  timestamp,
    cancel_reason varchar(40)
);

create table extras (
    id         serial primary key,
    tenant_id  int,
    booking_id int,
    title      varchar(40),
    amount     float
);
