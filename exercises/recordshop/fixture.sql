create table records (
    id     bigint generated always as identity primary key,
    shop   text    not null,
    artist text    not null,
    title  text    not null,
    year   integer not null,
    price  integer not null,
    cost   integer not null default 0
);

create index on records (shop);

create table searches (
    shop      text not null,
    name      text not null,
    q         text not null default '',
    sort      text not null default '',
    direction text not null default '',
    primary key (shop, name)
);

create table staff (
    shop  text not null,
    name  text not null,
    token text not null
);
