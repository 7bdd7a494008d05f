package wire

import (
	"sync"
	"sync/atomic"
	"time"
)

// How long a barrier holds an answer.
const (
	barrierLimit = 300 * time.Millisecond // from the first answer held, or since a new session has moved …
	barrierMost  = 3 * time.Second        // … at the latest
	barrierWait  = 20 * time.Millisecond  // a statement unanswered for so long waits for a lock …
	barrierSlack = 5                      // … unless others took a fifth of the time or more: then the server is slow
	barrierTick  = 2 * time.Millisecond
)

// Barrier makes a race happen every time. Armed with a number of parties and a
// table, it holds back the answer to the first SELECT on that table in each
// session, until as many sessions have had such an answer: then all have read
// before anyone writes. It lets go early when every missing party has had a
// statement unanswered for 20 ms that can be waiting for a lock, because then
// correct code keeps it out; and 300 ms after the first answer held. Where a
// session is being opened meanwhile, which takes long on a busy machine, it waits
// until that session has had 300 ms without an answer, 3 s at most.
// An answered SELECT is one whose CommandComplete was followed by ReadyForQuery;
// an UPDATE alone is never held.
//
// One Barrier serves the listeners of all instances. Safe for concurrent use.
type Barrier struct {
	mu      sync.Mutex
	armed   atomic.Pointer[arming] // nil while disarmed or over
	parties map[*party]struct{}
	last    Outcome
}

// Outcome says how a barrier ended.
type Outcome struct {
	Met      bool // all parties had read before any was answered
	Arrived  int  // how many had read
	Early    bool // let go because the missing ones waited for a lock
	TimedOut bool // let go because the time was up
}

// arming is one use of a barrier.
type arming struct {
	count   int
	table   table
	at      time.Time
	first   time.Time // when the first party arrived
	arrived map[*party]struct{}
	release chan struct{}
	slowest atomic.Int64 // ns, of the requests answered since
}

// party is a session as the barrier sees it.
type party struct {
	since   atomic.Int64 // when its oldest unanswered request was sent, on clock(); 0 for none
	mayWait atomic.Bool  // that request can be waiting for a lock

	joined int64        // when the session began, on clock()
	opened atomic.Bool  // it has had its first answer
	moved  atomic.Int64 // when it had its last one, or began
}

var epoch = time.Now()

// clock is a monotonic time for atomics, never 0 after start.
func clock(t time.Time) int64 { return int64(t.Sub(epoch)) + 1 }

// NewBarrier returns a barrier, disarmed.
func NewBarrier() *Barrier { return &Barrier{parties: map[*party]struct{}{}} }

// Arm readies the barrier for one race of so many parties on a table, named as in
// SQL, with or without its schema. A use before that is not over ends.
func (b *Barrier) Arm(parties int, table string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.armed.Load(); a != nil {
		b.finish(a, Outcome{})
	}
	b.last = Outcome{}
	if parties < 1 {
		return
	}
	b.armed.Store(&arming{
		count: parties, table: parseTable(table), at: time.Now(),
		arrived: map[*party]struct{}{}, release: make(chan struct{}),
	})
}

// Disarm lets go whatever is held and returns how the last use ended.
func (b *Barrier) Disarm() Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.armed.Load(); a != nil {
		b.finish(a, Outcome{})
	}
	return b.last
}

// Outcome returns how the last use ended or, before its end, how far it has come.
func (b *Barrier) Outcome() Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.armed.Load(); a != nil {
		return Outcome{Arrived: len(a.arrived)}
	}
	return b.last
}

// finish ends a use and frees who is held. The caller holds b.mu.
func (b *Barrier) finish(a *arming, o Outcome) {
	o.Arrived = len(a.arrived)
	b.last = o
	b.armed.Store(nil)
	close(a.release)
}

func (b *Barrier) join(p *party) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parties[p] = struct{}{}
	p.joined = clock(time.Now())
	p.moved.Store(p.joined)
}

func (b *Barrier) leave(p *party) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.parties, p)
}

