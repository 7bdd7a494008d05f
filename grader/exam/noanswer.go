package exam

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/process"
)

const whyExit = "One request must never take the whole service down: every other caller loses its answer too, and whatever the program kept in memory is gone."

// noAnswer ends the check because a request got no answer, and finds out why.
func (c *C) noAnswer(cl *Client, r *request, err error) {
	p := cl.program
	f := Finding{Did: r.did(), Expected: "an answer"}
	if errors.Is(err, context.DeadlineExceeded) {
		c.hangs(p, r, f)
	}
	if c.session.ctx.Err() != nil {
		c.trouble(context.Cause(c.session.ctx))
	}
	select {
	case <-p.proc.Done():
		c.Fail(c.exitFinding(p, f))
	case <-time.After(250 * time.Millisecond): // a process that is going down takes a moment to be gone
	}
	if p.ended() {
		c.Fail(c.exitFinding(p, f))
	}
	f.Saw = transportError(err)
	f.Why = "A caller without an answer does not know whether its request took effect; most will send it again."
	if line := c.panicLine(p); line != "" {
		f.Saw = "the handler panicked, and the connection was closed without an answer: " + line
		f.Detail = process.LearnerTrace(p.proc.Output(), learnerModule)
	}
	c.Fail(f)
}

// hangs ends the check because no answer came in time.
func (c *C) hangs(p *Program, r *request, f Finding) {
	waited := min(r.timeout, c.session.limits.Check)
	f.Expected = fmt.Sprintf("an answer within %s", waited)
	f.Saw = fmt.Sprintf("no answer within %s; the program is still running", waited)
	f.Why = "A request that never ends keeps its connection, its memory and often a database session; enough of them and nobody is served."
	f.Detail = p.dumpOnce()
	c.session.setLimit(fmt.Sprintf("%s %s was not answered within %s", r.method, r.path, waited))
	c.Fail(f)
}

// panicLine waits a moment for net/http's report of a panic and returns its
// message, "" when there is none.
func (c *C) panicLine(p *Program) string {
	deadline := time.After(100 * time.Millisecond)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, l := range c.session.log.since(c.logMark) {
			if _, msg, ok := strings.Cut(l.Text, "panic serving "); ok && l.actor == p.name() {
				if _, after, ok := strings.Cut(msg, ": "); ok {
					return after
				}
				return msg
			}
		}
		select {
		case <-deadline:
			return ""
		case <-tick.C:
		}
	}
}

func (c *C) exitFinding(p *Program, f Finding) Finding {
	c.session.noteLimit(p)
	f.Saw = "the program " + p.ending() + " instead of answering" + p.lastWords()
	f.Why = whyExit
	f.Detail = p.trace()
	return f
}

// explainExit makes sure that a program which exited during the check is told
// about, whatever else the check found.
func (c *C) explainExit() {
	if c.session.Trouble() != nil {
		return
	}
	for _, p := range c.session.programs {
		if !p.exited() || c.spec.parallel && !c.touched[p] {
			continue
		}
		if c.finding == nil {
			f := c.exitFinding(p, Finding{Did: c.last, Expected: "the program goes on running"})
			f.Saw = "the program " + p.ending() + p.lastWords()
			c.finding = &f
		} else if c.finding.Detail == "" {
			c.finding.Detail = strings.TrimSpace(p.name() + " " + p.ending() + "\n" + p.trace())
		}
		return
	}
}

// noteLimit turns an exit that a limit forced into the verdict for it.
func (s *Session) noteLimit(p *Program) {
	e, ok := p.proc.Exit()
	if !ok {
		return
	}
	switch e.Reason {
	case process.OutputLimit:
		s.setLimit("the program printed more than 1 MB and was stopped")
	case process.MemoryLimit:
		s.setLimit(fmt.Sprintf("the program used more than %d MB of memory and was stopped", s.limits.Memory>>20))
	case process.ProcessLimit:
		s.setLimit(fmt.Sprintf("the program started more than %d processes and was stopped", processLimit))
	case process.TaskLimit:
		s.setLimit(fmt.Sprintf("the program had more than %d processes and threads at once and was stopped", process.TasksFor(processLimit)))
	}
}

// dumpOnce returns the goroutine dump of a hanging program; requests that hang
// together share one, since asking for it ends the program.
func (p *Program) dumpOnce() string {
	p.dumpMu.Lock()
	defer p.dumpMu.Unlock()
	if p.dumped != p.proc {
		p.dumped, p.dump = p.proc, p.Goroutines()
	}
	return p.dump
}
