package exam

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/report"
)

// wrongVersions begin with this. What tests print against them stays with the examiner: it would
// show what is wrong with them.
const wrongVersions = "wrong/"

// TestRun is one run of the learner's tests with one version of the package.
type TestRun struct {
	Passed bool   // the process exited with status 0; nothing that it printed counts
	Late   bool   // it was ended for taking longer than it may
	Ending string // "exited with status 1"
	Output string // safe to show; empty for a wrong version
}

// RunTests runs the learner's tests with a version of the package: "given", or one by its folder
// and name, "right/rewritten". They run as a process of their own in an empty folder. The arguments
// are those of a compiled test, "-test.count=2".
func (c *C) RunTests(version string, args ...string) TestRun {
	return c.runTests(version, c.session.limits.Run, args...)
}

func (c *C) runTests(version string, limit time.Duration, args ...string) TestRun {
	binary, ok := c.session.opts.Tests[version]
	if !ok {
		panic(fmt.Sprintf("there is no version %q of the package", version))
	}
	dir, err := os.MkdirTemp(c.session.opts.Dir, "run-")
	if err != nil {
		c.trouble(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	began := time.Now()
	// The tests' own clock goes first, since it prints where they wait.
	ctx, cancel := context.WithTimeout(c.ctx, limit+2*time.Second)
	defer cancel()
	p, err := process.Start(ctx, process.Spec{
		Path: binary, Dir: dir,
		Args: append([]string{"-test.paniconexit0", "-test.timeout=" + limit.String()}, args...),
		Env:  []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC", "HOME=" + dir, "TMPDIR=" + dir},

		MemoryLimit: c.session.limits.Memory, FileLimit: c.session.limits.File, ProcessLimit: processLimit,
	})
	if err != nil {
		if c.ctx.Err() == nil {
			c.trouble(err)
		}
		return TestRun{Ending: "did not end in time", Late: true}
	}
	<-p.Done()
	exit, _ := p.Exit()
	run := TestRun{Passed: exit.Reason == process.Exited && exit.Code == 0, Ending: exit.String()}
	run.Late = errors.Is(ctx.Err(), context.DeadlineExceeded) || !run.Passed && time.Since(began) >= limit
	shown := "a version with a mistake"
	if !strings.HasPrefix(version, wrongVersions) {
		run.Output, shown = p.Output(), version
	}
	c.record(report.Entry{Kind: report.KindProgram, Actor: "tests", Duration: time.Since(began), Text: "ran with " + shown, Result: exit.String()}, began)
	return run
}

// maxOutput is how many lines of what tests printed a finding shows.
const maxOutput = 30

// PassesWith fails the check unless the tests pass with a right version of the package. What says
// which one that is: "the package as you have it". What f has goes first.
func (c *C) PassesWith(version, what string, f Finding, args ...string) {
	c.mustPass(c.RunTests(version, args...), c.session.limits.Run, what, f)
}

func (c *C) mustPass(run TestRun, limit time.Duration, what string, f Finding) {
	if run.Passed {
		return
	}
	own := Finding{
		Did: "ran your tests with " + what, Expected: "that they pass: there is nothing wrong with it",
		Saw: "they failed: the process " + run.Ending, Detail: lastLines(run.Output, maxOutput),
	}
	if run.Late { // whatever else f takes for the cause
		f.Saw, own.Saw = "", "they did not end within "+report.Took(limit)
		own.Detail = firstLines(run.Output, maxOutput) // which test it was, and then all goroutines
	}
	c.Fail(f.or(own))
}

// Notices fails the check when the tests pass with a wrong version of the package. Behaviour
// completes the sentence "nothing noticed that …". What f has goes first.
func (c *C) Notices(version, behaviour string, f Finding) {
	if !c.RunTests(version).Passed {
		return
	}
	c.Fail(f.or(Finding{
		Did: "ran your tests with a version of the package that has one mistake", Expected: "that at least one of them fails",
		Saw: "all passed: nothing noticed that " + behaviour,
	}))
}

// Repeats fails the check unless the tests pass with the given package in several orders that the
// seed decides, twice in one process, and each of them alone. Tests that take their time are run in
// fewer orders.
func (c *C) Repeats(f Finding) {
	const orders, patience = 8, 10 * time.Second
	limit := 2 * c.session.limits.Run
	for began, n := time.Now(), 0; n < orders && (n == 0 || time.Since(began) < patience); n++ {
		run := c.runTests("given", limit, "-test.count=2", fmt.Sprintf("-test.shuffle=%d", 1+c.rand.IntN(1<<30)))
		c.mustPass(run, limit, "the package as you have it, in an order that was drawn, each of them twice", f.or(Finding{
			Saw: "they failed, though they pass once and in the order in which they are written: one leaves something behind, for another or for its own second run",
		}))
	}
	for _, name := range c.session.testNames() {
		c.PassesWith("given", "the package as you have it, only "+name, f.or(Finding{
			Saw: name + " failed, though it passes together with the others: it needs something that one of them does",
		}), "-test.run=^"+name+"$")
	}
}

// testNames are the tests in the learner's files.
func (s *Session) testNames() []string {
	var names []string
	for _, file := range slices.Sorted(maps.Keys(s.opts.Files)) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, s.opts.Files[file], parser.SkipObjectResolution)
		if err != nil {
			continue // it has been compiled
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") && fn.Name.Name != "TestMain" {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

// firstLines returns the beginning of a text, of at most n lines.
func firstLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > n {
		lines = append(lines[:n], "…")
	}
	return strings.Join(lines, "\n")
}

// lastLines returns the end of a text, of at most n lines.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > n {
		lines = append([]string{"…"}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}
