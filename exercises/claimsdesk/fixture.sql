create table users (
    id       bigint generated always as identity primary key,
    name     text    not null,
    email    text    not null,
    role     text    not null default 'customer' check (role in ('customer', 'admin')),
    disabled boolean not null default false
);

create table tokens (
    hash    bytea       primary key,
    user_id bigint      not null references users,
    expires timestamptz not null,
    revoked boolean     not null default false
);

create table claims (
    id     bigint generated always as identity primary key,
    owner  bigint not null references users,
    title  text   not null,
    amount bigint not null,
    status text   not null default 'open' check (status in ('open', 'approved', 'refused')),
    payout bigint not null default 0,
    remark text   not null default ''
);

create index on claims (owner);

create table notes (
    id     bigint generated always as identity primary key,
    claim  bigint not null references claims on delete cascade,
    author bigint not null references users,
    text   text   not null
);

create index on notes (claim);
