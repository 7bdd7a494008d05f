package grader

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// mostRuns is how often a grade is tried while something stands still or is lost
// in the middle of it.
const mostRuns = 3

// grade examines the program, and does so again from the start when the machine
// or a server was not there all the time: deadlines that passed meanwhile, and
// errors that a lost server caused, are not the program's. What does not compile
// is settled before. A program that fails each time on a machine that is busy each
// time has failed: somebody whose machine is never quiet wants to know what is wrong.
func (r *run) grade(ctx context.Context) {
	for n := 1; ; n++ {
		r.last = n == mostRuns
		trouble := r.examineOnce(ctx)
		if trouble == nil || ctx.Err() != nil || r.report.Verdict == report.Broken {
			return
		}
		if r.last {
			r.renew()
			r.end(trouble)
			return
		}
		r.renew()
		r.emit(Event{Kind: Repeated, What: whatHappened(trouble)})
	}
}

// renew begins a new report. Data that nobody asked for by a seed is drawn again.
func (r *run) renew() {
	if r.drawn {
		for r.s.Seed = 0; r.s.Seed == 0; {
			r.s.Seed = rand.Uint64() >> 11
		}
	}
	old := r.report
	r.report = Report{
		Version: report.Version, Cairn: r.g.cfg.Cairn, Exercise: r.s.Exercise.ID, Title: r.s.Exercise.Title,
		Content: r.s.Exercise.Content, Seed: r.s.Seed, Started: time.Now().UTC(),
		Code: old.Code, Files: old.Files,
	}
}

func whatHappened(trouble error) string {
	var un *services.Unavailable
	if errors.As(trouble, &un) {
		return un.What
	}
	return trouble.Error()
}

const (
	beat = 100 * time.Millisecond
	// standstill is how late a beat must be to say that cairn stood still. A busy
	// machine delays one by some tens of milliseconds.
	standstill = time.Second
)

// pulse notices that time went by in which cairn did not run. Deadlines are kept
// by a clock that no setting of the time moves; but one that passes while cairn is
// stopped says nothing about the program, and a machine that sleeps stops this
// clock and not that of the servers.
type pulse struct {
	running time.Duration // by the clock of the deadlines
	wall    time.Time     // by the clock on the wall
}

// beat compares both clocks with those of the last beat. It returns what happened
// in between, or nil.
func (p *pulse) beat(running time.Duration, wall time.Time) error {
	gap := running - p.running
	jump := wall.Sub(p.wall) - gap
	p.running, p.wall = running, wall
	switch {
	case gap > standstill:
		return stoodStill("cairn was stopped for " + report.Took(gap.Round(time.Second)) + " in the middle of the grade")
	case jump > standstill:
		return stoodStill("this machine slept, or its clock was set, in the middle of the grade")
	case jump < -standstill:
		return stoodStill("the clock of this machine was set back in the middle of the grade")
	}
	return nil
}

func stoodStill(what string) error {
	return &services.Unavailable{What: what, Do: "grade again, and let the machine run meanwhile"}
}

// keepPulse watches until ctx ends or the returned function is called, which looks
// a last time. lost is told when cairn has not run all the time.
func keepPulse(ctx context.Context, lost func(error)) (end func()) {
	began := time.Now()
	p := pulse{wall: began.Round(0)}
	look := func() {
		now := time.Now()
		if err := p.beat(now.Sub(began), now.Round(0)); err != nil {
			lost(err)
		}
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				look()
			case <-stop:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-done
		if ctx.Err() == nil {
			look()
		}
	}
}
