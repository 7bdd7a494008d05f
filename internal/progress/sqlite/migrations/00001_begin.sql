-- +goose Up
-- Times are nanoseconds since 1970, UTC; durations are nanoseconds. Rows are
-- added and never changed, but for place.

create table blob (
	hash text primary key, -- SHA-256 of the content, in hex
	size integer not null,
	data blob not null     -- zstd
) strict;

create table attempt (
	id       integer primary key autoincrement,
	exercise text not null,
	verdict  text not null,
	seed     integer not null,
	content  text not null,
	code     text not null,
	cairn    text not null,
	started  integer not null,
	duration integer not null,
	imported integer not null,
	passed   integer not null,
	total    integer not null,
	report   blob -- JSON, zstd; null when none was kept
) strict;
create index attempt_exercise on attempt (exercise, id);

create table check_outcome (
	attempt    integer not null references attempt,
	position   integer not null,
	id         text not null,
	title      text not null,
	status     text not null,
	blocked_by text not null,
	duration   integer not null,
	primary key (attempt, position)
) strict, without rowid;

create table attempt_file (
	attempt integer not null references attempt,
	name    text not null, -- slash-separated
	blob    text not null references blob,
	primary key (attempt, name)
) strict, without rowid;

create table quiz_answer (
	id       integer primary key autoincrement,
	lesson   text not null,
	question text not null,
	asked    text not null,
	chosen   text not null, -- JSON array of indexes
	correct  integer not null,
	at       integer not null
) strict;
create index quiz_answer_lesson on quiz_answer (lesson, id);

create table lesson_read (
	id     integer primary key autoincrement,
	lesson text not null,
	at     integer not null
) strict;

create table place (
	lesson  text primary key,
	screen  text not null,
	heading text not null,
	line    integer not null,
	at      integer not null,
	moved   integer not null -- grows with every move: the greatest is the newest
) strict, without rowid;

create table hint_shown (
	id       integer primary key autoincrement,
	exercise text not null,
	rung     integer not null,
	at       integer not null
) strict;

create table give_up (
	id       integer primary key autoincrement,
	exercise text not null,
	content  text not null,
	at       integer not null
) strict;

create table imported_folder (
	folder text primary key,
	at     integer not null
) strict, without rowid;

-- What a folder knew of an exercise beyond its last attempt.
create table earlier (
	folder    text not null references imported_folder,
	exercise  text not null,
	attempts  integer not null,
	last      text not null,
	last_at   integer not null,
	passed_at integer, -- null: never
	primary key (folder, exercise)
) strict, without rowid;

pragma user_version = 1;
