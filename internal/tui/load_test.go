package tui

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/internal/tui/terminal"
)

// The variables of a program that grades for real: the folder of what it grades, and
// the file in which it notes what realGrader says.
const (
	loadDir  = "CAIRN_TUI_LOAD_DIR"
	loadNote = "CAIRN_TUI_LOAD_NOTE"
)

// loads are programs that ask much of a machine. The first two are stopped by the
// grader's limits; the third stays just within them, for two seconds.
var loads = map[string]string{
	"a fork bomb": `_ = exec.Command("/bin/sh", "-c", "f() { if [ $1 -eq 0 ]; then exec sleep 60; fi; f $(($1-1)) & f $(($1-1)) & wait; }; f 8").Run()`,
	"a 500 MB log": `line := []byte(strings.Repeat("x", 1023) + "\n")
		for range 500_000 {
			os.Stdout.Write(line)
		}`,
	"a busy crowd": `os.Stdout.WriteString(strings.Repeat(strings.Repeat("x", 89)+"\n", 11_000))
		_ = exec.Command("/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do while :; do :; done & done; sleep 2").Run()
		os.Exit(1)`,
}

// loadCheck is the check whose request lets a program loose.
const loadCheck = "answers"

const loadProgram = `package lostupdate

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
)

var _, _, _ = os.Stdout, exec.Command, strings.Repeat

func New() http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		LOAD
	})
}
`

const loadMain = `package main

import (
	"net"
	"net/http"
	"os"

	"github.com/cairn-learn/cairn/exercises/lostupdate"
)

func main() {
	http.ListenAndServe(net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")), lostupdate.New())
}
`

// realGrader grades the program of a folder, whatever the screen asks for, and notes
// when the program is let loose and when its grade is over.
type realGrader struct {
	*grader.Grader
	dir, note string
}

func newRealGrader() (*realGrader, error) {
	dir := os.Getenv(loadDir)
	g, err := grader.New(grader.Config{CacheDir: filepath.Join(dir, "cache")})
	return &realGrader{g, filepath.Join(dir, "program"), os.Getenv(loadNote)}, err
}

func (g *realGrader) Prepare(ctx context.Context, _ grader.Exercise) error {
	return g.Grader.Prepare(ctx, loadExercise())
}

func (g *realGrader) Grade(ctx context.Context, s grader.Submission, events func(grader.Event)) (grader.Report, error) {
	s.Exercise, s.Dir = loadExercise(), g.dir
	var said error
	r, err := g.Grader.Grade(ctx, s, func(e grader.Event) {
		switch {
		case e.Kind == grader.CheckStarted && e.Check.ID == loadCheck:
			said = g.say("b")
		case e.Kind == grader.Finished:
			said = errors.Join(said, g.say("e"))
		}
		events(e)
	})
	return r, errors.Join(err, said)
}

func (g *realGrader) say(what string) error {
	f, err := os.OpenFile(g.note, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.WriteString(f, what)
	return err
}

func loadExercise() grader.Exercise {
	return grader.Exercise{
		ID: "lostupdate", Title: "A load", Edit: []string{"lostupdate.go"},
		Given: map[string][]byte{"program/main.go": []byte(loadMain)},
		GoMod: []byte("module github.com/cairn-learn/cairn/exercises\n\ngo 1.26\n"),
		Exam: func(x *exam.X) {
			x.Check(loadCheck, "answers", func(c *exam.C) { c.Get("/").Want(http.StatusOK) })
		},
	}
}

// loaded is the program in a terminal, on the screen of an exercise, with a real
// grader behind it.
type loaded struct {
	*terminal.Terminal
	t         testing.TB
	ctx       context.Context
	dir, note string
}

func startLoaded(t testing.TB) *loaded {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	l := &loaded{t: t, ctx: ctx, dir: t.TempDir()}
	l.note = filepath.Join(l.dir, "note")
	if err := os.Mkdir(filepath.Join(l.dir, "program"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=load", "CAIRN_TUI_WORKSPACE="+filepath.Join(l.dir, "ws"), loadDir+"="+l.dir, loadNote+"="+l.note,
		"XDG_STATE_HOME="+l.dir, "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "NO_COLOR=", "CAIRN_THEME=dark",
		"GORACE=exitcode=0 log_path="+filepath.Join(l.dir, "race")) // see start
	term, err := terminal.Start(cmd, 80, 24, color.Black)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	l.Terminal = term
	l.wait(func(v terminal.View) bool {
		head, _, _ := strings.Cut(v.Text, "\n")
		return strings.HasSuffix(head, " ready") && !strings.HasSuffix(head, "getting ready")
	})
	return l
}

func (l *loaded) wait(wanted func(terminal.View) bool) {
	l.t.Helper()
	if err := l.Wait(l.ctx, wanted); err != nil {
		l.t.Fatal(err)
	}
}

// submit puts a program where the grader takes it from.
func (l *loaded) submit(name string) {
	l.t.Helper()
	source := strings.ReplaceAll(loadProgram, "LOAD", loads[name])
	if err := os.WriteFile(filepath.Join(l.dir, "program", "lostupdate.go"), []byte(source), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

// grades is how many programs have been let loose, and how many grades are over.
func (l *loaded) grades() (begun, ended int) {
	said, _ := os.ReadFile(l.note)
	return strings.Count(string(said), "b"), strings.Count(string(said), "e")
}

func (l *loaded) grading() bool {
	begun, ended := l.grades()
	return begun > ended
}

// press presses the key that opens and closes the help, and returns how long it took
// until the screen showed that. The help must be closed before, and is after.
func (l *loaded) press() (open, shut time.Duration) {
	l.t.Helper()
	one := func(open bool) time.Duration {
		began := time.Now()
		if err := l.Type("?"); err != nil {
			l.t.Fatal(err)
		}
		l.wait(func(v terminal.View) bool { return strings.HasPrefix(v.Text, "  Keys") == open })
		return time.Since(began)
	}
	return one(true), one(false)
}

// grade begins a grade, and returns when its program has been let loose.
func (l *loaded) grade() {
	l.t.Helper()
	before, _ := l.grades()
	if err := l.Type("g"); err != nil {
		l.t.Fatal(err)
	}
	for now := before; now == before; now, _ = l.grades() {
		if l.ctx.Err() != nil {
			l.t.Fatalf("the program is not let loose:\n%s", l.View().Text)
		}
		<-time.After(time.Millisecond)
	}
}

// finished waits until the screen shows that the grade is over.
func (l *loaded) finished() {
	l.t.Helper()
	l.wait(func(v terminal.View) bool { return !strings.Contains(v.Text, "grading: ") })
}

// memory is what the program has in memory now and had at most, in kB; 0 where the
// system doesn't tell.
func (l *loaded) memory() (now, most int) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.Process().Pid))
	field := func(name string) int {
		_, rest, _ := strings.Cut(string(status), name+":")
		n, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
		return n
	}
	return field("VmRSS"), field("VmHWM")
}

// spread is a distribution of times.
type spread []time.Duration

func (s spread) String() string {
	at := func(share float64) time.Duration { return s.at(share).Round(100 * time.Microsecond) }
	return fmt.Sprintf("median %s, 99%% within %s, at most %s", at(0.5), at(0.99), at(1))
}

func (s spread) at(share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(share*float64(len(sorted)-1))]
}

