package grader_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// leakGrades is what the long-running cairn grades: cases of the corpus, how often,
// and with which verdict. What fails with a service leaves its world for a look.
var leakGrades = []struct {
	name  string
	times int
	want  report.Verdict
}{
	{"hits-honest", 10, report.Passed},
	{"redis-flushes", 10, report.Failed},
	{"counter-honest", 30, report.Passed},
	{"counts-in-memory", 25, report.Failed},
	{"honest-handler", 55, report.Passed},
	{"leaves-a-daemon", 30, report.Passed},
	{"exits-in-init", 40, report.Failed},
	{"child-holds-its-output", 25, report.Failed},
	{"prints-without-end", 12, report.Limit},
	{"too-slow-to-start", 10, report.Limit},
	{"fork-bomb", 5, report.Limit},
	{"memory-bomb", 5, report.Limit},
	{"does-not-compile", 8, report.Broken},
	{"symbolic-link", 35, report.Broken},
}

const (
	leakWorkers = 4
	leakFolder  = "GRADER_TEST_FOLDER"
	leakCase    = "GRADER_TEST_CASE"
	leaksHere   = "GRADER_TEST_LEAKS"
)

// leakBed is where the cairns of TestLeaks work: all of what they make is in its
// folder, or tells of it.
type leakBed struct {
	dir  string
	seen *serverNames
}

func (b leakBed) cache() string           { return filepath.Join(b.dir, "cache") }
func (b leakBed) state() string           { return filepath.Join(b.dir, "state") }
func (b leakBed) temporary() string       { return filepath.Join(b.dir, "tmp") }
func (b leakBed) work(name string) string { return filepath.Join(b.dir, "work", name) }

// cairn is what a cairn has open while it runs.
type cairn struct {
	grader   *grader.Grader
	provider services.Provider
}

func (b leakBed) open() (*cairn, error) {
	provider, err := services.Open(services.Config{StateDir: b.state()})
	if err != nil {
		return nil, err
	}
	g, err := grader.New(grader.Config{CacheDir: b.cache(), Provider: provider, Cairn: "test"})
	if err != nil {
		return nil, errors.Join(err, provider.Close())
	}
	return &cairn{g, provider}, nil
}

func (c *cairn) close() error { return errors.Join(c.grader.Close(), c.provider.Close()) }

// grade grades a case and keeps what it leaves, as the screens do.
func (c *cairn) grade(ctx context.Context, b leakBed, s *submission, events func(grader.Event)) (grader.Report, error) {
	return c.grader.Grade(ctx, grader.Submission{Exercise: s.exercise(), Dir: b.work(s.name), KeepWorld: true}, events)
}

func corpusCase(name string) (*submission, error) {
	return readCase(filepath.Join("testdata", "corpus", name+".txtar"))
}

// TestLeaks grades 300 times with one grader, several grades at once, while 20 other
// cairns on the same folders and servers are killed in the middle of theirs. In the
// end everything is as it was before.
//
// It does so in a process of its own, in which no other test has left anything open.
func TestLeaks(t *testing.T) {
	needServices(t)
	if os.Getenv(leaksHere) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLeaks$", "-test.v")
		cmd.Env = append(os.Environ(), leaksHere+"=yes")
		out, err := cmd.CombinedOutput()
		t.Logf("\n%s", out)
		if err != nil {
			t.Error(err)
		}
		return
	}
	b := newLeakBed(t)
	cases := b.layOut(t)
	// The warm server, its templates and the first use of every library stay on purpose.
	warmUp(t, b, cases)
	before := inventory(t, b)

	long, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, long, cases)
	b.fill(t, long, cases)
	b.settle(t, long, cases)
	idle := inventory(t, b)

	killed := make(chan kills, 1)
	go func() { killed <- killCairns(t, b, leakKills) }()
	began := time.Now()
	verdicts := gradeAll(t, b, long, cases)
	k := <-killed
	took := time.Since(began).Round(100 * time.Millisecond)
	warmUp(t, b, cases) // the next start, which removes what the killed ones left
	b.settle(t, long, cases)
	idleAfter := inventoryLike(t, b, idle)
	if err := long.close(); err != nil {
		t.Errorf("close: %v", err)
	}
	after := inventoryLike(t, b, before)

	total := 0
	for _, n := range verdicts {
		total += n
	}
	t.Logf("leaks: %d grades in %s: %d passed, %d failed, %d broken, %d over a limit; meanwhile %d cairns were killed after %d grades of their own",
		total, took, verdicts[report.Passed], verdicts[report.Failed], verdicts[report.Broken], verdicts[report.Limit], k.kills, k.graded)
	t.Logf("leaks: %d of %d kills hit a grade between its begin and its end: %s", k.hit(), k.kills, k)
	t.Log("\n" + compare(before, after, "no cairn runs", idle, idleAfter, "a cairn runs"))
	if total != 300 || k.kills != leakKills {
		t.Errorf("%d grades and %d kills, want 300 and %d", total, k.kills, leakKills)
	}
	if k.hit() < leakKills/2 || len(k.phases) < 3 {
		t.Errorf("too few kills hit work in flight: %s", k)
	}
	requireEqual(t, "with no cairn running", before, after)
	requireEqual(t, "with one cairn at rest", idle, idleAfter)
}

