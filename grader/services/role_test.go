package services

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func testProgramOwnsItsDatabase(t *testing.T) {
	_, p := openTest(t, Config{})
	d := takeTest(t, p, shop)
	conn := dial(t, d.ProgramURL(""))
	for _, sql := range []string{
		"alter table items add note text",
		"alter table parted_a add check (id > 0)",
		"create index on parted (id)",
		"alter sequence tickets restart 5",
		"create or replace view cheap as select * from items where price < 50",
		"refresh materialized view totals",
		"create or replace function double(int) returns int language sql as 'select $1 + $1'",
		"drop procedure nothing()",
		"drop aggregate product(int)",
		"alter type size add value 'xl'",
		"alter domain cents add check (value < 1000000)",
		"alter type pair add attribute c int",
		"drop type span",
		"drop statistics items_stat",
		`alter table audit."Log Entries" add at timestamptz`,
		"create table audit.more (id int)",
		"create table mine (id int)",
		"create schema extra",
		"create temporary table scratch (id int)",
		"create extension hstore",
		"truncate items restart identity",
		"analyze items",
		"drop table items cascade",
	} {
		run(t, conn, sql)
	}
	left := text(t, conn, `select coalesce(string_agg(relname, ', '), 'none') from pg_class c
		where relowner <> current_user::regrole and oid >= 16384 and relnamespace in ('public'::regnamespace, 'audit'::regnamespace)
		and not exists (select from pg_depend where objid = c.oid and deptype = 'e')`)
	if left != "none" {
		t.Errorf("not handed over: %s", left)
	}
}

func testObjectsOfAnotherOwnerStayTheirs(t *testing.T) {
	_, p := openTest(t, Config{})
	d := takeTest(t, p, Fixture{Name: "tenants", SQL: `
		do $$ begin
			if not exists (select from pg_roles where rolname = 'tenants_owner') then create role tenants_owner; end if;
		end $$;
		create table invoices (tenant int, total int);
		insert into invoices values (1, 10), (2, 20);
		alter table invoices owner to tenants_owner;
		grant select, insert, update, delete on invoices to public;
		alter table invoices enable row level security;
		create policy own on invoices using (tenant = current_setting('app.tenant')::int);`})
	conn := dial(t, d.ProgramURL(""))
	run(t, conn, "set app.tenant = '1'")
	if got := text(t, conn, "select sum(total)::text from invoices"); got != "10" {
		t.Errorf("the program sees invoices of %s, want 10: the policy must hold", got)
	}
	if _, err := conn.Exec(t.Context(), "alter table invoices disable row level security"); err == nil {
		t.Error("the program could switch the policy off")
	}
	examiner := dial(t, d.ExaminerURL())
	if got := text(t, examiner, "select sum(total)::text from invoices"); got != "30" {
		t.Errorf("the examiner sees invoices of %s, want 30: past the policy", got)
	}
}

