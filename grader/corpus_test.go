package grader_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/internal/gate"
)

var update = flag.Bool("update", false, "write the golden reports of the corpus")

// corpusSeed is the seed of the grade that is compared with the golden report.
// All others draw a fresh one.
const corpusSeed = 20_260_101

// Grades of one case: a share of the runs of a solution, since there are ten times as many cases as
// solutions, and few where nothing runs, since the compiler says the same every time, where each
// grade takes containers of its own, or compiles several programs.
const (
	defaultRuns = 1
	buildRuns   = 2
	share       = 4
)

func runs(t *testing.T) int {
	t.Helper()
	text := os.Getenv("CAIRN_GATE_RUNS")
	if text == "" {
		return defaultRuns
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CAIRN_GATE_RUNS=%q is no number of runs", text)
	}
	return max(min(n, buildRuns), n/share)
}

// atTheDesk is the part of the cases that is graded when nobody has asked for more, by a number of
// runs, by name, or for new golden reports: every third, in the order of their names, so that there
// are some of each kind.
func atTheDesk(all []*submission) []*submission {
	if os.Getenv("CAIRN_GATE_RUNS") != "" || *update || flag.Lookup("test.run").Value.String() != "" {
		return all
	}
	var some []*submission
	for i := 0; i < len(all); i += 3 {
		some = append(some, all[i])
	}
	return some
}

// tally is what came of all cases together.
type tally struct {
	mu                                     sync.Mutex
	cases                                  map[string]int // by kind
	grades, wrongPasses, wrongFails, other int
}

func (y *tally) add(c *submission, got report.Verdict, agrees bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.grades++
	switch right := c.rightVerdict(); {
	case got == report.Passed && right != report.Passed:
		y.wrongPasses++
	case got != report.Passed && right == report.Passed:
		y.wrongFails++
	case !agrees:
		y.other++
	}
}

// TestCorpus grades every submission of testdata/corpus: cheats, accidents, and
// programs that are odd but right. Each must get its golden report.
func TestCorpus(t *testing.T) {
	all := corpus(t)
	provider := corpusServices(t)
	engine := hasEngine(t, provider)
	warmModules(t)
	sum := &tally{cases: map[string]int{}}
	began := time.Now()
	n := runs(t)
	t.Run("case", func(t *testing.T) {
		for _, c := range atTheDesk(all) {
			if e := c.exercise(); native() && e.Fixture == nil && e.Redis == nil {
				continue // without a server there is nothing to be had in another way
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				if e := c.exercise(); provider == nil && (e.Fixture != nil || e.Redis != nil) {
					t.Skip("needs services, and this machine has none")
				} else if e.Kind == build.Workflow && !engine {
					t.Skip("needs a Docker engine, and this machine has none")
				}
				sum.mu.Lock()
				sum.cases[c.kind]++
				sum.mu.Unlock()
				c.examine(t, provider, n, sum)
			})
		}
	})
	total := 0
	for _, n := range sum.cases {
		total += n
	}
	t.Logf("corpus: %d cases (%d cheats, %d accidents, %d odd but right), %d grades in %s: %d wrong passes, %d wrong fails, %d other differences",
		total, sum.cases["cheat"], sum.cases["accident"], sum.cases["odd"], sum.grades, time.Since(began).Round(time.Second),
		sum.wrongPasses, sum.wrongFails, sum.other)
}