func needServices(t *testing.T) {
	t.Helper()
	if _, err := services.CheckHost(t.Context(), services.Config{StateDir: t.TempDir()}); err != nil {
		if unavailableHere(err) {
			t.Skip("needs services, and this machine has none")
		}
		t.Fatal(err)
	}
}

func newLeakBed(t *testing.T) leakBed {
	t.Helper()
	b := leakBed{dir: t.TempDir()}
	for _, dir := range []string{b.cache(), b.state(), b.temporary(), filepath.Join(b.state(), "servers")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cfg := services.Config{StateDir: b.state()}
	t.Cleanup(func() {
		if _, err := services.Stop(context.Background(), cfg, true); err != nil {
			t.Errorf("stop the servers: %v", err)
		}
	})
	t.Setenv("TMPDIR", b.temporary())
	b.seen = watchServers(t, filepath.Join(b.state(), "servers"))
	return b
}

// layOut puts every submission into a folder, and returns the cases by name.
func (b leakBed) layOut(t *testing.T) map[string]*submission {
	t.Helper()
	cases := map[string]*submission{}
	for _, g := range leakGrades {
		c, err := corpusCase(g.name)
		if err != nil {
			t.Fatal(err)
		}
		c.layOut(t, b.work(g.name))
		cases[g.name] = c
	}
	return cases
}

// warmUp is a cairn that grades once with each service, and ends.
func warmUp(t *testing.T, b leakBed, cases map[string]*submission) {
	t.Helper()
	c, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	b.settle(t, c, cases)
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
}

// prepare has everything ready that a learner's first key finds ready.
func prepare(t *testing.T, c *cairn, cases map[string]*submission) {
	t.Helper()
	for _, name := range []string{"counter-honest", "hits-honest", "honest-handler"} {
		if err := c.grader.Prepare(t.Context(), cases[name].exercise()); err != nil {
			t.Fatal(err)
		}
	}
}

// heldSessions is how many sessions of its own a cairn holds at most. It holds 4 programs
// that it has built, too.
const heldSessions = 4

// fill grades until a cairn holds as much as it ever will.
func (b leakBed) fill(t *testing.T, c *cairn, cases map[string]*submission) {
	t.Helper()
	for _, name := range []string{"honest-handler", "exits-in-init"} {
		if _, err := c.grade(t.Context(), b, cases[name], nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		var grades sync.WaitGroup
		for range heldSessions {
			grades.Go(func() {
				if r, err := c.grade(t.Context(), b, cases["counter-honest"], nil); err != nil || r.Verdict != report.Passed {
					t.Errorf("counter-honest: verdict %s (%s), %v", r.Verdict, r.Reason, err)
				}
			})
		}
		grades.Wait()
		now := stock{}
		if lookIntoPostgres(t, b, now); len(now["sessions in PostgreSQL"]) >= heldSessions {
			return
		}
	}
}

// settle ends with a pass of each exercise that has a service: what earlier grades
// kept for a look goes with it.
func (b leakBed) settle(t *testing.T, c *cairn, cases map[string]*submission) {
	t.Helper()
	for _, name := range []string{"counter-honest", "hits-honest"} {
		if r, err := c.grade(t.Context(), b, cases[name], nil); err != nil || r.Verdict != report.Passed {
			t.Fatalf("%s: verdict %s (%s), %v", name, r.Verdict, r.Reason, err)
		}
	}
}

// gradeAll has workers grade case after case, each case by one worker, so that each
// program is built once.
func gradeAll(t *testing.T, b leakBed, c *cairn, cases map[string]*submission) map[report.Verdict]int {
	t.Helper()
	next := make(chan int, len(leakGrades))
	for i := range leakGrades {
		next <- i
	}
	close(next)
	var mu sync.Mutex
	verdicts := map[report.Verdict]int{}
	var workers sync.WaitGroup
	for range leakWorkers {
		workers.Go(func() {
			for i := range next {
				g := leakGrades[i]
				for n := range g.times {
					r, err := c.grade(t.Context(), b, cases[g.name], nil)
					if err != nil || r.Verdict != g.want {
						t.Errorf("%s, grade %d: verdict %s (%s), want %s; %v", g.name, n+1, r.Verdict, r.Reason, g.want, err)
					}
					mu.Lock()
					verdicts[r.Verdict]++
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return verdicts
}
