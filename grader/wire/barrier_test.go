package wire

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// armed returns a barrier for two of which one has arrived, and the one missing.
// Time is the test's own: nothing watches the barrier.
func armed() (*Barrier, *arming, *party) {
	b := NewBarrier()
	here, missing := &party{}, &party{}
	b.join(here)
	b.join(missing)
	b.Arm(2, "accounts")
	a := b.armed.Load()
	a.arrived[here] = struct{}{}
	a.first = a.at
	return b, a, missing
}

func TestBarrierPatience(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, c := range []struct {
		name  string
		setup func(b *Barrier, p *party, at time.Time)
		after time.Duration
		want  Outcome
		over  bool
	}{
		{"nobody asks", func(*Barrier, *party, time.Time) {}, ms(299), Outcome{Arrived: 1}, false},
		{"nobody asks for long", func(*Barrier, *party, time.Time) {}, ms(300), Outcome{Arrived: 1, TimedOut: true}, true},
		{"a lock, not yet", func(b *Barrier, p *party, at time.Time) { b.asked(p, true, at) }, ms(19), Outcome{Arrived: 1}, false},
		{"a lock", func(b *Barrier, p *party, at time.Time) { b.asked(p, true, at) }, ms(20), Outcome{Arrived: 1, Early: true}, true},
		{"a slow select", func(b *Barrier, p *party, at time.Time) { b.asked(p, false, at) }, ms(100), Outcome{Arrived: 1}, false},
		{"answered", func(b *Barrier, p *party, at time.Time) {
			b.asked(p, true, at)
			b.answered(p, false, at.Add(ms(1)))
		}, ms(100), Outcome{Arrived: 1}, false},
		{"answered, more to come", func(b *Barrier, p *party, at time.Time) {
			b.asked(p, true, at)
			b.answered(p, true, at.Add(ms(1)))
		}, ms(20), Outcome{Arrived: 1}, false},
		{"asked before it was armed", func(b *Barrier, p *party, at time.Time) { b.asked(p, true, at.Add(-1)) }, ms(100), Outcome{Arrived: 1}, false},
		{"a lock on a slow machine", func(b *Barrier, p *party, at time.Time) {
			b.asked(p, true, at)
			b.answered(p, false, at.Add(ms(10)))
			b.asked(p, true, at.Add(ms(10)))
		}, ms(59), Outcome{Arrived: 1}, false},
		{"a lock for longer on a slow machine", func(b *Barrier, p *party, at time.Time) {
			b.asked(p, true, at)
			b.answered(p, false, at.Add(ms(10)))
			b.asked(p, true, at.Add(ms(10)))
		}, ms(61), Outcome{Arrived: 1, Early: true}, true},
	} {
		b, a, missing := armed()
		c.setup(b, missing, a.at)
		if over := b.check(a, a.at.Add(c.after)); over != c.over || b.Outcome() != c.want {
			t.Errorf("%s: over %v, %+v", c.name, over, b.Outcome())
		}
	}
}

// TestBarrierWaitsForANewSession: opening one can take longer than the barrier
// would wait for a party that does nothing.
func TestBarrierWaitsForANewSession(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	begin := func() (*Barrier, *arming, *party) {
		b, a, _ := armed()
		p := &party{}
		b.join(p)
		p.joined = clock(a.at)
		return b, a, p
	}
	b, a, p := begin()
	if b.check(a, a.at.Add(ms(2900))) {
		t.Errorf("let go while a session is being opened: %+v", b.Outcome())
	}
	b.answered(p, false, a.at.Add(ms(2000)))
	if b.check(a, a.at.Add(ms(2299))) {
		t.Errorf("let go before the session could ask: %+v", b.Outcome())
	}
	if !b.check(a, a.at.Add(ms(2300))) || !b.Outcome().TimedOut {
		t.Errorf("held for a session that does nothing: %+v", b.Outcome())
	}
	if b, a, _ := begin(); !b.check(a, a.at.Add(ms(3000))) || !b.Outcome().TimedOut {
		t.Errorf("held for a session that never opens: %+v", b.Outcome())
	}
	b, a, p = begin()
	p.joined = clock(a.at) - 1
	if !b.check(a, a.at.Add(ms(300))) {
		t.Error("held for a session that was there before")
	}
}

// TestBarrierWaitsForEveryMissingParty: one of three is at a lock, the third is
// still on its way.
func TestBarrierWaitsForEveryMissingParty(t *testing.T) {
	b, a, missing := armed()
	a.count = 3
	b.asked(missing, true, a.at)
	if b.check(a, a.at.Add(100*time.Millisecond)) {
		t.Errorf("let go although a party had not come: %+v", b.Outcome())
	}
	third := &party{}
	b.join(third)
	b.asked(third, true, a.at)
	if !b.check(a, a.at.Add(100*time.Millisecond)) || !b.Outcome().Early {
		t.Errorf("held although both wait: %+v", b.Outcome())
	}
}

