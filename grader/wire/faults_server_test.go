package wire_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cairn-learn/cairn/grader/wire"
)

func answers(conn *pgx.Conn) error {
	return conn.QueryRow(context.Background(), "select 1").Scan(new(int))
}

func (r *rig) bitten(want wire.FaultCounts) {
	r.t.Helper()
	if got := r.proxy.Bites(); got != want {
		r.t.Errorf("faults bit %+v, want %+v", got, want)
	}
}

// until polls: counts of faults have no event to wait for. A test that waits for
// ever is ended by the test binary's own deadline.
func until(ok func() bool) {
	for !ok() {
		time.Sleep(time.Millisecond)
	}
}

// waits reports whether the server runs a statement of this database that waits
// for an event of this kind.
func (r *rig) waits(look *pgx.Conn, event string) bool {
	r.t.Helper()
	var n int
	must(r.t, look.QueryRow(context.Background(), `select count(*) from pg_stat_activity
		where datname = current_database() and state = 'active' and wait_event_type = $1`, event).Scan(&n))
	return n > 0
}

func verbIs(verb string) func(wire.Statement) bool {
	return func(s wire.Statement) bool { return s.Verb() == verb }
}

func TestDelay(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	must(t, answers(conn)) // prepared from here on: one request each
	const delay = 30 * time.Millisecond
	r.proxy.Delay(delay)
	mark := r.log.Mark()
	start := time.Now()
	must(t, answers(conn))
	if took := time.Since(start); took < delay {
		t.Errorf("a delayed request took %v", took)
	}
	if s := r.log.Since(mark)[0]; s.Duration < delay {
		t.Errorf("the log says it took %v", s.Duration)
	}
	r.bitten(wire.FaultCounts{Delayed: 1})
	r.proxy.Delay(0)
	must(t, answers(conn))
	r.bitten(wire.FaultCounts{Delayed: 1})
}

// TestDelayCountsRequests sends one request in many pieces, and two statements
// in one request.
func TestDelayCountsRequests(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	r.proxy.Delay(time.Millisecond)
	large := strings.Repeat("x", 1<<20)
	_, err := conn.Exec(context.Background(), "select length($1)", pgx.QueryExecModeExec, large)
	must(t, err)
	r.bitten(wire.FaultCounts{Delayed: 1})
	_, err = conn.Exec(context.Background(), "select 1; select 2", pgx.QueryExecModeSimpleProtocol)
	must(t, err)
	r.bitten(wire.FaultCounts{Delayed: 2})
}

// TestHealFreesWhoIsHeld: a long delay ends for requests already in it.
func TestHealFreesWhoIsHeld(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	must(t, answers(conn))
	r.proxy.Delay(time.Hour)
	answered := make(chan error, 1)
	go func() { answered <- answers(conn) }()
	until(func() bool { return r.proxy.Bites().Delayed > 0 })
	r.proxy.Heal()
	must(t, <-answered)
	r.bitten(wire.FaultCounts{Delayed: 1})
}

func TestDelayHoldsNewConnections(t *testing.T) {
	r := newRig(t)
	r.proxy.Delay(time.Millisecond)
	r.connect()
	r.bitten(wire.FaultCounts{Delayed: 1})
}

func TestCut(t *testing.T) {
	r := newRig(t)
	one, two := r.connect(), r.connect()
	if n := r.proxy.Sessions(); n != 2 {
		t.Errorf("%d sessions", n)
	}
	r.proxy.Cut()
	for _, conn := range []*pgx.Conn{one, two} {
		if err := answers(conn); err == nil {
			t.Error("a session that was cut answers")
		}
	}
	must(t, answers(r.connect()))
	r.bitten(wire.FaultCounts{Cut: 2})
}

// TestCutIsAReset: the program must not see an orderly end.
func TestCutIsAReset(t *testing.T) {
	r := newRig(t)
	conn := r.connect().PgConn().Conn()
	r.proxy.Cut()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reading gives %v", err)
	}
}

