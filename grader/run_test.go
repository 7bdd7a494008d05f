package grader

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
)

// TestRun starts one program many times, each with an environment of its own.
func TestRun(t *testing.T) {
	e := probe()
	var pids []int
	e.Exam = func(x *exam.X) {
		x.Env("MODE", "plain")
		x.Env("SPARE", "fixed")
		x.Check("listens", "listens", func(c *exam.C) {
			same, other := c.Run(5*time.Second), c.Run(5*time.Second, "MODE=other", "SPARE")
			for r, want := range map[*exam.Run]string{same: "plain", other: "other"} {
				c.Equal(r.Listened, true, "listened")
				c.Equal(string(c.Client("x", exam.ToInstance(r.Instance)).Get("/").Body), want, "the answer")
			}
			c.Equal(string(c.Get("/").Body), "plain", "the instance's answer")
			c.Equal(same.Stderr(), []string{`mode "plain" true, spare "fixed"`}, "stderr")
			c.Equal(other.Stderr(), []string{`mode "other" true, spare ""`}, "stderr")
			pids = append(pids, same.Pid(), other.Pid())
		})
		x.Check("exits", "exits", func(c *exam.C) {
			r := c.Run(5*time.Second, "MODE=exit", "MODE", "MODE=exit")
			code, exited := r.WaitExit(0)
			c.Equal(fmt.Sprint(r.Listened, code, exited), "false 3 true", "the end")
			c.Equal(r.Ending(), "exited with status 3", "the ending")
			c.Equal(c.Run(5*time.Second, "MODE=").Stderr(), []string{`mode "" true, spare "fixed"`}, "stderr when empty")
			c.Equal(c.Run(5*time.Second, "MODE").Stderr(), []string{`mode "" false, spare "fixed"`}, "stderr when removed")
		})
		x.Check("neither", "does neither", func(c *exam.C) {
			r := c.Run(100*time.Millisecond, "MODE=hang")
			c.Equal(fmt.Sprint(r.Listened, r.Running()), "false true", "the state")
			pids = append(pids, r.Pid())
			nowhere := c.Run(100*time.Millisecond, "PORT=70000")
			c.Equal(nowhere.Listened, false, "listened on a port that there is not")
		})
		x.Check("silent", "is told apart from one that answers", func(c *exam.C) {
			r := c.Run(5 * time.Second)
			r.Kill()
			c.Client("x", exam.ToInstance(r.Instance)).Get("/")
		})
	}
	g := newGrader(t)
	r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: filepath.Join(cases(t), "reads-environment")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	said := everythingSaid(&r)
	failed := r.FirstFailed()
	if failed == nil || failed.ID != "silent" || r.Verdict != report.Failed {
		t.Fatalf("want a failure of silent alone:\n%s", said)
	}
	for _, want := range []string{
		"the program was stopped by cairn instead of answering",
		`run 2 was started with MODE="other", without SPARE`,
		"run 3 exited with status 3",
		`run 2: mode "other" true, spare ""`, // in the log of the grade
	} {
		if !strings.Contains(said, want) {
			t.Errorf("nowhere does it say %q:\n%s", want, said)
		}
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("process %d is still there (%v)", pid, err)
		}
	}
	if len(pids) != 3 {
		t.Errorf("%d processes were looked at", len(pids))
	}
}
