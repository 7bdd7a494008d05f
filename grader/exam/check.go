package exam

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/wire"
)

// examiner gives the embedded client a field name that leaves the method name
// Client free.
type examiner = Client

// C is one check while it runs. Its methods may be called from functions that
// the check runs in parallel.
type C struct {
	*examiner // the client that c.Get, c.Post and so on use; it talks to instance 0

	session       *Session
	spec          *spec
	ctx           context.Context
	rand          *rand.Rand
	began         time.Time
	mark          wire.Mark
	logMark       int
	upstreamMarks map[string]upstreamMark

	mu      sync.Mutex
	last    string // the last request, as Finding.Did
	finding *Finding
	entries []report.Entry
	cleanup []func()
	touched map[*Program]bool // instances that the check had to do with
}

func (s *Session) newCheck(ctx context.Context, sp *spec) *C {
	c := &C{session: s, spec: sp, ctx: ctx, rand: newRand(s.opts.Seed, sp.id), began: time.Now(), touched: map[*Program]bool{}}
	c.mark = s.statements.Mark()
	c.logMark = s.log.len()
	c.upstreamMarks = s.markUpstreams()
	c.examiner = c.Client("examiner")
	return c
}

// runCheck runs one check to its end and returns its outcome.
func (s *Session) runCheck(ctx context.Context, sp *spec) report.Check {
	ctx, cancel := context.WithTimeout(ctx, s.limits.Check)
	defer cancel()
	c := s.newCheck(ctx, sp)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer c.recoverExam()
		sp.run(c)
	}()
	<-done
	c.clean()
	c.explainExit()
	out := report.Check{ID: sp.id, Title: sp.title, Status: report.CheckPassed, Duration: time.Since(c.began)}
	out.Timeline = c.timeline()
	if c.finding != nil {
		out.Status = report.CheckFailed
		out.Feedback = c.finding.feedback()
	}
	return out
}

// recoverExam turns a panic of the exam's own code into cairn's trouble.
func (c *C) recoverExam() {
	if v := recover(); v != nil {
		c.session.setTrouble(fmt.Errorf("the exam of %s, check %s, has a fault of its own: %v\n%s",
			c.session.opts.ID, c.spec.id, v, debug.Stack()))
	}
}

// clean undoes what the check did to the world, in reverse order.
func (c *C) clean() {
	c.mu.Lock()
	fns := c.cleanup
	c.cleanup = nil
	c.mu.Unlock()
	for i := len(fns) - 1; i >= 0; i-- {
		fns[i]()
	}
	for _, u := range c.session.upstreams {
		if err := u.reset(); err != nil {
			c.session.setTrouble(err)
		}
	}
	if c.session.barrier != nil {
		c.session.barrier.Disarm()
	}
}

// atEnd registers fn to run when the check has ended.
func (c *C) atEnd(fn func()) {
	c.mu.Lock()
	c.cleanup = append(c.cleanup, fn)
	c.mu.Unlock()
}

// Context returns the check's context; it ends at the check's deadline.
func (c *C) Context() context.Context { return c.ctx }

// Parallel runs the functions side by side, all beginning at the same moment,
// and returns when every one has ended. A failure in any of them then fails the
// check.
func (c *C) Parallel(fns ...func()) {
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for _, fn := range fns {
		ready.Add(1)
		done.Add(1)
		go func() {
			defer done.Done()
			defer c.recoverExam()
			ready.Done()
			<-start
			fn()
		}()
	}
	ready.Wait()
	close(start)
	done.Wait()
	if c.failed() {
		runtime.Goexit()
	}
}

// Burst runs fn n times side by side, with i from 0 to n-1, as Parallel does.
func (c *C) Burst(n int, fn func(i int)) {
	fns := make([]func(), n)
	for i := range fns {
		fns[i] = func() { fn(i) }
	}
	c.Parallel(fns...)
}

// Note adds a line of the examiner's own to the timeline.
func (c *C) Note(format string, args ...any) {
	c.record(report.Entry{Kind: report.KindNote, Actor: "examiner", Text: fmt.Sprintf(format, args...)}, time.Now())
}

func (c *C) record(e report.Entry, at time.Time) {
	e.At = at.Sub(c.began)
	c.mu.Lock()
	c.entries = append(c.entries, e)
	c.mu.Unlock()
}