func TestRefuse(t *testing.T) {
	r := newRig(t)
	old := r.connect()
	r.proxy.Refuse(true)
	if _, err := pgx.Connect(context.Background(), r.url()); err == nil {
		t.Fatal("a new connection was accepted")
	}
	must(t, answers(old))
	if r.proxy.Bites().Refused < 1 {
		t.Errorf("nothing was refused: %+v", r.proxy.Bites())
	}
	r.proxy.Heal()
	must(t, answers(r.connect()))
}

func TestBlackHole(t *testing.T) {
	r := newRig(t)
	busy, idle := r.connect(), r.connect()
	_, err := busy.Exec(context.Background(), "create temp table t (id int)")
	must(t, err)
	r.proxy.BlackHole(true)

	answered := make(chan error, 1)
	go func() {
		_, err := busy.PgConn().Exec(context.Background(), "select 'swallowed'").ReadAll()
		answered <- err
	}()
	s, err := r.log.Wait(context.Background(), 0, func(s wire.Statement) bool { return strings.Contains(s.SQL, "swallowed") })
	must(t, err)
	if !s.Pending {
		t.Errorf("it was answered: %+v", s)
	}
	// A new connection is accepted and hears nothing.
	fresh, err := net.Dial("tcp", r.proxy.Addr())
	must(t, err)
	defer fresh.Close()
	_, err = fresh.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}) // SSLRequest
	must(t, err)
	until(func() bool { return r.proxy.Bites().Swallowed >= 2 })
	select {
	case err := <-answered:
		t.Fatalf("an answer came out of the black hole: %v", err)
	default:
	}

	r.proxy.BlackHole(false)
	if err := <-answered; err == nil {
		t.Error("a request that was swallowed got an answer")
	}
	if _, err := fresh.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection that lost its beginning reads %v", err)
	}
	must(t, answers(idle))
	must(t, answers(r.connect()))
}

// TestBlackHoleTakesAnswers: what the server sends is lost as well, and a
// request that went in before has run all the same.
func TestBlackHoleTakesAnswers(t *testing.T) {
	r := newRig(t)
	conn, lock := r.connect(), connect(t, r.db.ProgramURL(r.db.addr))
	ctx := context.Background()
	_, err := lock.Exec(ctx, "select pg_advisory_lock(4711)")
	must(t, err)
	answered := make(chan error, 1)
	go func() {
		_, err := conn.PgConn().Exec(ctx, "select pg_advisory_lock(4711)").ReadAll()
		answered <- err
	}()
	until(func() bool { return r.waits(lock, "Lock") })
	r.proxy.BlackHole(true)
	_, err = lock.Exec(ctx, "select pg_advisory_unlock(4711)")
	must(t, err)
	until(func() bool { return r.proxy.Bites().Swallowed > 0 })
	if s := r.log.Statements()[0]; s.Tag != "SELECT 1" {
		t.Errorf("what was swallowed is no answer: %+v", s)
	}
	r.proxy.Heal()
	if err := <-answered; err == nil {
		t.Error("the answer was not swallowed")
	}
}

func TestSlow(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	must(t, answers(conn))
	r.proxy.Slow(20_000)
	start := time.Now()
	var s string
	must(t, conn.QueryRow(context.Background(), "select repeat('x', 4000)", pgx.QueryExecModeSimpleProtocol).Scan(&s))
	if took := time.Since(start); took < 190*time.Millisecond || len(s) != 4000 {
		t.Errorf("%d bytes at 20 kB/s took %v", len(s), took)
	}
	r.bitten(wire.FaultCounts{Slowed: 1})
	r.proxy.Heal()
	must(t, answers(conn))
	r.bitten(wire.FaultCounts{Slowed: 1})
}

