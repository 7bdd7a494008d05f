create table items (
    name  text primary key,
    price bigint not null
);

create table orders (
    id        bigint generated always as identity primary key,
    user_id   text not null,
    item      text not null references items (name),
    quantity  integer not null,
    total     bigint not null,
    status    text not null default 'placed',
    placed_at timestamptz not null default now()
);

create index on orders (user_id);

insert into items (name, price) values ('lantern', 2990), ('rope', 1450);
