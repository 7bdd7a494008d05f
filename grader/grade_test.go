package grader

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

func TestMain(m *testing.M) {
	process.SuperviseIfAsked()
	if os.Getenv("GRADER_TEST_CACHE") != "" || os.Getenv("GRADER_TEST_FOLDER") != "" {
		os.Exit(m.Run()) // another cairn, which a test kills: it has nothing of its own
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cairn-grader-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	stateDir = filepath.Join(dir, "state")
	// Most cases of the corpus wait more than they compute.
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(max(6, 2*runtime.NumCPU()))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	_, _ = services.Prune(context.Background(), services.Config{StateDir: stateDir}) // what builds left for the next
	_, _ = services.Stop(context.Background(), services.Config{StateDir: stateDir}, true)
	return code
}

const probeMain = `package main

import (
	"net"
	"net/http"
	"os"

	"github.com/cairn-learn/cairn/exercises/probe"
)

func main() {
	http.ListenAndServe(net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")), probe.New())
}
`

// probe is an exercise without services that asks for an echo.
func probe() Exercise {
	return Exercise{
		ID: "probe", Title: "An echo", Edit: []string{"probe.go"},
		Given: map[string][]byte{"program/main.go": []byte(probeMain)},
		GoMod: []byte("module github.com/cairn-learn/cairn/exercises\n\ngo 1.26\n"),
		Exam: func(x *exam.X) {
			x.Check("echo", "answers with the text that was sent", func(c *exam.C) {
				text := c.Words(3)
				c.Equal(string(c.Post("/echo", text).Body), text, "the answer")
			}, exam.Why("Callers depend on it."), exam.Read("x/echo#why"))
			x.Check("again", "does so again", func(c *exam.C) {
				c.Equal(string(c.Post("/echo", "x").Body), "x", "the answer")
			}, exam.After("echo"))
		},
		Limits: Limits{Limits: exam.Limits{Start: 2 * time.Second, Request: time.Second}},
	}
}

func newGrader(t *testing.T) *Grader {
	t.Helper()
	g, err := New(Config{CacheDir: t.TempDir(), Cairn: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return g
}

// cases lays the programs of testdata out on disk and returns their folder.
func cases(t testing.TB) string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/cases.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRaceDetector needs a C compiler, as the race detector does.
func TestRaceDetector(t *testing.T) {
	g, dir := newGrader(t), cases(t)
	grade := func(name string, race bool) Report {
		r, err := g.Grade(t.Context(), Submission{Exercise: probe(), Dir: filepath.Join(dir, name), Race: race}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := grade("races", false); r.Verdict != report.Passed {
		t.Errorf("verdict %s without the race detector, want passed\n%s", r.Verdict, everythingSaid(&r))
	}
	if r := grade("honest", true); r.Verdict != report.Passed {
		t.Errorf("verdict %s for an honest program, want passed\n%s", r.Verdict, everythingSaid(&r))
	}
	r := grade("races", true)
	if r.Verdict != report.Failed || len(r.Diagnostics) != 2 {
		t.Fatalf("verdict %s, places %v; want failed, and two\n%s", r.Verdict, r.Diagnostics, everythingSaid(&r))
	}
	lines := []int{r.Diagnostics[0].Line, r.Diagnostics[1].Line}
	slices.Sort(lines)
	if r.Diagnostics[0].File != "probe.go" || !slices.Equal(lines, []int{13, 14}) {
		t.Errorf("places %+v, want lines 13 and 14 of probe.go", r.Diagnostics)
	}
}

func everythingSaid(r *Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%+v\n%s\n", r.Reason, r.Next, r.Diagnostics, r.Log)
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%s %s %s\n", c.ID, c.Status, c.BlockedBy)
		if c.Feedback != nil {
			fmt.Fprintf(&b, "%+v\n", *c.Feedback)
		}
		for _, e := range c.Timeline {
			fmt.Fprintf(&b, "%s %s → %s\n", e.Actor, e.Text, e.Result)
		}
	}
	return b.String()
}

func TestEventsTellTheGradeInOrder(t *testing.T) {
	g := newGrader(t)
	var got []string
	r, err := g.Grade(t.Context(), Submission{Exercise: probe(), Dir: filepath.Join(cases(t), "answers-wrong"), Seed: 7},
		func(e Event) {
			switch e.Kind {
			case CheckListed, CheckStarted, CheckEnded:
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s:%s %s", e.Kind, e.Check.ID, e.Check.Status)))
			case PhaseStarted, PhaseEnded:
				got = append(got, fmt.Sprintf("%s:%s", e.Kind, e.Phase))
			default:
				got = append(got, string(e.Kind))
			}
		})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"check_listed:starts", "check_listed:echo", "check_listed:again",
		"phase_started:snapshot", "phase_ended:snapshot", "phase_started:build", "phase_ended:build",
		"phase_started:services", "phase_ended:services",
		"phase_started:start", "check_started:starts", "phase_ended:start", "check_ended:starts passed",
		"phase_started:examine", "check_started:echo", "check_ended:echo failed", "check_ended:again blocked", "phase_ended:examine",
		"phase_started:report", "phase_ended:report", "finished",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if r.Seed != 7 || r.Checks[2].BlockedBy != "echo" {
		t.Errorf("seed %d, blocked by %q; want 7 and echo", r.Seed, r.Checks[2].BlockedBy)
	}
}

// TestComplaintsComeBeforeTheEnd holds that what the compiler said is told while
// the services are still to be given back.
func TestComplaintsComeBeforeTheEnd(t *testing.T) {
	g := newGrader(t)
	var got []string
	r, err := g.Grade(t.Context(), Submission{Exercise: probe(), Dir: filepath.Join(cases(t), "does-not-compile")}, func(e Event) {
		if e.Kind == Complained {
			got = append(got, e.Diagnostics[0].Message)
		}
		if e.Kind == Complained || e.Kind == Finished || e.Kind == PhaseEnded && e.Phase == report.PhaseBuild {
			got = append(got, string(e.Kind))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"phase_ended", r.Diagnostics[0].Message, "complained", "finished"}
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestSeedReplaysTheData(t *testing.T) {
	g, dir := newGrader(t), filepath.Join(cases(t), "honest")
	sent := func(seed uint64) string {
		r, err := g.Grade(t.Context(), Submission{Exercise: probe(), Dir: dir, Seed: seed}, nil)
		if err != nil || r.Verdict != report.Passed {
			t.Fatalf("verdict %s, error %v", r.Verdict, err)
		}
		return r.Check("echo").Timeline[0].Text
	}
	if a, b := sent(11), sent(11); a != b {
		t.Errorf("seed 11 sent %q, then %q", a, b)
	}
	if a, b := sent(11), sent(12); a == b {
		t.Errorf("seeds 11 and 12 both sent %q", a)
	}
}

func TestCancelledGradeIsUngraded(t *testing.T) {
	g := newGrader(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := g.Grade(ctx, Submission{Exercise: probe(), Dir: filepath.Join(cases(t), "never-answers")}, func(e Event) {
		if e.Kind == CheckStarted && e.Check.ID == "echo" {
			cancel()
		}
	})
	if err != nil || r.Verdict != report.Ungraded || r.Reason != "the grade was cancelled" {
		t.Errorf("verdict %s, reason %q, error %v", r.Verdict, r.Reason, err)
	}
}

func TestScratchOfADeadProcessIsSwept(t *testing.T) {
	cache := t.TempDir()
	dead, err := newScratch(cache)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead.dir, "left"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	alive, err := newScratch(cache)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead.dir); err != nil {
		t.Fatalf("the folder of a living owner was swept: %v", err)
	}
	unlocked := filepath.Join(filepath.Dir(dead.dir), "cairn-1") // what a kill leaves before the lock is there
	if err := os.Mkdir(unlocked, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := dead.lock.Unlock(); err != nil { // what the kernel does when a process ends
		t.Fatal(err)
	}
	next, err := newScratch(cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dead.dir, dead.dir + ".lock", unlocked, unlocked + ".lock"} {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s of a dead owner is still there (%v)", dir, err)
		}
	}
	for _, s := range []*scratch{alive, next} {
		if err := s.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}
