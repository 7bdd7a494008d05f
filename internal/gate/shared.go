package gate

import (
	"context"

	"golang.org/x/sync/semaphore"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/build"
)

// Shared is a grader for exercises that are verified side by side: all their
// grades together keep the cores busy, and no more begin. First come, first served.
type Shared struct {
	grader Grader
	places *semaphore.Weighted
	race   *semaphore.Weighted // the first one compiles the standard library, which is no work for several
}

// Share makes a grader that n cores can bear.
func Share(g Grader, cores int) *Shared {
	return &Shared{
		grader: g,
		places: semaphore.NewWeighted(int64(places(cores))),
		race:   semaphore.NewWeighted(1),
	}
}

// places is how many grades of programs some cores bear: three for two. Examining a program, a
// database or a container is two thirds waiting, for locks, for deadlines, for what must not happen;
// but two cores that are kept busy by three grades lose more than they gain by a fourth.
func places(cores int) int { return max(2, cores*3/2) }

// takes is how many places a grade takes.
func takes(kind build.Kind) int64 {
	if kind == build.Workflow {
		return 2 // scripts that begin hundreds of processes
	}
	return 1
}

// Grade grades as soon as there is room. The error is the context's when it ends
// before.
func (s *Shared) Grade(ctx context.Context, sub grader.Submission, tell func(grader.Event)) (grader.Report, error) {
	if sub.Race {
		if err := s.race.Acquire(ctx, 1); err != nil {
			return grader.Report{}, err
		}
		defer s.race.Release(1)
	}
	n := takes(sub.Exercise.Kind)
	if err := s.places.Acquire(ctx, n); err != nil {
		return grader.Report{}, err
	}
	defer s.places.Release(n)
	return s.grader.Grade(ctx, sub, tell)
}
