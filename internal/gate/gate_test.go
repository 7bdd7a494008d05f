package gate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/report"
)

func TestMain(m *testing.M) {
	process.SuperviseIfAsked()
	os.Exit(m.Run())
}

// letters is the exam of the exercise in testdata/letters.txtar.
func letters(x *exam.X) {
	check := func(id, path, want string, opts ...exam.Option) {
		x.Check(id, "answers in "+id+" case", func(c *exam.C) {
			r := c.Get(path).Want(http.StatusOK)
			c.Equal(r.String(), "200 "+want, "the answer")
		}, append(opts, exam.Why("It is what was asked."))...)
	}
	check("upper", "/upper", "CAIRN")
	check("lower", "/lower", "cairn")
	check("title", "/title", "Cairn", exam.After("upper"))
}

// laidOut writes the exercise to a folder of its own, without the files whose
// names hold one of the words.
func laidOut(t *testing.T, without ...string) string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/letters.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
next:
	for _, f := range archive.Files {
		for _, word := range without {
			if strings.Contains(f.Name, word) {
				continue next
			}
		}
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, dir string) (*exercises.Exercise, grader.Exercise) {
	t.Helper()
	c, err := exercises.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	e, ok := c.Get("letters")
	if !ok {
		t.Fatal("the exercise is not there")
	}
	spec := e.Spec()
	spec.Exam = letters
	return e, spec
}

