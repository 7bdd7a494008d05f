-- Without extensions: overlapping bookings are found by a trigger that locks
-- the room first, so that two of them take turns.
begin;

create table tenants (id bigserial primary key, name text not null);
create table members (
    id bigserial primary key, tenant_id bigint not null,
    email text not null, name text not null
);
create table rooms (
    id bigserial primary key, tenant_id bigint not null,
    building text, name text not null, seats bigint not null
);
create table bookings (
    id bigserial primary key, tenant_id bigint not null,
    room_id bigint not null, member_id bigint,
    starts_at timestamp with time zone not null,
    ends_at timestamp with time zone not null,
    price decimal not null,
    cancelled_at timestamp with time zone, cancel_reason text
);
create table extras (
    id bigserial primary key, tenant_id bigint not null,
    booking_id bigint not null, title text not null,
    amount decimal not null
);

alter table tenants add check (trim(name) != '');
alter table members
    add check (trim(name) != ''),
    add check (position('@' in email) between 2 and length(email) - 1),
    add check (email !~ '[[:space:]]'),
    add foreign key (tenant_id) references tenants (id),
    add unique (id, tenant_id);
create unique index on members (tenant_id, upper(email));
alter table rooms
    add check (trim(name) != ''),
    add check (trim(building) != ''),
    add check (seats > 0 and seats <= 500),
    add foreign key (tenant_id) references tenants (id),
    add unique (id, tenant_id);
create unique index on rooms (tenant_id, coalesce(building, ''), name);
alter table bookings
    add check (ends_at - starts_at > interval '0'),
    add check (price >= 0 and price <= 1000000 and mod(price, 0.01) = 0),
    add check (cancelled_at is null and cancel_reason is null
        or cancelled_at is not null and cancel_reason is not null
            and trim(cancel_reason) != ''),
    add foreign key (room_id, tenant_id) references rooms (id, tenant_id),
    add foreign key (member_id, tenant_id) references members (id, tenant_id)
        on delete set null (member_id),
    add unique (id, tenant_id);
alter table extras
    add check (trim(title) != ''),
    add check (amount >= 0 and amount <= 1000000 and mod(amount, 0.01) = 0),
    add foreign key (booking_id, tenant_id) references bookings (id, tenant_id)
        on delete cascade;

create function one_booking_at_a_time() returns trigger
language plpgsql as $$
begin
    if new.cancelled_at is null then
        perform from rooms where id = new.room_id for update;
        if exists (
            select from bookings b
            where b.room_id = new.room_id and b.id <> new.id
                and b.cancelled_at is null
                and b.starts_at < new.ends_at and new.starts_at < b.ends_at
        ) then
            raise exclusion_violation
                using message = 'the room is taken at that time';
        end if;
    end if;
    return new;
end
$$;

-- After the row, so that the constraints have spoken.
create trigger one_booking_at_a_time after insert or update on bookings
for each row execute function one_booking_at_a_time();

commit;
