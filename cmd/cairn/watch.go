package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/internal/watch"
)

// watch grades now and after every save, until the learner interrupts. A save
// during a grade ends that grade and begins the next.
func (a *app) watch(ctx context.Context, g *grader.Grader, job assignment, o gradeOptions) error {
	a.untilInterrupted = true
	spec := job.stone.Exercise.Spec()
	saves := watch.Folder(ctx, job.dir, func() string { return grader.Fingerprint(spec, job.dir) }, watch.Options{Poll: o.poll})
	if saves.Polling != nil {
		fmt.Fprintf(a.err, "cairn: this system tells no changes (%v), so cairn looks for them\n", saves.Polling)
	}
	for {
		again, err := a.gradeUntilSaved(ctx, g, job, o, saves.C)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if !again {
			fmt.Fprintf(a.err, "cairn: watching %s; save to grade again, ctrl+c ends\n", shown(job.dir))
			select {
			case <-saves.C:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		fmt.Fprintf(a.err, "cairn: saved at %s\n", time.Now().Format(time.TimeOnly))
	}
}

// gradeUntilSaved grades once and tells whether a save put an end to it.
func (a *app) gradeUntilSaved(ctx context.Context, g *grader.Grader, job assignment, o gradeOptions, saves <-chan string) (again bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- a.gradeOnce(ctx, g, job, o) }()
	select {
	case err := <-ended:
		return false, err
	case <-saves:
	case <-ctx.Done():
	}
	cancel()
	return true, <-ended
}
