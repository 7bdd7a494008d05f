create extension if not exists citext;
create extension if not exists btree_gist;

create domain label as text check (value ~ '[^ ]');
create domain euros as numeric
    check (value >= 0 and value <= 1000000 and scale(trim_scale(value)) <= 2);
create domain address as citext check (value like '_%@_%' and value !~ '\s');

create table tenants (
    id   uuid primary key default gen_random_uuid(),
    name label not null
);

create table members (
    tenant_id uuid not null references tenants on delete restrict,
    id        uuid not null unique default gen_random_uuid(),
    email     address not null,
    name      label not null,
    primary key (tenant_id, id),
    unique (tenant_id, email)
);

create table rooms (
    tenant_id uuid not null references tenants on delete restrict,
    id        uuid not null unique default gen_random_uuid(),
    building  label,
    name      label not null,
    seats     smallint not null check (seats >= 1 and seats <= 500),
    primary key (tenant_id, id)
);

-- Without "nulls not distinct", which came with PostgreSQL 15.
create unique index on rooms (tenant_id, building, name) where building is not null;
create unique index on rooms (tenant_id, name) where building is null;

create table bookings (
    tenant_id     uuid not null,
    id            uuid not null unique default gen_random_uuid(),
    room_id       uuid not null,
    member_id     uuid,
    starts_at     timestamptz not null,
    ends_at       timestamptz not null,
    price         euros not null,
    cancelled_at  timestamptz,
    cancel_reason label,
    primary key (tenant_id, id),
    constraint in_a_room_of_the_house foreign key (tenant_id, room_id)
        references rooms on delete restrict on update restrict,
    constraint by_a_member_of_the_house foreign key (tenant_id, member_id)
        references members on delete set null (member_id),
    constraint ends_after_it_starts check (ends_at > starts_at),
    constraint cancelled_with_a_reason
        check (num_nulls(cancelled_at, cancel_reason) in (0, 2)),
    constraint one_at_a_time exclude using gist (
        tenant_id with =, room_id with =,
        tstzrange(starts_at, ends_at, '[)') with &&
    ) where (cancelled_at is null) deferrable initially deferred
);

create table extras (
    id         uuid primary key default gen_random_uuid(),
    tenant_id  uuid not null,
    booking_id uuid not null,
    title      label not null,
    amount     euros not null,
    foreign key (tenant_id, booking_id) references bookings on delete cascade
);
