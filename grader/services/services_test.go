package services

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) {
	if child := os.Getenv("SERVICES_TEST_CHILD"); child != "" {
		childMain(child)
		return
	}
	if child := os.Getenv("SERVICES_TEST_ENGINE_CHILD"); child != "" {
		engineChild(child)
		return
	}
	os.Exit(m.Run())
}

func openTest(t testing.TB, cfg Config) (Provider, *Postgres) {
	t.Helper()
	if cfg.StateDir == "" {
		cfg.StateDir = testDir
	}
	provider, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := provider.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	p, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return provider, p
}

func takeTest(t testing.TB, p *Postgres, f Fixture) *Database {
	t.Helper()
	d, err := p.Database(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Release(false) })
	return d
}

func dial(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { closeConn(conn) })
	return conn
}

func run(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func text(t testing.TB, conn *pgx.Conn, sql string) string {
	t.Helper()
	var s string
	if err := conn.QueryRow(t.Context(), sql).Scan(&s); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// shop has one object of each kind that changes hands.
var shop = Fixture{
	Name: "shop", MinVersion: 14, Extensions: []string{"pg_trgm"},
	SQL: `
create type size as enum ('s', 'm', 'l');
create domain cents as bigint check (value >= 0);
create type span as range (subtype = int4);
create type pair as (a int, b int);
create table items (id bigint generated always as identity primary key, name text not null, price cents, size size);
create table parted (id int, day date) partition by range (day);
create table parted_a partition of parted for values from ('2020-01-01') to ('2021-01-01');
create sequence tickets;
create view cheap as select * from items where price < 100;
create materialized view totals as select count(*) from items;
create function double(int) returns int language sql as 'select $1 * 2';
create procedure nothing() language sql as '';
create aggregate product(int) (sfunc = int4mul, stype = int);
create schema audit;
create table audit."Log Entries" (id serial primary key, what text);
create statistics items_stat on name, price from items;
insert into items (name, price) select 'item ' || i, i from generate_series(1, 1000) i;
`,
}

func testCloneHoldsTheFixture(t *testing.T) {
	_, p := openTest(t, Config{})
	d := takeTest(t, p, shop)
	conn := dial(t, d.ProgramURL(""))
	if got := text(t, conn, "select count(*)::text from items"); got != "1000" {
		t.Errorf("items in the clone: %s, want 1000", got)
	}
	if got := text(t, conn, "select current_user::text"); got != d.Role {
		t.Errorf("the program is %s, want %s", got, d.Role)
	}
	if got := text(t, conn, "select (relpages > 1 and relallvisible = relpages)::text from pg_class where relname = 'items'"); got != "true" {
		t.Error("the template was left with pages that a reader has to look at for who may see their rows")
	}
	if err := d.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	examiner := dial(t, d.ExaminerURL())
	if got := text(t, examiner, "select current_setting('is_superuser') || ' ' || (current_user <> '"+d.Role+"') || ' ' || count(*) from items"); got != "off true 1000" {
		t.Errorf("the examiner is %q", got)
	}
}

func testClonesAreApart(t *testing.T) {
	_, p := openTest(t, Config{})
	a := dial(t, takeTest(t, p, shop).ProgramURL(""))
	b := dial(t, takeTest(t, p, shop).ProgramURL(""))
	run(t, a, "delete from items")
	run(t, a, "select pg_advisory_lock(1)")
	if got := text(t, b, "select count(*) || ' ' || pg_try_advisory_lock(1) from items"); got != "1000 true" {
		t.Errorf("the other clone: %s", got)
	}
	c := dial(t, takeTest(t, p, shop).ProgramURL(""))
	if got := text(t, c, "select count(*)::text from items"); got != "1000" {
		t.Errorf("a clone after it holds %s items, want 1000", got)
	}
}

func testTwoAtOnceShareOneServer(t *testing.T) {
	dir := t.TempDir()
	t.Cleanup(func() { _, _ = Stop(context.Background(), Config{StateDir: dir}, true) })
	addrs := make([]string, 3)
	var wg sync.WaitGroup
	for i := range addrs {
		provider, err := Open(Config{StateDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer provider.Close()
		wg.Go(func() {
			p, err := provider.Postgres(t.Context(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			addrs[i] = p.Addr()
			d, err := p.Database(t.Context(), shop)
			if err != nil {
				t.Error(err)
				return
			}
			d.Release(false)
		})
	}
	wg.Wait()
	if addrs[0] != addrs[1] || addrs[0] != addrs[2] {
		t.Errorf("servers at %v, want one", addrs)
	}
	servers, err := List(t.Context(), Config{StateDir: dir})
	if err != nil || len(servers) != 1 || !servers[0].Running() {
		t.Errorf("servers: %+v, %v", servers, err)
	}
	if _, err := Stop(t.Context(), Config{StateDir: dir}, false); err == nil {
		t.Error("stop didn't mind the cairns that run")
	}
}

func testServerStaysWarm(t *testing.T) {
	provider, err := Open(Config{StateDir: testDir})
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	addr, nonce := p.Addr(), p.server.nonce
	if err := provider.Close(); err != nil {
		t.Fatal(err)
	}
	_, next := openTest(t, Config{})
	if next.Addr() != addr || next.server.nonce != nonce {
		t.Errorf("the next cairn got %s, want the server at %s", next.Addr(), addr)
	}
}

func testSpareIsTakenAndReplaced(t *testing.T) {
	_, p := openTest(t, Config{})
	if err := p.Prepare(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	spare := p.spares[shop.templateName()].db.Name
	d := takeTest(t, p, shop)
	if d.Name != spare {
		t.Errorf("got %s, want the spare %s", d.Name, spare)
	}
	d.Release(false)
	if err := p.Prepare(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if next := takeTest(t, p, shop); next.Name == spare {
		t.Error("the same database was given out twice")
	}
}

func testKept(t *testing.T) {
	provider, p := openTest(t, Config{})
	f := Fixture{Name: "keeper", SQL: "create table t (id int)"}
	d, err := p.Database(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	run(t, dial(t, d.ProgramURL("")), "insert into t values (42)")
	d.Release(true)
	if err := provider.Close(); err != nil {
		t.Fatal(err)
	}
	provider, p = openTest(t, Config{})
	p.sweep(t.Context())
	if got := text(t, dial(t, d.ProgramURL("")), "select id::text from t"); got != "42" {
		t.Errorf("the kept database holds %s", got)
	}
	servers, err := List(t.Context(), Config{StateDir: testDir})
	if err != nil || len(servers) != 1 || len(servers[0].Kept()) != 1 || servers[0].Kept()[0].Fixture != "keeper" {
		t.Errorf("list: %+v, %v", servers, err)
	}
	takeTest(t, p, f)
	if err := provider.Close(); err != nil { // waits for the background
		t.Fatal(err)
	}
	_, p = openTest(t, Config{})
	if has(t, p, d.Name) {
		t.Error("the next grade of the fixture left the kept database")
	}
}

func has(t testing.TB, p *Postgres, database string) bool {
	t.Helper()
	dbs, err := p.databases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dbs {
		if d.Name == database {
			return true
		}
	}
	return false
}

func testReleaseClosesSessionsAndDrops(t *testing.T) {
	provider, p := openTest(t, Config{NoSpare: true})
	d := takeTest(t, p, shop)
	conn := dial(t, d.ProgramURL(""))
	run(t, conn, "begin; lock table items")
	d.Release(false)
	d.Release(true) // counts for nothing
	if err := provider.Close(); err != nil {
		t.Fatal(err)
	}
	_, p = openTest(t, Config{})
	if has(t, p, d.Name) {
		t.Error("the database is still there")
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the program's session lives on")
	}
}

func testPrune(t *testing.T) {
	provider, p := openTest(t, Config{})
	d := takeTest(t, p, shop)
	kept, err := p.Database(t.Context(), Fixture{Name: "pruned", SQL: "create table t (id int)"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.keep(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	pruned, err := Prune(t.Context(), Config{StateDir: testDir})
	if err != nil {
		t.Fatal(err)
	}
	if has(t, p, kept.Name) || !has(t, p, d.Name) || !has(t, p, shop.templateName()) {
		t.Errorf("pruned %+v: want the kept one gone, the live one and its template there", pruned)
	}
	if err := provider.Close(); err != nil {
		t.Fatal(err)
	}
	if pruned, err = Prune(t.Context(), Config{StateDir: testDir}); err != nil {
		t.Fatal(err)
	}
	templates := 0
	for _, d := range pruned.Databases {
		if d.Template {
			templates++
		}
	}
	if templates == 0 {
		t.Errorf("with no cairn running, no template was pruned: %+v", pruned)
	}
}

func testIdleServerEndsByItself(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{StateDir: dir, Idle: 3 * time.Second}
	t.Cleanup(func() { _, _ = Stop(context.Background(), cfg, true) })
	provider, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer provider.Close()
	p, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	waitEnded(t, cfg, p.server)
	again, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatalf("after the idle server ended: %v", err)
	}
	if again.server.id == p.server.id {
		t.Error("the ended server was given out")
	}
	takeTest(t, again, Fixture{Name: "again", SQL: "create table t (id int)"})
}

// testKeptServerStaysInUse holds that a kept database counts as a use, which keeps the server warm,
// until the next grade of its fixture takes its place.
func testKeptServerStaysInUse(t *testing.T) {
	_, p := openTest(t, Config{})
	before := p.inUse.Load()
	f := Fixture{Name: "looked", SQL: "create table t (id int)"}
	for range 2 {
		d := takeTest(t, p, f)
		if n := p.inUse.Load() - before; n != 1 {
			t.Errorf("%d uses during a grade, want 1", n)
		}
		d.Release(true)
		if n := p.inUse.Load() - before; n != 1 {
			t.Errorf("%d uses with a database kept, want 1", n)
		}
	}
	takeTest(t, p, f).Release(false)
	if n := p.inUse.Load() - before; n != 0 {
		t.Errorf("%d uses after the kept database was dropped, want none", n)
	}
}