// TestSlowEndsWithTheSession: an answer that would take an hour holds up nobody.
func TestSlowEndsWithTheSession(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	must(t, answers(conn))
	r.proxy.Slow(1)
	failed := make(chan error, 1)
	go func() { failed <- answers(conn) }()
	until(func() bool { return r.proxy.Bites().Slowed > 0 })
	r.proxy.Cut()
	if err := <-failed; err == nil {
		t.Error("an answer of a byte a second came at once")
	}
}

func TestCutAfter(t *testing.T) {
	for name, c := range map[string]struct {
		when      wire.CutPoint
		committed bool
		heard     bool
	}{
		"before it is sent":    {wire.CutBeforeSend, false, false},
		"before it is heard":   {wire.CutBeforeAnswer, true, false},
		"after it was heard":   {wire.CutAfterAnswer, true, true},
		"extended, not heard":  {wire.CutBeforeAnswer, true, false},
		"extended, was heard":  {wire.CutAfterAnswer, true, true},
		"extended, never sent": {wire.CutBeforeSend, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			conn, look := r.connect(), connect(t, r.db.ProgramURL(r.db.addr))
			ctx := context.Background()
			_, err := look.Exec(ctx, "drop table if exists cut_after; create table cut_after (id int)")
			must(t, err)
			defer func() { _, _ = look.Exec(ctx, "drop table cut_after") }()
			if strings.HasPrefix(name, "extended") {
				// One statement that commits by itself, with the Sync.
				r.proxy.CutAfter(verbIs("INSERT"), c.when)
				_, err = conn.Exec(ctx, "insert into cut_after values ($1)", 1)
			} else {
				r.proxy.CutAfter(verbIs("COMMIT"), c.when)
				var tx pgx.Tx
				tx, err = conn.Begin(ctx)
				must(t, err)
				_, err = tx.Exec(ctx, "insert into cut_after values ($1)", 1)
				must(t, err)
				err = tx.Commit(ctx)
			}
			if heard := err == nil; heard != c.heard {
				t.Errorf("the program heard %v", err)
			}
			if err := answers(conn); err == nil {
				t.Error("the session is still there")
			}
			var n int
			must(t, look.QueryRow(ctx, "select count(*) from cut_after").Scan(&n))
			if committed := n == 1; committed != c.committed {
				t.Errorf("%d rows are committed", n)
			}
			r.bitten(wire.FaultCounts{CutAfter: 1})
			must(t, answers(r.connect()))
		})
	}
}

func TestCutAfterIsOneShot(t *testing.T) {
	r := newRig(t)
	one, two := r.connect(), r.connect()
	r.proxy.CutAfter(verbIs("SELECT"), wire.CutBeforeAnswer)
	if err := answers(one); err == nil {
		t.Error("the first select was answered")
	}
	must(t, answers(two))
	r.proxy.CutAfter(verbIs("SELECT"), wire.CutBeforeAnswer)
	r.proxy.Heal()
	must(t, answers(two))
	r.bitten(wire.FaultCounts{CutAfter: 1})
}

func TestServerNotReachable(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := nobody.Addr().String()
	must(t, nobody.Close())
	log := wire.NewLog()
	proxy, err := wire.ListenPostgres(wire.Config{Upstream: addr, Log: log})
	must(t, err)
	defer proxy.Close()
	if _, err := pgx.Connect(context.Background(), "postgres://a:b@"+proxy.Addr()+"/c"); err == nil {
		t.Fatal("connected to nothing")
	}
	if notes := log.Notes(); len(notes) == 0 || !strings.Contains(notes[0].Text, "did not reach the server") {
		t.Errorf("noted %v", notes)
	}
}

func TestNotPostgres(t *testing.T) {
	log := wire.NewLog()
	proxy, err := wire.ListenPostgres(wire.Config{Upstream: "127.0.0.1:1", Log: log})
	must(t, err)
	defer proxy.Close()
	conn, err := net.Dial("tcp", proxy.Addr())
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	must(t, err)
	_, _ = io.Copy(io.Discard, conn)
	if notes := log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, `"GET / HT"`) {
		t.Errorf("noted %v", notes)
	}
}

