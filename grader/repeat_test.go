package grader

import (
	"bufio"
	"encoding/json"
	"fmt"
	"github.com/cairn-learn/cairn/grader/build"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
)

func TestPulse(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		running, wall time.Duration // since the beat before
		want          string        // "" for nothing
	}{
		"on time":                     {beat, beat, ""},
		"late, on a busy machine":     {standstill, standstill, ""},
		"the clock is put right":      {beat, beat + 300*time.Millisecond, ""},
		"stopped":                     {4 * time.Second, 4 * time.Second, "cairn was stopped for 4.0s in the middle of the grade"},
		"slept":                       {beat, 8 * time.Hour, "this machine slept, or its clock was set"},
		"clock set on by a day":       {beat, beat + day, "this machine slept, or its clock was set"},
		"clock set back by a day":     {beat, beat - day, "the clock of this machine was set back"},
		"stopped, and clock set back": {4 * time.Second, -day, "cairn was stopped for 4.0s"},
	} {
		p := pulse{running: time.Minute, wall: noon}
		got := p.beat(time.Minute+c.running, noon.Add(c.wall))
		if (got == nil) != (c.want == "") || got != nil && !strings.HasPrefix(got.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, got, c.want)
		}
		next := p.beat(time.Minute+c.running+beat, noon.Add(c.wall+beat))
		if next != nil {
			t.Errorf("%s: the beat after it says %v", name, next)
		}
	}
}

// TestStoppedCairnGradesAgain stops a cairn in the middle of a check, until the
// check's time is over. The program has done nothing wrong.
func TestStoppedCairnGradesAgain(t *testing.T) { stopInCheck(t, toldLimit+time.Second) }

// TestBusyMachineGradesAgain keeps cairn from its processors for less than what counts
// as a standstill, but for longer than the check lets anything take.
func TestBusyMachineGradesAgain(t *testing.T) { stopInCheck(t, toldPromise+200*time.Millisecond) }

func stopInCheck(t *testing.T, long time.Duration) {
	child := exec.Command(os.Args[0], "-test.run=^TestHelperGradesWhenTold$")
	child.Env = append(os.Environ(), "GRADER_TEST_TOLD="+t.TempDir())
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Wait() }()
	defer stdin.Close()
	lines := bufio.NewScanner(stdout)
	say := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("the child said %q, want %q", lines.Text(), want)
		}
	}
	goOn := func() {
		t.Helper()
		if _, err := io.WriteString(stdin, "go on\n"); err != nil {
			t.Fatal(err)
		}
	}
	say("examining")
	if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	awaitStopped(t, child.Process.Pid)
	time.Sleep(long) // the fault itself
	goOn()
	if err := child.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	say("again")
	say("examining")
	goOn()
	var r Report
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &r) != nil || r.Verdict != report.Passed {
		t.Errorf("in the end the child said %s, want a report that says passed", lines.Text())
	}
}

const (
	toldLimit   = 2 * time.Second        // of the check
	toldPromise = 500 * time.Millisecond // of the program, as the check measures it
)

// TestHelperGradesWhenTold is the child of the tests above.
func TestHelperGradesWhenTold(t *testing.T) {
	cache := os.Getenv("GRADER_TEST_TOLD")
	if cache == "" {
		return // not asked for: there is nothing to test by itself
	}
	g, err := New(Config{CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	told := bufio.NewReader(os.Stdin)
	e := probe()
	e.Limits.Check = toldLimit
	examinations := 0
	e.Exam = func(x *exam.X) {
		x.Check("echo", "answers with the text that was sent", func(c *exam.C) {
			began := time.Now()
			fmt.Println("examining")
			_, _ = told.ReadString('\n')
			examinations++
			if took := time.Since(began); took > toldPromise && examinations == 1 {
				c.Fail(exam.Finding{Did: "waited", Expected: "go on within " + toldPromise.String(), Saw: took.String()})
			}
			c.Equal(string(c.Post("/echo", "x").Body), "x", "the answer")
		})
	}
	r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: filepath.Join(cases(t), "honest")}, func(ev Event) {
		if ev.Kind == Repeated {
			fmt.Println("again")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	line, _ := json.Marshal(r)
	fmt.Println(string(line))
}

// TestProgramsOutliveAJumpOfTheClock holds that a program which was compiled
// before the clock jumped is still there for the next grade of the same code.
func TestProgramsOutliveAJumpOfTheClock(t *testing.T) {
	g, dir := newGrader(t), cases(t)
	pass := func(name string, want report.Verdict) {
		t.Helper()
		r, err := g.Grade(t.Context(), Submission{Exercise: probe(), Dir: filepath.Join(dir, name)}, nil)
		if err != nil || r.Verdict != want {
			t.Errorf("%s: verdict %s, want %s (%v)\n%s", name, r.Verdict, want, err, everythingSaid(&r))
		}
	}
	pass("honest", report.Passed)
	apps, err := filepath.Glob(filepath.Join(g.scratch.dir, "apps", "*"))
	if err != nil || len(apps) != 1 {
		t.Fatalf("programs: %q, %v", apps, err)
	}
	for _, jump := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
		then := time.Now().Add(jump)
		if err := os.Chtimes(apps[0], then, then); err != nil {
			t.Fatal(err)
		}
		pass("answers-wrong", report.Failed) // compiles something else
		pass("honest", report.Passed)
	}
}

// TestDoubtful asks of whom it matters that a processor was away.
func TestDoubtful(t *testing.T) {
	for kind, want := range map[build.Kind]bool{build.Program: true, build.Image: true, build.Workflow: false, build.Tests: false} {
		r := &run{s: Submission{Exercise: Exercise{Kind: kind}}, report: Report{Verdict: report.Failed}}
		if got := r.doubtful(tooLate + 1); got != want {
			t.Errorf("%v: %v, want %v", kind, got, want)
		}
		if r.doubtful(tooLate) {
			t.Errorf("%v: a moment that checks bear is doubted", kind)
		}
	}
}