// TestKeysAreAnsweredUnderLoad presses keys all the time while programs are graded
// that ask much of the machine. Each key must be answered by a frame, and enough of
// them before the grade was over. How long that took is told, and not judged.
func TestKeysAreAnsweredUnderLoad(t *testing.T) {
	const wanted, least = 40, 10 // keys that are answered while each program runs; on a busy machine some grades end before any
	l := startLoaded(t)
	var idle spread
	for range wanted / 2 {
		open, shut := l.press()
		idle = append(idle, open, shut)
	}
	t.Logf("no grade: %d of %d keys answered, %s", len(idle), len(idle), idle)
	before, _ := l.memory()
	for _, name := range []string{"a fork bomb", "a 500 MB log", "a busy crowd"} {
		l.submit(name)
		var times spread
		pressed, grades := 0, 0
		for ; len(times) < wanted && grades < 100; grades++ {
			l.grade()
			for l.grading() {
				open, shut := l.press()
				if pressed += 2; l.grading() {
					times = append(times, open, shut)
				}
			}
			l.finished()
		}
		if len(times) < least {
			t.Errorf("%s: only %d of %d keys were answered before the grade was over", name, len(times), pressed)
			continue
		}
		t.Logf("%s, %d times: %d of %d keys answered, %d of them before the grade was over, %s", name, grades, pressed, pressed, len(times), times)
	}
	after, most := l.memory()
	t.Logf("cairn's memory: %d MB before, %d MB after, %d MB at most", before>>10, after>>10, most>>10)
	if most > before+(400<<10) { // one of these logs alone has more
		t.Errorf("cairn's memory grew from %d kB to %d kB", before, most)
	}
	begun, ended := l.grades()
	if begun != ended || begun < len(loads) {
		t.Errorf("%d programs were let loose, and %d grades are over", begun, ended)
	}
}

// BenchmarkKeyToFrame measures from a key to the frame that shows its effect, in turn
// without and with a grade of a program that keeps the machine busy.
func BenchmarkKeyToFrame(b *testing.B) {
	l := startLoaded(b)
	l.submit("a busy crowd")
	l.grade() // compiles
	for l.grading() {
		<-time.After(time.Millisecond)
	}
	var idle, busy spread
	for b.Loop() {
		l.finished()
		for range 10 {
			open, shut := l.press()
			idle = append(idle, open, shut)
		}
		l.grade()
		for l.grading() {
			if open, shut := l.press(); l.grading() {
				busy = append(busy, open, shut)
			}
		}
	}
	if len(busy) == 0 {
		b.Fatal("no key was answered before the grade was over")
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(idle.at(0.5)), "ms-idle")
	b.ReportMetric(ms(busy.at(0.5)), "ms-grading")
	b.ReportMetric(ms(busy.at(0.99)), "ms-grading-p99")
	b.ReportMetric(float64(busy.at(0.5))/float64(idle.at(0.5)), "ratio")
}