func TestCloseEndsSessions(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	r.proxy.Delay(time.Hour)
	failed := make(chan error, 1)
	go func() { failed <- answers(conn) }()
	until(func() bool { return r.proxy.Bites().Delayed > 0 })
	must(t, r.proxy.Close())
	if err := <-failed; err == nil {
		t.Error("a request was answered after the end")
	}
	if n := r.proxy.Sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	if _, err := net.Dial("tcp", r.proxy.Addr()); err == nil {
		t.Error("it still listens")
	}
}

// TestFaultsUnderLoad turns faults on and off under eight busy programs. Whatever
// happened, all work again once they are healed, and nothing is left at the end.
func TestFaultsUnderLoad(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	start := runtime.NumGoroutine()
	proxy := r.listen("busy", wire.NewBarrier())
	url := r.db.ProgramURL(proxy.Addr())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
				if conn, err := pgx.Connect(short, url); err == nil {
					for range 20 {
						if conn.QueryRow(short, "select 1").Scan(new(int)) != nil {
							break
						}
					}
					_ = conn.Close(short)
				}
				cancel()
			}
		})
	}
	for range 5 {
		proxy.Delay(5 * time.Millisecond)
		until(func() bool { return proxy.Bites().Delayed > 0 })
		proxy.CutAfter(verbIs("SELECT"), wire.CutBeforeAnswer)
		proxy.Slow(100_000)
		before := proxy.Bites()
		proxy.BlackHole(true)
		until(func() bool { return proxy.Bites().Swallowed > before.Swallowed })
		proxy.Refuse(true)
		proxy.Cut()
		until(func() bool { return proxy.Bites().Refused > before.Refused })
		proxy.Heal()
	}
	close(stop)
	wg.Wait()
	must(t, answers(connect(t, url)))
	must(t, proxy.Close())
	for _, s := range r.log.Statements() {
		if s.Pending {
			t.Errorf("still pending after the end: %+v", s)
		}
	}
	// pgx's own goroutines that ask for cancels end a little later.
	until(func() bool { return runtime.NumGoroutine() <= start+2 })
}

// TestAtRest looks for a row with the answer to each request still held back: it is
// there with that to COMMIT, and with no earlier one.
func TestAtRest(t *testing.T) {
	r := newRig(t)
	conn, look := r.connect(), connect(t, r.db.ProgramURL(r.db.addr))
	ctx := context.Background()
	_, err := look.Exec(ctx, "drop table if exists at_rest; create table at_rest (id int)")
	must(t, err)
	defer func() { _, _ = look.Exec(ctx, "drop table at_rest") }()
	rows := func() (n int) {
		must(t, look.QueryRow(ctx, "select count(*) from at_rest").Scan(&n))
		return n
	}
	held, release := make(chan struct{}), make(chan struct{})
	r.proxy.AtRest(func(ended <-chan struct{}) {
		held <- struct{}{}
		select {
		case <-release:
		case <-ended:
		}
	})
	answered := make(chan error, 1)
	go func() {
		err := conn.QueryRow(ctx, "select 1", pgx.QueryExecModeSimpleProtocol).Scan(new(int))
		if err == nil {
			err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "insert into at_rest values (1)", pgx.QueryExecModeSimpleProtocol)
				return err
			})
		}
		answered <- err
	}()
	<-held
	if n := rows(); n != 0 {
		t.Errorf("%d rows with the answer to a select", n)
	}
	release <- struct{}{}
	<-held
	if n := rows(); n != 1 {
		t.Errorf("%d rows with the answer to the commit", n)
	}
	select {
	case err := <-answered:
		t.Errorf("the program has heard of its commit: %v", err)
	default:
	}
	// The program goes away meanwhile.
	r.proxy.Cut()
	if err := <-answered; err == nil {
		t.Error("a commit whose answer was lost is told as a success")
	}
	r.proxy.Heal()
	must(t, answers(r.connect()))
}
