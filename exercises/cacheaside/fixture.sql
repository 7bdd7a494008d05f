create table products (
    sku     text primary key,
    name_en text not null,
    name_de text not null,
    price   bigint not null check (price > 0)
);

create table price_changes (
    id         bigint generated always as identity primary key,
    sku        text not null,
    price      bigint not null,
    changed_at timestamptz not null default now()
);