// testExaminerLendsNoPower lets the program put a function behind a table, which then runs with the
// rights of the examiner who writes there, and looks for what the program can see of the examiner.
func testExaminerLendsNoPower(t *testing.T) {
	_, p := openTest(t, Config{})
	d, other := takeTest(t, p, shop), takeTest(t, p, shop)
	program, examiner := dial(t, d.ProgramURL("")), dial(t, d.ExaminerURL())
	run(t, program, `
		create table seen (who text, what text);
		create function borrow() returns trigger language plpgsql as $$
		begin
			begin
				execute new.name;
				insert into seen values (current_user, 'done');
			exception when insufficient_privilege then
				insert into seen values (current_user, 'denied');
			end;
			return new;
		end $$;
		create trigger borrow before insert on items for each row execute function borrow();`)
	for _, sql := range []string{
		"copy (select 1) to program 'id'",
		"alter role " + d.Role + " superuser",
		"create role mine",
		"set role " + superuser,
		"alter database " + other.Name + " rename to mine",
		"alter database " + d.Name + " set search_path = 'extra'",
		"select pg_read_file('/etc/passwd')",
		"select rolpassword from pg_authid",
		"set session_replication_role = 'replica'",
		"create event trigger t on ddl_command_end execute function borrow()",
	} {
		run(t, program, "truncate seen")
		if _, err := examiner.Exec(t.Context(), "insert into items (name) values ($1)", sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
		if got := text(t, program, "select string_agg(who || ' ' || what, ', ') from seen"); got != d.Name+examinerSuffix+" denied" {
			t.Errorf("%s: %s, want it denied", sql, got)
		}
	}
	run(t, examiner, "select 'a secret of the examiner'")
	if got := text(t, program, "select coalesce(string_agg(query, ', '), '') from pg_stat_activity where usename <> current_user and query not like '%insufficient%'"); got != "" {
		t.Errorf("the program reads %q", got)
	}
	var pg *pgconn.PgError
	if _, err := program.Exec(t.Context(), "select pg_terminate_backend("+text(t, examiner, "select pg_backend_pid()::text")+")"); !errors.As(err, &pg) || pg.Code != "42501" {
		t.Errorf("the program ends the examiner's session: %v", err)
	}
	if _, err := program.Exec(t.Context(), "set role "+d.Name+examinerSuffix); !errors.As(err, &pg) || pg.Code != "42501" {
		t.Errorf("the program becomes the examiner: %v", err)
	}
}

func testProgramHasNoPowerOutside(t *testing.T) {
	_, p := openTest(t, Config{})
	d, other := takeTest(t, p, shop), takeTest(t, p, shop)
	victim := dial(t, other.ProgramURL(""))
	pid := text(t, victim, "select pg_backend_pid()::text")
	conn := dial(t, d.ProgramURL(""))
	const denied = "42501"
	for sql, code := range map[string]string{
		"copy (select 1) to program 'id'":                        denied,
		"copy (select 1) to '/tmp/x'":                            denied,
		"select pg_read_file('/etc/passwd')":                     denied,
		"select pg_terminate_backend(" + pid + ")":               denied,
		"select pg_cancel_backend(" + pid + ")":                  denied,
		"drop database " + shop.templateName():                   denied,
		"alter database " + shop.templateName() + " rename to x": denied,
		"drop database " + other.Name:                            denied,
		"create database mine":                                   denied,
		"create role mine":                                       denied,
		"alter role " + d.Role + " connection limit 1000":        denied,
		"alter role " + superuser + " password 'x'":              denied,
		"set role " + superuser:                                  denied,
		"alter system set work_mem = '1GB'":                      denied,
		"create extension dblink":                                denied,
		"set temp_file_limit = -1":                               denied,
		"select * from pg_authid":                                denied,
		"load 'auto_explain'":                                    denied,
		"alter database " + d.Name + " connection limit 1000":    denied,
		"create function f() returns int language c as 'a', 'b'": denied,
		"create subscription s connection '' publication p":      denied,
		"select pg_switch_wal()":                                 denied,
		"select lo_import('/etc/passwd')":                        denied,
		"grant " + other.Role + " to " + d.Role:                  denied,
		"create tablespace t location '/tmp'":                    denied,
		"comment on database " + d.Name + " is 'kept'":           denied,
		"drop database if exists " + d.Name + " with (force)":    denied,
		"select pg_reload_conf()":                                denied,
		"alter role " + d.Role + " superuser":                    denied,
		"select pg_stat_reset_shared('io')":                      denied,
	} {
		_, err := conn.Exec(t.Context(), sql)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != code {
			t.Errorf("%s: %v, want SQLSTATE %s", sql, err, code)
		}
	}
	for _, db := range []string{"postgres", "template1", "template0", shop.templateName(), other.Name} {
		url := strings.Replace(d.ProgramURL(""), "/"+d.Name+"?", "/"+db+"?", 1)
		if c, err := pgx.Connect(t.Context(), url); err == nil {
			closeConn(c)
			t.Errorf("the program could connect to %s", db)
		}
	}
	if got := text(t, victim, "select 'alive'"); got != "alive" {
		t.Error("the other program's session was hurt")
	}
}

func testConnectionsStayInsideTheGrade(t *testing.T) {
	_, p := openTest(t, Config{})
	d, other := takeTest(t, p, shop), takeTest(t, p, shop)
	for range connectionLimit {
		dial(t, d.ProgramURL(""))
	}
	_, err := pgx.Connect(t.Context(), d.ProgramURL(""))
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "53300" {
		t.Errorf("connection %d: %v, want too_many_connections", connectionLimit+1, err)
	}
	if got := text(t, dial(t, other.ProgramURL("")), "select 'fine'"); got != "fine" {
		t.Error("the other grade can't connect")
	}
	n, err := d.CloseSessions(t.Context())
	if err != nil || n != connectionLimit {
		t.Errorf("closed %d sessions, %v, want %d", n, err, connectionLimit)
	}
}
