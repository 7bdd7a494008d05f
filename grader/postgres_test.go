package grader

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// stateDir is where this run's tests keep their server.
var stateDir string

// needEngine skips where there is no Docker engine.
func needEngine(t *testing.T) {
	t.Helper()
	_, err := services.CheckHost(t.Context(), services.Config{})
	var un *services.Unavailable
	if errors.As(err, &un) && errors.Is(un, fs.ErrNotExist) {
		t.Skip("needs services: ", un)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// counter lays the counter program out and returns an exercise around it.
func counter(t *testing.T, declare func(x *exam.X)) (Exercise, string) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/counter.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "counter.go"), archive.Files[0].Data, 0o644); err != nil {
		t.Fatal(err)
	}
	e := Exercise{
		ID: "counter", Title: "A counter", Edit: []string{"counter.go"},
		Given:   map[string][]byte{"program/main.go": archive.Files[1].Data},
		Fixture: &services.Fixture{Name: "counter", SQL: "create table counters (id text primary key, n int not null)"},
		Exam:    declare,
		Limits:  Limits{Limits: exam.Limits{Request: 2 * time.Second}},
	}
	for name, dest := range map[string]*[]byte{"go.mod": &e.GoMod, "go.sum": &e.GoSum} {
		if *dest, err = os.ReadFile("../exercises/workspace/" + name + ".tmpl"); err != nil {
			t.Fatal(err)
		}
	}
	return e, dir
}

func newServiceGrader(t *testing.T) *Grader {
	t.Helper()
	provider, err := services.Open(services.Config{StateDir: stateDir})
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{CacheDir: t.TempDir(), Provider: provider})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.Close(), provider.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return g
}

func newCounter(c *exam.C) string {
	id := c.Unique("counter")
	c.DB().Exec("insert into counters values ($1, 0)", id)
	return id
}

func valueOf(c *exam.C, id string) int64 {
	return c.DB().Int("select n from counters where id = $1", id)
}

// twice counts from both instances at once, with the barrier armed.
func twice(path string) func(*exam.C) {
	return func(c *exam.C) {
		id := newCounter(c)
		b := c.Barrier(2, "counters")
		first, second := c.Client("A", exam.To(0)), c.Client("B", exam.To(1))
		c.Parallel(
			func() { first.Post(path+id, nil).Want(200) },
			func() { second.Post(path+id, nil).Want(200) },
		)
		c.Note("barrier: %+v", b.Outcome())
		c.Equal(valueOf(c, id), 2, "the counter")
	}
}

func examineCounter(x *exam.X) {
	x.Instances(2)
	x.Check("counts", "counts", func(c *exam.C) {
		id := newCounter(c)
		c.Post("/counters/"+id, nil).Want(200)
		c.Equal(valueOf(c, id), 1, "the counter")
		var verbs []string
		for _, st := range c.Statements() {
			if st.Verb() == "SELECT" || st.Verb() == "UPDATE" {
				verbs = append(verbs, st.Verb()+" "+strings.Join(st.Params, ","))
			}
		}
		c.Equal(strings.Join(slices.Compact(verbs), "; "), "SELECT "+id+"; UPDATE "+id+",1", "what the program ran")
	})
	x.Check("race", "loses nothing without a lock", twice("/counters/"))
	x.Check("lock", "loses nothing with a lock", twice("/locked/"))
	x.Check("waits", "waits for a row that somebody holds", func(c *exam.C) {
		id := newCounter(c)
		h := c.DB().Hold("select * from counters where id = $1 for update", id)
		_, err := c.Client("A").Try("POST", "/locked/"+id, nil, exam.Timeout(200*time.Millisecond))
		c.Require(err != nil, exam.Finding{Saw: "an answer although the row was held"})
		h.Release()
		c.Post("/locked/"+id, nil).Want(200)
	})
	x.Check("stuck", "ends the wait for a lock that nobody gives up", func(c *exam.C) {
		id := newCounter(c)
		c.DB().Hold("select * from counters where id = $1 for update", id)
		c.DB().Exec("update counters set n = 1 where id = $1", id)
	})
	x.Check("cut", "survives a cut connection", func(c *exam.C) {
		id := newCounter(c)
		c.Post("/counters/"+id, nil).Want(200)
		c.Postgres(0).BlackHole(true)
		_, err := c.Client("A").Try("POST", "/counters/"+id, nil, exam.Timeout(200*time.Millisecond))
		c.Require(err != nil, exam.Finding{Saw: "an answer although PostgreSQL was silent"})
		c.Postgres(0).Cut()
		c.Postgres(0).Heal()
		c.Post("/counters/"+id, nil).Want(200)
		c.Equal(valueOf(c, id), 2, "the counter")
	})
	x.Check("restart", "serves again after a crash", func(c *exam.C) {
		id := newCounter(c)
		c.Instance(0).Kill()
		c.Require(!c.Instance(0).Running(), exam.Finding{Saw: "it runs after a kill"})
		_, err := c.Client("A").Try("POST", "/counters/"+id, nil)
		c.Require(err != nil, exam.Finding{Saw: "an answer from a dead program"})
		c.Instance(0).Restart()
		c.Post("/counters/"+id, nil).Want(200)
		c.Require(strings.Contains(strings.Join(c.Instance(0).LogLines(), "\n"), "listening"), exam.Finding{Saw: "no log line"})
	})
}

