package exam

import "sync"

// Steps lets a check look at the database after a commit, while the program has
// not heard of it yet: the moment in which a crash is worst.
type Steps struct {
	c       *C
	arrived chan chan struct{} // each is closed to let an answer go
	over    chan struct{}
	stop    sync.Once
	held    chan struct{} // that of the present step
}

// Steps holds back every answer after which a session of the program stands
// outside of a transaction, whichever statement that was, until the check has
// looked: see Next. It ends with Stop or with the check.
func (f *Faults) Steps() *Steps {
	s := newSteps(f.c)
	f.record("holds back every answer of PostgreSQL that ends a transaction, and looks what is committed")
	for _, p := range f.proxies {
		p.AtRest(s.hold)
	}
	f.c.atEnd(s.Stop)
	return s
}

func newSteps(c *C) *Steps {
	return &Steps{c: c, arrived: make(chan chan struct{}), over: make(chan struct{})}
}

// Next lets the answer of the present step go and waits for that of the next one.
// It returns false when there is none: the request has been answered first, or
// will never be.
func (s *Steps) Next(p *Pending) bool {
	s.release()
	select {
	case s.held = <-s.arrived:
		return true
	case <-p.done:
	case <-s.over:
	case <-s.c.ctx.Done():
	}
	return false
}

// Stop lets everything go, from now on. A second call does nothing.
func (s *Steps) Stop() { s.stop.Do(func() { close(s.over) }) }

func (s *Steps) release() {
	if s.held != nil {
		close(s.held)
		s.held = nil
	}
}

// hold keeps one answer back, until the session is over at the latest.
func (s *Steps) hold(ended <-chan struct{}) {
	let := make(chan struct{})
	select {
	case s.arrived <- let:
	case <-s.over:
		return
	case <-ended:
		return
	}
	select {
	case <-let:
	case <-s.over:
	case <-ended:
	}
}
