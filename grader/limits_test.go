package grader

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
)

// TestTimeLimits holds each limit of time, but those of the corpus, to the word that
// the learner reads.
func TestTimeLimits(t *testing.T) {
	g, dir := newGrader(t), cases(t)
	asks := func(x *exam.X) {
		x.Check("echo", "answers", func(c *exam.C) { c.Post("/echo", "x") })
	}
	for name, c := range map[string]struct {
		program string
		limits  exam.Limits
		declare func(*exam.X)
		want    string
	}{
		"request": {"never-answers", exam.Limits{Request: 200 * time.Millisecond}, asks, "POST /echo was not answered within 200ms"},
		"check":   {"never-answers", exam.Limits{Request: time.Hour, Check: 300 * time.Millisecond}, asks, "POST /echo was not answered within 300ms"},
		"exam": {"honest", exam.Limits{Exam: 400 * time.Millisecond}, func(x *exam.X) {
			x.Check("first", "takes all the time there is", func(c *exam.C) { <-c.Context().Done() })
			x.Check("second", "comes too late", func(c *exam.C) { c.Post("/echo", "x").Want(200) })
		}, "the checks together took longer than 400ms"},
	} {
		t.Run(name, func(t *testing.T) {
			e := probe()
			e.Exam = c.declare
			c.limits.Start = 30 * time.Second // of a machine under load
			e.Limits.Limits = c.limits
			r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: filepath.Join(dir, c.program)}, nil)
			if err != nil || r.Verdict != report.Limit || r.Reason != c.want {
				t.Errorf("verdict %s (%s), %v; want %s (%s)\n%s", r.Verdict, r.Reason, err, report.Limit, c.want, everythingSaid(&r))
			}
		})
	}
}