func TestToolkitAgainstPostgres(t *testing.T) {
	t.Parallel()
	needEngine(t)
	g := newServiceGrader(t)
	e, dir := counter(t, examineCounter)
	for run := range 3 {
		r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir, KeepWorld: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		said := everythingSaid(&r)
		for _, c := range r.Checks {
			want := report.CheckPassed
			if c.ID == "race" || c.ID == "stuck" {
				want = report.CheckFailed
			}
			if c.Status != want {
				t.Errorf("run %d: check %s %s, want %s\n%s", run, c.ID, c.Status, want, said)
			}
		}
		if race := r.Check("race"); race == nil || race.Feedback == nil || race.Feedback.Saw != "the counter is 1" {
			t.Fatalf("run %d: the race was not seen: verdict %s, %s\n%s", run, r.Verdict, r.Reason, said)
		}
		if stuck := r.Check("stuck").Feedback; !strings.Contains(stuck.Saw, "held a lock on them for more than 3s") {
			t.Errorf("run %d: the examiner's wait ended with %+v", run, *stuck)
		}
		actors := map[string]bool{}
		for _, entry := range r.Check("race").Timeline {
			actors[strings.TrimRight(entry.Actor, "0123456789")] = true
		}
		for _, want := range []string{"client A", "client B", "instance 1 · session ", "instance 2 · session "} {
			if !actors[want] {
				t.Errorf("run %d: nobody called %q in the evidence: %v", run, want, actors)
			}
		}
		if r.World == nil {
			t.Fatal("the database was not kept")
		}
		if n := countKept(t, r.World.URL); n < 6 {
			t.Errorf("the kept database has %d counters, want those of all checks", n)
		}
	}
}

func countKept(t *testing.T, url string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(t.Context(), "select count(*) from counters").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNoEngineIsUngraded(t *testing.T) {
	t.Setenv("CAIRN_SERVICES", "containers")
	t.Setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
	provider, err := services.Open(services.Config{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{CacheDir: t.TempDir(), Provider: provider})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(g.Close(), provider.Close()) }()
	e, dir := counter(t, examineCounter)
	r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir}, nil)
	if err != nil || r.Verdict != report.Ungraded || r.Reason == "" || r.Next == "" {
		t.Errorf("verdict %s, reason %q, next %q, error %v", r.Verdict, r.Reason, r.Next, err)
	}
}

// TestKilledGradeLeavesNothing kills a process in the middle of a check and
// looks for what it started: the program's processes, its scratch folder, and,
// after the next grader has come up, its database.
func TestKilledGradeLeavesNothing(t *testing.T) {
	needEngine(t)
	cache := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=TestHelperGradesUntilKilled")
	child.Env = append(os.Environ(), "GRADER_TEST_CACHE="+cache, "GRADER_TEST_STATE="+stateDir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var at struct {
		Pids     []int
		Database string
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if json.Unmarshal(lines.Bytes(), &at) == nil && at.Database != "" {
			break
		}
	}
	if at.Database == "" || len(at.Pids) != 2 {
		t.Fatalf("the child said %+v before it ended", at)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()

	for _, pid := range at.Pids {
		waitUntilGone(t, pid)
	}
	g, err := New(Config{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	if left, _ := filepath.Glob(filepath.Join(cache, "run", "cairn-*")); len(left) != 2 {
		t.Errorf("scratch folders after the next start: %v, want only its own and the lock", left)
	}
	provider, err := services.Open(services.Config{StateDir: stateDir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = provider.Close() }()
	if _, err := provider.Postgres(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second) // the sweep goes on in the background
	for databaseThere(t, at.Database) {
		if time.Now().After(deadline) {
			t.Fatalf("database %s is still there", at.Database)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func databaseThere(t *testing.T, name string) bool {
	t.Helper()
	servers, err := services.List(t.Context(), services.Config{StateDir: stateDir})
	if err != nil {
		t.Fatal(err)
	}
	if len(servers) != 1 {
		t.Fatalf("%d servers, want the one that is warm", len(servers))
	}
	return slices.ContainsFunc(servers[0].Databases, func(d services.DatabaseInfo) bool { return d.Name == name })
}

func waitUntilGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for syscall.Kill(pid, 0) == nil {
		if time.Now().After(deadline) {
			t.Fatalf("process %d outlived cairn", pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestHelperGradesUntilKilled is the child of the test above.
func TestHelperGradesUntilKilled(t *testing.T) {
	cache := os.Getenv("GRADER_TEST_CACHE")
	if cache == "" {
		return // not asked for: there is nothing to test by itself
	}
	provider, err := services.Open(services.Config{StateDir: os.Getenv("GRADER_TEST_STATE")})
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{CacheDir: cache, Provider: provider})
	if err != nil {
		t.Fatal(err)
	}
	e, dir := counter(t, func(x *exam.X) {
		x.Instances(2)
		x.Check("stay", "stays", func(c *exam.C) {
			at, _ := json.Marshal(map[string]any{
				"Pids":     []int{c.Instance(0).Pid(), c.Instance(1).Pid()},
				"Database": c.DB().Text("select current_database()::text"),
			})
			fmt.Println(string(at))
			<-c.Context().Done()
		})
	})
	_, _ = g.Grade(context.Background(), Submission{Exercise: e, Dir: dir}, nil)
}