func realGrader(t *testing.T) *grader.Grader {
	t.Helper()
	g, err := grader.New(grader.Config{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// faults maps each item to the first line of each of its faults.
func faults(results []Result) map[string]string {
	all := map[string]string{}
	for _, r := range results {
		var first []string
		for _, f := range r.Faults {
			line, _, _ := strings.Cut(f, "\n")
			first = append(first, line)
		}
		all[r.String()] = strings.Join(first, " | ")
	}
	return all
}

func sameFaults(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, item := range sorted(want) {
		if got[item] != want[item] {
			t.Errorf("%s:\ngot  %q\nwant %q", item, got[item], want[item])
		}
	}
	for item := range got {
		if _, ok := want[item]; !ok {
			t.Errorf("%s was not expected: %q", item, got[item])
		}
	}
}

func TestVerify(t *testing.T) {
	dir, g := laidOut(t, "random", "masked"), realGrader(t)
	const mutants = "exercises/letters/mutants/"
	noGolden := func(name string) string {
		return "exercises/letters/" + name + ".feedback:1: there is no golden feedback yet; read it, then write it with -update:"
	}
	want := map[string]string{
		"structure":          "exercises/letters/task.md:4: the code is 77 columns wide, and 76 fit | " + mutants + "nowhere.diff:1: the exam has no check tittle; the nearest is title",
		"starter":            noGolden("starter"),
		"solution":           "",
		"alternative runes":  "",
		"mutant broken":      mutants + "broken.diff: the mutant must compile, but: the program does not compile; letters.go:11: undefined: strings.ToUpperr",
		"mutant gone":        mutants + "gone.diff:5: hunk @@ -9,3 +9,3 @@ no longer applies to letters.go: its 3 lines from \"case \\\"/upper\\\":\" on stand nowhere in it; make the patch again",
		"mutant harmless":    mutants + "harmless.diff:1: the mutant passes; check upper does not catch it",
		"mutant nowhere":     mutants + "nowhere.diff:1: the first check to fail is title, not tittle: did GET /title, expected the answer is 200 Cairn, saw the answer is 200 cairn",
		"mutant quiet":       noGolden("mutants/quiet"),
		"mutant too-early":   mutants + "too-early.diff:1: the first check to fail is upper, not lower: did GET /upper, expected the answer is 200 CAIRN, saw the answer is 200 cairn",
		"mutant two-at-once": mutants + "two-at-once.diff:1: check lower fails too; list it under # also: (did GET /lower, expected the answer is 200 cairn, saw the answer is 200 CAIRN) | " + noGolden("mutants/two-at-once"),
	}
	var started, ended []string
	o := Options{Runs: 9, Dir: dir,
		OnStart:  func(i Item) { started = append(started, i.String()) },
		OnResult: func(r Result) { ended = append(ended, r.String()) },
	}
	e, spec := load(t, dir)
	results, err := verify(t.Context(), g, e, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	sameFaults(t, faults(results), want)
	if len(started) != len(want) || strings.Join(started, " ") != strings.Join(ended, " ") {
		t.Errorf("started %q\nended %q", started, ended)
	}
	for _, r := range results {
		if r.Kind == Solution && r.Runs != 3 {
			t.Errorf("the solution ran %d times; without services 3 are the most", r.Runs)
		}
	}
}

func TestGoldens(t *testing.T) {
	dir, g := laidOut(t, "broken", "gone", "harmless", "nowhere", "too-early", "alternatives"), realGrader(t)
	e, spec := load(t, dir)
	again := func(update bool) map[string]string {
		t.Helper()
		results, err := verify(t.Context(), g, e, spec, Options{Runs: 1, Dir: dir, Update: update})
		if err != nil {
			t.Fatal(err)
		}
		got := faults(results)
		delete(got, "structure") // too few mutants
		return got
	}
	unlisted := "exercises/letters/mutants/two-at-once.diff:1: check lower fails too; list it under # also: (did GET /lower, expected the answer is 200 cairn, saw the answer is 200 CAIRN)"
	varies := "mutants/random.feedback: two grades with the same seed say different things; name what differs in the mutant with # mask: <regular expression>:"
	want := map[string]string{"starter": "", "solution": "", "mutant masked": "", "mutant quiet": "", "mutant random": varies, "mutant two-at-once": unlisted}

	sameFaults(t, again(true), want)
	const golden = "check: lower\ntitle: answers in lower case\ndid: GET /lower\nexpected: the answer is 200 cairn\nsaw: the answer is 200\nwhy: It is what was asked.\n"
	file := filepath.Join(dir, "letters/mutants/quiet.feedback")
	if got, err := os.ReadFile(file); err != nil || string(got) != golden {
		t.Errorf("golden: %q %v", got, err)
	}
	if err := os.WriteFile(file, []byte("check: lower\nsaw: something else\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want["mutant random"] = "exercises/letters/mutants/random.feedback:1: there is no golden feedback yet; read it, then write it with -update:"
	want["mutant quiet"] = "exercises/letters/mutants/quiet.feedback:1: the feedback has changed; read it, then write it with -update:"
	sameFaults(t, again(false), want)
}

func TestRaceIsFound(t *testing.T) {
	dir := laidOut(t, "mutants", "alternatives")
	racy := `package letters

import (
	"net/http"
	"strings"
)

var last string

func New() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done := make(chan bool)
		go func() { last = r.URL.Path; done <- true }()
		last = "request"
		<-done
		text := "cairn"
		switch r.URL.Path {
		case "/upper":
			text = strings.ToUpper(text)
		case "/title":
			text = "Cairn"
		}
		_, _ = w.Write([]byte(text))
	})
}
`
	if err := os.WriteFile(filepath.Join(dir, "letters/letters.go"), []byte(racy), 0o644); err != nil {
		t.Fatal(err)
	}
	e, spec := load(t, dir)
	results, err := verify(t.Context(), realGrader(t), e, spec, Options{Runs: 1, Race: true})
	if err != nil {
		t.Fatal(err)
	}
	got := faults(results)
	if got["solution"] != "" {
		t.Errorf("without the detector: %s", got["solution"])
	}
	if !strings.Contains(got["race solution"], "race detector") {
		t.Errorf("under the detector: %q", got["race solution"])
	}
	if want := "exercises/letters/mutants:1: there are 0 mutants; an exercise has at least 5"; !strings.Contains(got["structure"], want) {
		t.Errorf("structure: %q", got["structure"])
	}
	if want := "exercises/letters/alternatives:1: there is no correct solution in another style"; !strings.Contains(got["structure"], want) {
		t.Errorf("structure: %q", got["structure"])
	}
}

// ungradable is a grader on a machine without an engine.
type ungradable struct{ grades atomic.Int32 }

func (u *ungradable) Grade(context.Context, grader.Submission, func(grader.Event)) (grader.Report, error) {
	u.grades.Add(1)
	return grader.Report{Verdict: report.Ungraded, Reason: "Docker is not running", Next: "start it"}, nil
}

func TestUngradedStops(t *testing.T) {
	e, spec := load(t, laidOut(t))
	u := &ungradable{}
	results, err := verify(t.Context(), u, e, spec, Options{AtOnce: 1})
	if err != nil {
		t.Fatal(err)
	}
	last := results[len(results)-1]
	if u.grades.Load() != 1 || !last.Ungraded || last.Kind != Starter || fmt.Sprint(last.Faults) != "[not graded: Docker is not running; start it]" {
		t.Errorf("after %d grades: %+v", u.grades.Load(), last)
	}
}

func TestOnly(t *testing.T) {
	e, spec := load(t, laidOut(t))
	results, err := verify(t.Context(), &ungradable{}, e, spec, Options{Only: regexp.MustCompile("^mutant (gone|quiet)$")})
	if err != nil {
		t.Fatal(err)
	}
	if got := sorted(faults(results)); fmt.Sprint(got) != "[mutant gone mutant quiet]" {
		t.Errorf("tried %q", got)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, spec := load(t, laidOut(t))
	results, err := verify(ctx, &ungradable{}, e, spec, Options{})
	if !errors.Is(err, context.Canceled) || len(results) != 0 {
		t.Errorf("%v %v", results, err)
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"at 2026-11-23T09:20:12.5Z and 2026/11/23 09:20:12": "at ‹time› and ‹time›",
		"Mon, 23 Nov 2026 09:20:12 GMT":                     "‹time›",
		"took 1.204s, 31ms, 7µs, 20ns; 5 seconds":           "took ‹duration›, ‹duration›, ‹duration›, ‹duration›; 5 seconds",
		"dial tcp 127.0.0.1:41231: refused":                 "dial tcp 127.0.0.1:‹port›: refused",
		"localhost:80 [::1]:8":                              "localhost:‹port› [::1]:8",
		"9b2f1c9e-5a52-4c0f-8a1b-0a4d5f1f2f3c":              "‹uuid›",
		"goroutine 17 [running]: 0xc000012345":              "goroutine ‹n› [running]: ‹address›",
		"POST /accounts/17/withdraw":                        "POST /accounts/‹id›/withdraw",
		`{"id":17,"balance":40}`:                            `{"id":‹id›,"balance":40}`,
		"the balance is 40, status 409":                     "the balance is 40, status 409",
		"open /tmp/cairn-1/program/x: no such file":         "open ‹path› no such file",
	} {
		if got := Mask(text); got != want {
			t.Errorf("Mask(%q)\ngot  %q\nwant %q", text, got, want)
		}
	}
}

func TestFeedbackLeavesGoroutinesOut(t *testing.T) {
	got := Feedback(report.Check{ID: "a", Title: "b", Feedback: &report.Feedback{
		Did: "x", Expected: "y", Saw: "one\ntwo", Detail: "panic: no account\n\ngoroutine 7 [running]:\nmain.f()\n",
	}})
	want := "check: a\ntitle: b\ndid: x\nexpected: y\nsaw:\n    one\n    two\ndetail:\n    panic: no account\n    \n    ‹goroutines›\n"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestChance(t *testing.T) {
	check := func(opts ...exam.Option) grader.Exercise {
		return grader.Exercise{Exam: func(x *exam.X) { x.Check("a", "a", func(*exam.C) {}, opts...) }}
	}
	if chancy(grader.Exercise{}) || chancy(check()) {
		t.Error("an exam whose checks run one after the other, and nothing else, leaves something to chance")
	}
	if !chancy(check(exam.Parallel())) {
		t.Error("an exam with a parallel check leaves nothing to chance")
	}
	calls := grader.Exercise{Exam: func(x *exam.X) {
		x.Upstream("north", "NORTH_URL")
		x.Check("a", "a", func(*exam.C) {})
	}}
	if !chancy(calls) {
		t.Error("an exam with an upstream leaves nothing to chance")
	}
}

func TestSample(t *testing.T) {
	all := []exercises.Mutant{
		{Name: "a", Check: "one"}, {Name: "b", Check: "one"}, {Name: "c", Check: "two"}, {Name: "d", Check: "three"},
		{Name: "e", Check: "two"}, {Name: "f", Check: "four"}, {Name: "g", Check: "five"},
	}
	for n, want := range map[int]string{1: "g", 2: "dg", 4: "cdfg", 5: "acdfg", 9: "acdfg"} {
		got := ""
		for _, m := range sample(all, n) {
			got += m.Name
		}
		if got != want {
			t.Errorf("%d of them: %s, want %s", n, got, want)
		}
	}
}
