create table relay_entry (
    entry_id     bigint generated always as identity,
    entered_name varchar(40) not null,
    contact_mail varchar(254) not null,
    home_club    varchar(60),
    lineup       jsonb not null,
    constraint relay_entry_pkey primary key (entry_id),
    constraint relay_entry_entered_name_key unique (entered_name)
);