// isArmed is cheap, and good on a nil Barrier.
func (b *Barrier) isArmed() bool { return b != nil && b.armed.Load() != nil }

// reads reports whether the answer to this statement is one to hold.
func (b *Barrier) reads(sql string) bool {
	if b == nil {
		return false
	}
	a := b.armed.Load()
	return a != nil && classify(sql, a.table).reads
}

// hold blocks a party that has read until the barrier lets go or done is closed.
// It reports whether the party was held at all: each is once per use.
func (b *Barrier) hold(p *party, done <-chan struct{}) bool {
	b.mu.Lock()
	a := b.armed.Load()
	if a == nil {
		b.mu.Unlock()
		return false
	}
	if _, again := a.arrived[p]; again {
		b.mu.Unlock()
		return false
	}
	a.arrived[p] = struct{}{}
	switch {
	case len(a.arrived) >= a.count:
		b.finish(a, Outcome{Met: true})
	case a.first.IsZero():
		a.first = time.Now()
		go b.watch(a)
	}
	b.mu.Unlock()
	select {
	case <-a.release:
	case <-done:
		b.mu.Lock()
		if b.armed.Load() == a {
			delete(a.arrived, p)
		}
		b.mu.Unlock()
	}
	return true
}

// watch lets go early, or when the time is up. It ends with its use.
func (b *Barrier) watch(a *arming) {
	tick := time.NewTicker(barrierTick)
	defer tick.Stop()
	for {
		select {
		case <-a.release:
			return
		case now := <-tick.C:
			if b.check(a, now) {
				return
			}
		}
	}
}

func (b *Barrier) check(a *arming, now time.Time) (over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.armed.Load() != a:
		return true
	case b.waiting(a, now) >= a.count-len(a.arrived):
		b.finish(a, Outcome{Early: true})
		return true
	case now.Sub(a.first) >= barrierMost, clock(now)-b.moved(a, now) >= int64(barrierLimit):
		b.finish(a, Outcome{TimedOut: true})
		return true
	}
	return false
}

// moved is when something last happened that promises another party: the first
// one's answer, or progress of a session that began since. The caller holds b.mu.
func (b *Barrier) moved(a *arming, now time.Time) int64 {
	last := clock(a.first)
	for p := range b.parties {
		if _, here := a.arrived[p]; here || p.joined < clock(a.at) {
			continue
		}
		if !p.opened.Load() {
			return clock(now)
		}
		last = max(last, p.moved.Load())
	}
	return last
}

// waiting counts the parties still missing that wait for a lock. On a machine
// under load any statement takes long, so the patience grows with what answered
// ones took. The caller holds b.mu.
func (b *Barrier) waiting(a *arming, now time.Time) int {
	patience := max(barrierWait, barrierSlack*time.Duration(a.slowest.Load()))
	n := 0
	for p := range b.parties {
		if _, here := a.arrived[p]; here || !p.mayWait.Load() {
			continue
		}
		since := p.since.Load()
		if since >= clock(a.at) && clock(now)-since >= int64(patience) {
			n++
		}
	}
	return n
}

// asked notes that a request goes upstream.
func (b *Barrier) asked(p *party, mayWait bool, now time.Time) {
	if p.since.CompareAndSwap(0, clock(now)) {
		p.mayWait.Store(mayWait)
	} else if mayWait {
		p.mayWait.Store(true)
	}
}

// answered notes that a request was answered; more says that others are out.
func (b *Barrier) answered(p *party, more bool, now time.Time) {
	since := p.since.Load()
	next := int64(0)
	if more {
		next = clock(now)
	}
	p.since.Store(next)
	p.opened.Store(true)
	p.moved.Store(clock(now))
	a := b.armed.Load()
	if a == nil || since < clock(a.at) {
		return
	}
	took := clock(now) - since
	for {
		slowest := a.slowest.Load()
		if took <= slowest || a.slowest.CompareAndSwap(slowest, took) {
			return
		}
	}
}