// warmModules compiles what the cases are made of once, so that those which begin
// together do not each compile it.
func warmModules(t *testing.T) {
	t.Helper()
	g, err := grader.New(grader.Config{CacheDir: t.TempDir(), Cairn: "test", Several: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	for _, e := range corpusExercises {
		if err := g.Warm(t.Context(), e()); err != nil {
			t.Fatal(err)
		}
	}
}

// corpusServices opens the provider, or returns nil where there are no servers.
func corpusServices(t *testing.T) services.Provider {
	t.Helper()
	cfg := services.Config{StateDir: grader.StateDir()}
	_, err := services.CheckHost(t.Context(), cfg)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	provider, err := services.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := provider.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return provider
}

// native tells whether servers run without containers.
func native() bool { return os.Getenv("CAIRN_SERVICES") == "native" }

// hasEngine tells whether steps of workflows can run here.
func hasEngine(t *testing.T, provider services.Provider) bool {
	t.Helper()
	if provider == nil {
		return false
	}
	e, err := provider.Engine(t.Context())
	if err != nil {
		return false
	}
	e.Close()
	return true
}

// examine grades one case n times with one grader, which builds it once.
func (c *submission) examine(t *testing.T, provider services.Provider, n int, sum *tally) {
	cache, dir := t.TempDir(), t.TempDir()
	c.layOut(t, dir)
	g, err := grader.New(grader.Config{CacheDir: cache, Provider: provider, Cairn: "test", Several: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	if kind := c.exercise().Kind; kind == build.Workflow || kind == build.Tests {
		n = min(n, buildRuns) // a script that ends with 1 does so every time
	}
	for i := 0; i < n; i++ {
		s := grader.Submission{Exercise: c.exercise(), Dir: dir}
		if i == 0 {
			s.Seed = corpusSeed
		}
		r, err := g.Grade(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict == report.Broken {
			n = min(n, buildRuns)
		}
		got := c.summary(&r)
		if *update && i == 0 {
			c.writeGolden(t, got)
		}
		agrees := head(got) == head(c.golden) && (i > 0 || got == c.golden)
		sum.add(c, r.Verdict, agrees)
		if !agrees {
			t.Errorf("grade %d, seed %d:\n%s\n%s", i+1, r.Seed, udiff.Unified("golden", "now", c.golden, got), c.said(&r))
		}
		if said := c.said(&r); strings.ContainsAny(said, "\x00\x07\x1b\u009b\u202e") {
			t.Errorf("control characters reach the terminal: %q", said)
		}
	}
	if left := processesIn(cache); len(left) > 0 {
		t.Errorf("still running after the grades: %q", left)
	}
}

// summary is the golden form of a report: verdict, reason, diagnostics, and the
// feedback of the first failed check, with times, ports and the like masked.
func (c *submission) summary(r *grader.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "verdict: %s\n", r.Verdict)
	failed := r.FirstFailed()
	if failed != nil {
		fmt.Fprintf(&b, "failed: %s\n", failed.ID)
	}
	if r.Reason != "" {
		fmt.Fprintf(&b, "reason: %s\n", gate.Mask(r.Reason))
	}
	if r.Next != "" {
		fmt.Fprintf(&b, "next: %s\n", gate.Mask(r.Next))
	}
	for _, d := range r.Diagnostics {
		fmt.Fprintf(&b, "%s:%d: %s\n", d.File, d.Line, strings.ReplaceAll(gate.Mask(d.Message), "\n", "\n    "))
		if d.Help != "" {
			fmt.Fprintf(&b, "    %s\n", d.Help)
		}
	}
	if failed != nil {
		b.WriteString(gate.Feedback(*failed))
	}
	text := port.ReplaceAllString(b.String(), "PORT=‹port›")
	for _, m := range c.masks {
		text = m.ReplaceAllString(text, "‹varies›")
	}
	return text
}

var port = regexp.MustCompile(`\bPORT=\d+`)

// head is the part of a summary that is the same whatever the seed: the verdict
// and the check.
func head(summary string) string {
	lines := strings.SplitN(summary, "\n", 3)
	if len(lines) > 1 && strings.HasPrefix(lines[1], "failed: ") {
		return lines[0] + "\n" + lines[1]
	}
	return lines[0]
}

func (c *submission) rightVerdict() report.Verdict {
	return report.Verdict(strings.TrimPrefix(strings.SplitN(c.golden, "\n", 2)[0], "verdict: "))
}

// said is everything of a report that a terminal shows.
func (c *submission) said(r *grader.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%+v\n%s\n", r.Reason, r.Next, r.Diagnostics, r.Log)
	for _, check := range r.Checks {
		fmt.Fprintf(&b, "%s %s %s\n", check.ID, check.Status, check.BlockedBy)
		if check.Feedback != nil {
			fmt.Fprintf(&b, "%+v\n", *check.Feedback)
		}
		for _, e := range check.Timeline {
			fmt.Fprintf(&b, "  %s %s → %s\n", e.Actor, e.Text, e.Result)
		}
	}
	return b.String()
}

// processesIn lists the processes that were started from a folder, or work in it.
func processesIn(dir string) []string {
	var left []string
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range links {
		proc := filepath.Dir(exe)
		path, _ := os.Readlink(exe)
		cwd, _ := os.Readlink(filepath.Join(proc, "cwd"))
		if strings.HasPrefix(path, dir) || strings.HasPrefix(cwd, dir) {
			left = append(left, filepath.Base(proc)+" "+cmp.Or(path, cwd))
		}
	}
	slices.Sort(left)
	return left
}
