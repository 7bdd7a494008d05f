package services

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childMain is another cairn: it takes a database, says its name and waits to be killed.
func childMain(dir string) {
	fail := func(err error) {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	provider, err := Open(Config{StateDir: dir})
	if err != nil {
		fail(err)
	}
	p, err := provider.Postgres(context.Background(), nil)
	if err != nil {
		fail(err)
	}
	d, err := p.Database(context.Background(), shop)
	if err != nil {
		fail(err)
	}
	if err := p.Prepare(context.Background(), shop); err != nil {
		fail(err)
	}
	r, err := provider.Redis(context.Background(), RedisFixture{Name: "counter"}, nil)
	if err != nil {
		fail(err)
	}
	if err := provider.PrepareRedis(context.Background(), nil); err != nil {
		fail(err)
	}
	fmt.Println(d.Name, r.Name)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // never comes
}

func testKilledCairnLeavesNothing(t *testing.T) {
	_, p := openTest(t, Config{})
	child := osexec.Command(os.Args[0])
	child.Env = append(os.Environ(), "SERVICES_TEST_CHILD="+testDir)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	name, redis, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || !strings.HasPrefix(name, "cairn_") {
		_ = child.Process.Kill()
		t.Fatalf("the other cairn said %q, %v", line, err)
	}
	lease := describe(name, "{}").lease

	p.sweep(t.Context())
	if !has(t, p, name) {
		t.Fatal("a sweep dropped the database of a cairn that runs")
	}
	other, err := Open(Config{StateDir: testDir})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.(*provider).sweepServers(t.Context())
	if got := redisServers(t, lease); len(got) != 2 || got[0].name != redis && got[1].name != redis {
		t.Fatalf("after a sweep, the cairn that runs has %+v, want %s and a spare", got, redis)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	provider, _ := openTest(t, Config{}) // the next start
	if err := provider.Close(); err != nil {
		t.Fatal(err)
	}
	dbs, err := p.databases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dbs {
		if d.lease == lease {
			t.Errorf("%s is left", d.Name)
		}
	}
	if left := redisServers(t, lease); len(left) > 0 {
		t.Errorf("servers are left: %+v", left)
	}
	if _, err := os.Stat(filepath.Join(testDir, "leases", lease)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lease is left: %v", err)
	}
}

func testHalfMadeTemplateIsSwept(t *testing.T) {
	_, p := openTest(t, Config{})
	f := Fixture{Name: "half", SQL: "create table half (id int)"}
	name := f.templateName()
	if err := p.exec(t.Context(), "create database "+identifier(name)); err != nil {
		t.Fatal(err)
	}
	p.sweep(t.Context())
	if has(t, p, name) {
		t.Error("a template that was never completed is left")
	}
	takeTest(t, p, f)
	p.sweep(t.Context())
	if !has(t, p, name) {
		t.Error("a complete template was swept")
	}
}

func testDatabaseOfALostConnectionIsSwept(t *testing.T) {
	provider, p := openTest(t, Config{})
	d, err := p.Database(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Prepare(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	// Every connection breaks, and so does the next try: the server is taken for lost.
	if _, err := dial(t, p.superuserURL("postgres", "operator")).Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cairn'"); err != nil {
		t.Fatal(err)
	}
	again, err := provider.Postgres(t.Context(), nil)
	if err != nil || again == p {
		t.Fatalf("after broken connections: %v, the same handle: %v", err, again == p)
	}
	next := takeTest(t, again, shop)
	if next.Name == d.Name {
		t.Error("a name was given out twice")
	}
	d.Release(false)
	again.sweep(t.Context())
	if has(t, again, d.Name) {
		t.Error("the database of the lost connection is left")
	}
}

func testLostServerIsReplaced(t *testing.T) {
	dir := t.TempDir()
	t.Cleanup(func() { _, _ = Stop(context.Background(), Config{StateDir: dir}, true) })
	provider, err := Open(Config{StateDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer provider.Close()
	p, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Database(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	if stopped, err := Stop(t.Context(), Config{StateDir: dir}, true); err != nil || len(stopped) != 1 {
		t.Fatalf("stop: %+v, %v", stopped, err)
	}
	var un *Unavailable
	if err := d.Verify(t.Context()); !errors.As(err, &un) || un.Do == "" {
		t.Errorf("verify after the server's end: %v", err)
	}
	if _, err := p.Database(t.Context(), Fixture{Name: "x", SQL: "select 1"}); !errors.As(err, &un) {
		t.Errorf("a database of a lost server: %v", err)
	}
	d.Release(false)
	next, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	takeTest(t, next, shop)
}

func testWrongServerIsNoticed(t *testing.T) {
	_, p := openTest(t, Config{})
	d := takeTest(t, p, shop)
	other := newPostgres(p.cfg, p.state, p.lease, p.server)
	other.server.nonce = "another"
	impostor := &Database{Name: d.Name, p: other}
	err := impostor.Verify(t.Context())
	var un *Unavailable
	if !errors.As(err, &un) || !strings.Contains(un.What, "not the one that cairn started") {
		t.Errorf("verify against another server: %v", err)
	}
}

func TestEngineTroubleIsExplained(t *testing.T) {
	dir := t.TempDir()
	silent, err := net.Listen("unix", filepath.Join(dir, "silent.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("unix", filepath.Join(dir, "closed.sock"))
	if err != nil {
		t.Fatal(err)
	}
	closed.(*net.UnixListener).SetUnlinkOnClose(false)
	closed.Close()
	for name, c := range map[string]struct{ host, what, do string }{
		"absent":  {"unix://" + dir + "/none.sock", "there is no Docker engine at", "start Docker"},
		"stopped": {"unix://" + dir + "/closed.sock", "Docker is not running", "start Docker"},
		"hanging": {"unix://" + dir + "/silent.sock", "Docker hangs", "restart Docker"},
		"ssh":     {"ssh://somewhere", "a unix socket or tcp", "unset it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("CAIRN_SERVICES", "")
			t.Setenv("DOCKER_HOST", c.host)
			provider, err := Open(Config{StateDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer provider.Close()
			_, err = provider.Postgres(t.Context(), nil)
			var un *Unavailable
			if !errors.As(err, &un) || !strings.Contains(un.What, c.what) || !strings.Contains(un.Do, c.do) {
				t.Errorf("got %v, want %q and %q", err, c.what, c.do)
			}
		})
	}
}

func testFixtureTroubleIsExplained(t *testing.T) {
	_, p := openTest(t, Config{})
	for name, c := range map[string]struct {
		fixture Fixture
		what    string
	}{
		"version":   {Fixture{Name: "x", MinVersion: 99}, "needs PostgreSQL 99 or newer"},
		"extension": {Fixture{Name: "x", Extensions: []string{"nosuch"}}, `needs the extension "nosuch"`},
		"sql":       {Fixture{Name: "x", SQL: "select 1;\ncreate tabel x ();"}, "does not load: line 2: syntax error"},
	} {
		var un *Unavailable
		if _, err := p.Database(t.Context(), c.fixture); !errors.As(err, &un) || !strings.Contains(un.What, c.what) {
			t.Errorf("%s: %v, want %q", name, err, c.what)
		}
	}
}

func TestMissingImageIsExplained(t *testing.T) {
	needEngine(t)
	t.Setenv("CAIRN_SERVICES", inContainers)
	t.Setenv("CAIRN_POSTGRES_IMAGE", "localhost:1/no/such:image")
	provider, err := Open(Config{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer provider.Close()
	var steps []string
	_, err = provider.Postgres(t.Context(), func(p Progress) { steps = append(steps, p.What) })
	var un *Unavailable
	if !errors.As(err, &un) || !strings.Contains(un.What, "missing and cannot be pulled") || !strings.Contains(un.Do, "make images") {
		t.Errorf("missing image: %v", err)
	}
	if len(steps) != 1 || steps[0] != "pulling localhost:1/no/such:image" {
		t.Errorf("progress: %q", steps)
	}
	steps = nil
	if _, err := FetchImages(t.Context(), Config{StateDir: t.TempDir()}, func(p Progress) { steps = append(steps, p.What) }); !errors.As(err, &un) || len(steps) != 1 {
		t.Errorf("fetching it ahead: %v, progress %q", err, steps)
	}
}

// TestFetchImagesLeavesWhatIsThere asks for images of which there is nothing to fetch: the ones that
// the tests themselves run on, and none at all where servers need no container.
func TestFetchImagesLeavesWhatIsThere(t *testing.T) {
	needEngine(t)
	for _, kind := range []string{inContainers, native} {
		pulled, err := FetchImages(t.Context(), Config{Services: kind, StateDir: t.TempDir()}, func(p Progress) { t.Errorf("%s: %+v", kind, p) })
		if err != nil || pulled != nil {
			t.Errorf("%s: %q, %v", kind, pulled, err)
		}
	}
}

func TestUnknownServicesAreRefused(t *testing.T) {
	t.Setenv("CAIRN_SERVICES", "podman")
	if _, err := Open(Config{}); err == nil || !strings.Contains(err.Error(), `CAIRN_SERVICES is "podman"`) {
		t.Errorf("open: %v", err)
	}
}

func testCancelledContextIsRespected(t *testing.T) {
	provider, p := openTest(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := provider.Postgres(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Postgres: %v", err)
	}
	if _, err := p.Database(ctx, shop); !errors.Is(err, context.Canceled) {
		t.Errorf("Database: %v", err)
	}
	if err := p.Prepare(ctx, Fixture{Name: "c", SQL: "select 3"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Prepare: %v", err)
	}
	takeTest(t, p, shop) // the server is none the worse
}

// A server that dies while it drops a database leaves one that it calls invalid.
func testHalfDroppedDatabaseIsSwept(t *testing.T) {
	_, p := openTest(t, Config{})
	d := takeTest(t, p, shop)
	if err := p.exec(t.Context(), "update pg_database set datconnlimit = -2 where datname = "+literal(d.Name)); err != nil {
		t.Fatal(err)
	}
	p.lease.forget(d.Name)
	if _, err := p.dropDead(t.Context()); err != nil {
		t.Error(err)
	}
	if has(t, p, d.Name) {
		t.Error("the half-dropped database is left")
	}
}

// TestLeasesKnowNoTime holds that no jump of the clock makes a cairn look dead that runs, or alive that
// has ended.
func TestLeasesKnowNoTime(t *testing.T) {
	st := state{t.TempDir()}
	mine, err := st.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended, err := st.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, jump := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		then := time.Now().Add(jump)
		for _, l := range []*lease{mine, ended} {
			if err := os.Chtimes(l.lock.Path(), then, then); err != nil {
				t.Fatal(err)
			}
		}
		if live, err := st.live(t.Context()); err != nil || !live[mine.id] || !live[ended.id] {
			t.Errorf("after a jump by %s: %v, %v; want both alive", jump, live, err)
		}
	}
	if err := ended.lock.Unlock(); err != nil { // what the kernel does when a process ends
		t.Fatal(err)
	}
	if live, err := st.live(t.Context()); err != nil || !live[mine.id] || live[ended.id] {
		t.Errorf("after the end of one: %v, %v", live, err)
	}
	if err := mine.giveUp(); err != nil {
		t.Error(err)
	}
}
