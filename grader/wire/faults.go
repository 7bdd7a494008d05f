package wire

import (
	"sync/atomic"
	"time"
)

// CutPoint says where CutAfter ends a session.
type CutPoint int

const (
	// CutBeforeSend: the statement or command never reaches the server.
	CutBeforeSend CutPoint = iota + 1
	// CutBeforeAnswer: the server ran it, the program never hears of it.
	CutBeforeAnswer
	// CutAfterAnswer: the program gets the answer, and the session ends.
	CutAfterAnswer
)

// FaultCounts says how often each fault really bit.
type FaultCounts struct {
	Delayed   int // requests held before they went upstream
	Cut       int // sessions ended by Cut
	CutAfter  int // sessions ended by CutAfter
	Refused   int // connections refused
	Swallowed int // pieces of traffic that a black hole took
	Slowed    int // answers that trickled
}

// faults are those in force; never changed, only replaced. nil means none.
type faults struct {
	delay     time.Duration
	refuse    bool
	blackHole bool
	slow      int // bytes per second
}

// trigger is a CutAfter that waits for its statement or command.
type trigger[T any] struct {
	match func(T) bool
	when  CutPoint
}

// pendingCut is where a trigger waits; its zero value has none.
type pendingCut[T any] struct{ atomic.Pointer[trigger[T]] }

func (a *pendingCut[T]) arm(match func(T) bool, when CutPoint) {
	if match == nil {
		a.Store(nil)
		return
	}
	a.Store(&trigger[T]{match: match, when: when})
}

// sprung reports where the session of this statement or command ends, 0 for
// nowhere. It is one-shot.
func (a *pendingCut[T]) sprung(render func() T) CutPoint {
	t := a.Load()
	if t == nil || !t.match(render()) || !a.CompareAndSwap(t, nil) {
		return 0
	}
	return t.when
}

type bites struct {
	delayed, cut, cutAfter, refused, swallowed, slowed atomic.Int64
}

// Bites returns how often each fault has bitten since the proxy was started.
func (p *proxy) Bites() FaultCounts {
	b := &p.bites
	return FaultCounts{
		Delayed: int(b.delayed.Load()), Cut: int(b.cut.Load()), CutAfter: int(b.cutAfter.Load()),
		Refused: int(b.refused.Load()), Swallowed: int(b.swallowed.Load()), Slowed: int(b.slowed.Load()),
	}
}

// inForce returns the faults in force, none where that is nil.
func (p *proxy) inForce() faults {
	if f := p.faults.Load(); f != nil {
		return *f
	}
	return faults{}
}

// watchFaults returns the faults in force, and a channel that is closed when they
// change.
func (p *proxy) watchFaults() (faults, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.inForce(), p.changed
}

// change replaces the faults in force. Sessions that lost bytes to a black hole
// which is now gone are cut: their streams have a gap.
func (p *proxy) change(edit func(*faults)) {
	p.mu.Lock()
	f := p.inForce()
	hole := f.blackHole
	edit(&f)
	if f == (faults{}) {
		p.faults.Store(nil)
	} else {
		p.faults.Store(&f)
	}
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
	p.mu.Unlock()
	if hole && !f.blackHole {
		for _, s := range p.open() {
			if s.gap.Load() {
				s.reset()
			}
		}
	}
}

// Delay holds each request for d before it goes upstream; a new connection's
// start counts as a request. 0 turns it off, for those being held as well.
func (p *proxy) Delay(d time.Duration) { p.change(func(f *faults) { f.delay = max(d, 0) }) }

// Refuse makes new connections fail at once with a reset.
func (p *proxy) Refuse(on bool) { p.change(func(f *faults) { f.refuse = on }) }

// BlackHole swallows all traffic of old and new sessions, which stay open. What
// was swallowed is gone for good: a request sent into the hole never runs later.
// When the hole closes, sessions that lost something are reset, the others go on.
func (p *proxy) BlackHole(on bool) { p.change(func(f *faults) { f.blackHole = on }) }

// Slow lets answers trickle at so many bytes per second. 0 turns it off.
func (p *proxy) Slow(bytesPerSecond int) {
	p.change(func(f *faults) { f.slow = max(bytesPerSecond, 0) })
}

// Cut resets every open session now; new connections are accepted.
func (p *proxy) Cut() {
	for _, s := range p.open() {
		if s.reset() {
			p.bites.cut.Add(1)
		}
	}
}

// heal clears all faults of the connection.
func (p *proxy) heal() { p.change(func(f *faults) { *f = faults{} }) }