func TestBarrierFreesWhoLeaves(t *testing.T) {
	b := NewBarrier()
	b.Arm(2, "accounts")
	left := make(chan struct{})
	close(left)
	if !b.hold(&party{}, left) {
		t.Error("it was not held at all")
	}
	if o := b.Outcome(); o.Arrived != 0 {
		t.Errorf("who has left still counts: %+v", o)
	}
	b.Disarm()
}

func TestBarrierFreesWhenArmedAnew(t *testing.T) {
	for name, end := range map[string]func(*Barrier){
		"armed anew": func(b *Barrier) { b.Arm(2, "accounts") },
		"disarmed":   func(b *Barrier) { b.Disarm() },
	} {
		b := NewBarrier()
		b.Arm(2, "accounts")
		held := make(chan bool)
		go func() { held <- b.hold(&party{}, nil) }()
		for b.Outcome().Arrived == 0 {
			time.Sleep(time.Millisecond)
		}
		end(b)
		if !<-held {
			t.Errorf("%s: it was not held", name)
		}
		b.Disarm()
	}
}

func TestBarrierOfNone(t *testing.T) {
	b := NewBarrier()
	b.Arm(0, "accounts")
	if b.hold(&party{}, nil) || b.Disarm() != (Outcome{}) {
		t.Error("a barrier for nobody holds somebody")
	}
	b.Arm(1, "accounts")
	if !b.hold(&party{}, nil) || b.Outcome() != (Outcome{Met: true, Arrived: 1}) {
		t.Errorf("alone it ends with %+v", b.Outcome())
	}
}

// TestWhatCountsAsRead goes through what makes an answer one to hold.
func TestWhatCountsAsRead(t *testing.T) {
	row := &pgproto3.DataRow{Values: [][]byte{[]byte("100")}}
	for name, c := range map[string]struct {
		sql    string
		answer []pgproto3.BackendMessage
		read   bool
	}{
		"a select":                  {"select * from accounts", []pgproto3.BackendMessage{row, tag("SELECT 1"), ready}, true},
		"no rows":                   {"select * from accounts", []pgproto3.BackendMessage{tag("SELECT 0"), ready}, true},
		"not ready yet":             {"select * from accounts", []pgproto3.BackendMessage{row, tag("SELECT 1")}, false},
		"an error":                  {"select * from accounts", []pgproto3.BackendMessage{row, &pgproto3.ErrorResponse{}, ready}, false},
		"another table":             {"select * from orders", []pgproto3.BackendMessage{row, tag("SELECT 1"), ready}, false},
		"begin with it":             {"begin; select * from accounts", []pgproto3.BackendMessage{tag("BEGIN"), tag("SELECT 1"), ready}, true},
		"a select after it":         {"select * from accounts; select 1", []pgproto3.BackendMessage{tag("SELECT 1"), tag("SELECT 1"), ready}, true},
		"a write in one go with it": {"select * from accounts; update accounts set x=1", []pgproto3.BackendMessage{tag("SELECT 1"), tag("UPDATE 1"), ready}, false},
		"an update":                 {"update accounts set x=1", []pgproto3.BackendMessage{tag("UPDATE 1"), ready}, false},
	} {
		conv := fuzzConversation()
		conv.barrier.Arm(2, "accounts")
		conv.program(&pgproto3.Query{String: c.sql})
		conv.server(c.answer...)
		if conv.last.read != c.read {
			t.Errorf("%s counts as read: %v", name, conv.last.read)
		}
		conv.barrier.Disarm()
	}
}

// TestPreparingIsNoRead: pgx asks for the types first, and runs the statement in
// a request of its own.
func TestPreparingIsNoRead(t *testing.T) {
	c := fuzzConversation()
	c.barrier.Arm(2, "accounts")
	c.program(&pgproto3.Parse{Name: "s", Query: "select * from accounts"}, &pgproto3.Describe{ObjectType: 'S', Name: "s"}, &pgproto3.Sync{})
	c.server(&pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{}, &pgproto3.RowDescription{}, ready)
	if c.last.read {
		t.Error("preparing counts as reading")
	}
	c.program(&pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Execute{}, &pgproto3.Sync{})
	c.server(&pgproto3.BindComplete{}, tag("SELECT 0"), ready)
	if !c.last.read {
		t.Error("running does not count as reading")
	}
	c.program(&pgproto3.Query{String: "commit"})
	c.server(tag("COMMIT"), ready)
	if c.last.read {
		t.Error("a commit counts as reading")
	}
}
