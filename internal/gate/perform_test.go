package gate

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
)

// gathering is a grader that answers nobody before so many wait for it at once.
type gathering struct {
	party int

	mu      sync.Mutex
	waiting int
	open    chan struct{}
}

func (g *gathering) Grade(ctx context.Context, _ grader.Submission, _ func(grader.Event)) (grader.Report, error) {
	g.mu.Lock()
	g.waiting++
	if g.waiting == g.party {
		close(g.open)
	}
	g.mu.Unlock()
	select {
	case <-g.open:
		return grader.Report{Verdict: report.Passed}, nil
	case <-ctx.Done():
		return grader.Report{Verdict: report.Ungraded}, nil
	}
}

func TestAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	e, spec := load(t, laidOut(t))
	spec.Exam = func(x *exam.X) { x.Check("a", "a", func(*exam.C) {}, exam.Parallel()) }
	g := &gathering{party: 3, open: make(chan struct{})}
	var told []string
	results, err := verify(ctx, g, e, spec, Options{OnResult: func(r Result) { told = append(told, r.String()) }})
	if err != nil {
		t.Fatalf("no three grades at once: %v", err)
	}
	var names []string
	for _, r := range results {
		names = append(names, r.String())
	}
	want := []string{"structure", "starter", "solution", "alternative runes"}
	if len(names) < len(want) || !slices.Equal(names[:len(want)], want) || !slices.Equal(names, told) {
		t.Errorf("results came as\n%q and were told as\n%q", names, told)
	}
}
