create table accounts (
    id      bigint generated always as identity primary key,
    balance bigint not null,
    version bigint not null default 0
);

create table withdrawals (
    id         bigint generated always as identity primary key,
    account_id bigint not null references accounts (id),
    amount     bigint not null,
    created_at timestamptz not null default now()
);

create index on withdrawals (account_id);
