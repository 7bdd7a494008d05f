package wire

import (
	"slices"
	"testing"
)

func TestSplitStatements(t *testing.T) {
	for sql, want := range map[string][]string{
		"":                      {""},
		"-- ping":               {"-- ping"},
		"; ;":                   {"; ;"},
		"select 1":              {"select 1"},
		" select 1 ; ":          {"select 1"},
		"begin; select 1;":      {"begin", "select 1"},
		"select ';' ; select 2": {"select ';'", "select 2"},
		`select E'a\';b'; x`:    {`select E'a\';b'`, "x"},
		`select "a;""b"; x`:     {`select "a;""b"`, "x"},
		"select 'it''s;'; x":    {"select 'it''s;'", "x"},
		"/* a; /* b; */ c; */ select 1; -- d;\n x":          {"/* a; /* b; */ c; */ select 1", "-- d;\n x"},
		"do $$ begin; end $$; select $1; x":                 {"do $$ begin; end $$", "select $1", "x"},
		"do $a$ ; $b$ ; $a$; x":                             {"do $a$ ; $b$ ; $a$", "x"},
		"create rule r as on insert to t do (a; b); x":      {"create rule r as on insert to t do (a; b)", "x"},
		"create function f() begin atomic select 1; end; x": {"create function f() begin atomic select 1; end; x"},
		"select 'open; x":                                   {"select 'open; x"},
		"select E'\\":                                       {"select E'\\"},
		"select $q$ never closed; x":                        {"select $q$ never closed; x"},
		"select a$b; x":                                     {"select a$b", "x"},
		"select größe from \"t;ü\"; x":                      {"select größe from \"t;ü\"", "x"},
		"/* never closed; x":                                {"/* never closed; x"},
		"select 1;;;select 2":                               {"select 1", "select 2"},
	} {
		if got := splitStatements(sql); !slices.Equal(got, want) {
			t.Errorf("%q is split into %q, want %q", sql, got, want)
		}
	}
}

func TestVerb(t *testing.T) {
	for sql, want := range map[string]string{
		"":                          "",
		"-- ping":                   "",
		"commit":                    "COMMIT",
		"/* why */ ((Select 1))":    "SELECT",
		"$1":                        "",
		"-- one\n-- two\n update t": "UPDATE",
	} {
		if got := verb(sql); got != want {
			t.Errorf("%q begins with %q, want %q", sql, got, want)
		}
	}
}

func TestClassifyReads(t *testing.T) {
	for _, c := range []struct {
		table string
		sql   string
		reads bool
	}{
		{"accounts", "select balance from accounts where id = $1", true},
		{"accounts", "SELECT balance FROM Accounts", true},
		{"accounts", `select balance from public."accounts" a`, true},
		{"accounts", `select balance from "Accounts"`, false},
		{"Accounts", `select balance from accounts`, true},
		{"public.accounts", "select 1 from accounts", true},
		{"public.accounts", "select 1 from audit.accounts", false},
		{"accounts", "select 1 from audit.accounts", true},
		{"accounts", "select balance from accounts for update", true},
		{"accounts", "select balance from only accounts for no key update", true},
		{"accounts", "table accounts", true},
		{"accounts", "(select 1 from accounts)", true},
		{"accounts", "select 1 from users u join accounts a on a.id = u.id", true},
		{"accounts", "select 1 from users u, accounts a", true},
		{"accounts", "select 1 from users u, lateral (select * from accounts) a", true},
		{"accounts", "select 1 from (users u join accounts a using (id))", true},
		{"accounts", "select 1 from generate_series(1, 2), accounts", true},
		{"accounts", "select * from users where id in (select user_id from accounts)", true},
		{"accounts", "select 1 union select 2 from accounts", true},
		{"accounts", "with a as (select * from accounts) select * from a", true},
		{"accounts", "/* from orders */ select 1 -- x\n from accounts", true},
		{"accounts", "select 1 from my_accounts", false},
		{"accounts", "select 1 from accounts_old", false},
		{"accounts", "select 'from accounts'", false},
		{"accounts", "select 1 -- from accounts", false},
		{"accounts", "select 1 from orders where accounts = 1", false},
		{"accounts", "select accounts from orders order by id, accounts", false},
		{"accounts", "select accounts.x from orders as o", false},
		{"accounts", "select * from accounts(1)", false},
		{"accounts", "update accounts set balance = 1", false},
		{"accounts", "update accounts set x = (select 1 from accounts)", false},
		{"accounts", "insert into accounts select * from accounts", false},
		{"accounts", "delete from accounts", false},
		{"accounts", "lock table accounts", false},
		{"accounts", "explain select * from accounts", false},
		{"accounts", "with t as (update accounts set x = 1 returning *) select * from accounts", false},
		{"accounts", "with t as (select 1) update accounts set x = 1", false},
		{"accounts", "with t as (select * from accounts) insert into log select * from t", false},
		{"accounts", "", false},
	} {
		if got := classify(c.sql, parseTable(c.table)).reads; got != c.reads {
			t.Errorf("reading %s: %q gives %v", c.table, c.sql, got)
		}
	}
}

func TestMayWait(t *testing.T) {
	for sql, want := range map[string]bool{
		"begin":                      false,
		"start transaction":          false,
		"rollback":                   false,
		"-- ping":                    false,
		"select balance from t":      false,
		"select * from t where id=1": false,
		"with a as (select * from t) select * from a": false,
		"commit":                                                true,
		"select balance from t for update":                      true,
		"select balance from t for key share":                   true,
		"select pg_advisory_xact_lock(1)":                       true,
		"select pg_advisory_lock(1) from t":                     true,
		"select * from pg_advisory_lock(1)":                     true,
		"select withdraw(1)":                                    true,
		"select * from withdraw(1)":                             true,
		"lock table t":                                          true,
		"update t set a = 1":                                    true,
		"with x as (delete from t returning *) select * from x": true,
	} {
		if got := mayWait(sql); got != want {
			t.Errorf("%q may wait: %v", sql, got)
		}
	}
}

func FuzzSQL(f *testing.F) {
	for _, sql := range []string{"select 1; x", "with a as (table t) select $q$ ; $q$, E'\\'' from \"a\".b for update", "/* /* */"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		size := 0
		for _, part := range splitStatements(sql) {
			size += len(part)
		}
		if size > len(sql) {
			t.Errorf("%d bytes were split into %d", len(sql), size)
		}
		verb(sql)
		classify(sql, parseTable(sql))
		mayWait(sql)
	})
}
