package grader

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
)

func TestLatency(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		at, late []time.Duration
		want     time.Duration
	}{
		"never late":                     {nil, nil, 0},
		"a little late, all the time":    {[]time.Duration{100 * ms, 200 * ms, 300 * ms}, []time.Duration{19 * ms, 19 * ms, 19 * ms}, 0},
		"once":                           {[]time.Duration{100 * ms}, []time.Duration{300 * ms}, 300 * ms},
		"within a second":                {[]time.Duration{100 * ms, 900 * ms}, []time.Duration{30 * ms, 40 * ms}, 70 * ms},
		"over the end of one":            {[]time.Duration{900 * ms, 1100 * ms}, []time.Duration{30 * ms, 40 * ms}, 70 * ms},
		"three seconds apart":            {[]time.Duration{900 * ms, 3900 * ms}, []time.Duration{30 * ms, 40 * ms}, 40 * ms},
		"the worst was not the last one": {[]time.Duration{900 * ms, 3900 * ms}, []time.Duration{50 * ms, 40 * ms}, 50 * ms},
	} {
		var l latency
		for i := range c.at {
			l.add(c.at[i], c.late[i])
		}
		if l.worst != c.want {
			t.Errorf("%s: %s, want %s", name, l.worst, c.want)
		}
	}
}

// TestFailsOnABusyMachine grades a wrong program on a machine that is never quiet: a
// beginning that is worth nothing must end, with what the checks found.
func TestFailsOnABusyMachine(t *testing.T) {
	g, e := newGrader(t), probe()
	e.Exam = func(x *exam.X) {
		x.Check("echo", "answers with another text", func(c *exam.C) {
			c.Equal(string(c.Post("/echo", "x").Body), "y", "the answer")
		})
	}
	was := watch
	watch = func() func() time.Duration { return func() time.Duration { return 2 * tooLate } }
	defer func() { watch = was }()
	var why []string
	r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: filepath.Join(cases(t), "honest")}, func(ev Event) {
		if ev.Kind == Repeated {
			why = append(why, ev.What)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != report.Failed || r.FirstFailed() == nil || !strings.Contains(r.Next, "busy") {
		t.Errorf("verdict %s, next %q\n%s", r.Verdict, r.Next, everythingSaid(&r))
	}
	if len(why) != mostRuns-1 || !strings.HasPrefix(why[0], "this machine was too busy: a processor was away for 500ms") {
		t.Errorf("repeated for %q", why)
	}
}
