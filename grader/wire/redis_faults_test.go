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

	"github.com/cairn-learn/cairn/grader/wire"
)

func nameIs(name string) func(wire.Command) bool {
	return func(c wire.Command) bool { return c.Name == name }
}

func TestRedisDelay(t *testing.T) {
	r := newRedisRig(t)
	conn := dialRedis(t, r.proxy.Addr())
	conn.must("ping")
	const delay = 30 * time.Millisecond
	r.proxy.Delay(delay)
	mark := r.log.Mark()
	start := time.Now()
	conn.must("ping")
	if took := time.Since(start); took < delay {
		t.Errorf("a delayed command took %v", took)
	}
	if c := r.log.CommandsSince(mark)[0]; c.Duration < delay {
		t.Errorf("the log says it took %v", c.Duration)
	}
	r.bitten(wire.FaultCounts{Delayed: 1})
	// One command in many pieces is held once.
	conn.must("set", "a", strings.Repeat("x", 1<<20))
	r.bitten(wire.FaultCounts{Delayed: 2})
	// Who is held by a long delay goes free with it.
	r.proxy.Delay(time.Hour)
	must(t, conn.send("ping"))
	until(func() bool { return r.proxy.Bites().Delayed > 2 })
	r.proxy.Heal()
	_, err := conn.read()
	must(t, err)
	r.bitten(wire.FaultCounts{Delayed: 3})
}

func TestRedisCut(t *testing.T) {
	r := newRedisRig(t)
	conn, idle := dialRedis(t, r.proxy.Addr()), dialRedis(t, r.proxy.Addr())
	conn.must("ping")
	idle.must("ping")
	must(t, conn.send("blpop", "l", "0"))
	_, err := r.log.WaitCommand(context.Background(), 0, nameIs("BLPOP"))
	must(t, err)
	if n := r.proxy.Sessions(); n != 2 {
		t.Errorf("%d sessions", n)
	}
	r.proxy.Cut()
	for _, c := range []*redisConn{conn, idle} { // a reset, no orderly end
		if _, err := c.read(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("reading gives %v", err)
		}
	}
	r.bitten(wire.FaultCounts{Cut: 2})
	lost, err := r.log.WaitCommand(context.Background(), 0, func(c wire.Command) bool { return c.Lost })
	must(t, err)
	if lost.Name != "BLPOP" || lost.Pending || lost.Duration <= 0 {
		t.Errorf("lost is %+v", lost)
	}
	dialRedis(t, r.proxy.Addr()).must("ping")
}

func TestRedisRefuse(t *testing.T) {
	r := newRedisRig(t)
	old := dialRedis(t, r.proxy.Addr())
	old.must("ping")
	r.proxy.Refuse(true)
	if conn, err := net.Dial("tcp", r.proxy.Addr()); err == nil {
		_, err = conn.Read(make([]byte, 1))
		_ = conn.Close()
		if err == nil {
			t.Error("a new connection was accepted")
		}
	}
	until(func() bool { return r.proxy.Bites().Refused == 1 })
	old.must("ping")
	r.proxy.Heal()
	dialRedis(t, r.proxy.Addr()).must("ping")
}

func TestRedisBlackHole(t *testing.T) {
	r := newRedisRig(t)
	busy, idle, waiting := dialRedis(t, r.proxy.Addr()), dialRedis(t, r.proxy.Addr()), dialRedis(t, r.proxy.Addr())
	direct := dialRedis(t, r.addr)
	busy.must("ping")
	idle.must("ping")
	must(t, waiting.send("blpop", "l", "0"))
	_, err := r.log.WaitCommand(context.Background(), 0, nameIs("BLPOP"))
	must(t, err)
	until(func() bool { return strings.Contains(direct.must("info", "clients"), "blocked_clients:1") })

	r.proxy.BlackHole(true)
	must(t, busy.send("set", "a", "1"))
	until(func() bool { return r.proxy.Bites().Swallowed == 1 })
	direct.must("lpush", "l", "x") // the answer to BLPOP is lost as well
	until(func() bool { return r.proxy.Bites().Swallowed == 2 })
	fresh := dialRedis(t, r.proxy.Addr())
	must(t, fresh.send("ping"))
	until(func() bool { return r.proxy.Bites().Swallowed == 3 })
	r.proxy.BlackHole(false)
	for _, c := range []*redisConn{busy, waiting, fresh} {
		if answer, err := c.read(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a connection that lost something reads %q, %v", answer, err)
		}
	}
	if answer := direct.must("get", "a"); answer != "nil" {
		t.Errorf("a command that was swallowed has run: %q", answer)
	}
	idle.must("ping")
}

func TestRedisSlow(t *testing.T) {
	r := newRedisRig(t)
	conn := dialRedis(t, r.proxy.Addr())
	conn.must("set", "a", strings.Repeat("x", 4000))
	r.proxy.Slow(20_000)
	start := time.Now()
	text := conn.must("get", "a")
	if took := time.Since(start); took < 190*time.Millisecond || len(text) != 4000 {
		t.Errorf("%d bytes at 20 kB/s took %v", len(text), took)
	}
	r.bitten(wire.FaultCounts{Slowed: 1})
	// An answer that would take an hour holds up nobody.
	r.proxy.Slow(1)
	must(t, conn.send("get", "a"))
	until(func() bool { return r.proxy.Bites().Slowed > 1 })
	r.proxy.Cut()
	if _, err := conn.read(); err == nil {
		t.Error("an answer of a byte a second came at once")
	}
}

func TestRedisCutAfter(t *testing.T) {
	for _, tx := range []bool{false, true} {
		for name, c := range map[string]struct {
			when       wire.CutPoint
			ran, heard bool
		}{
			"before it is sent":   {wire.CutBeforeSend, false, false},
			"before it is heard":  {wire.CutBeforeAnswer, true, false},
			"after it was heard":  {wire.CutAfterAnswer, true, true},
			"cleared and not cut": {0, true, true},
		} {
			t.Run(name, func(t *testing.T) {
				r := newRedisRig(t)
				conn, look := dialRedis(t, r.proxy.Addr()), dialRedis(t, r.addr)
				last := "INCR"
				if tx {
					last = "EXEC"
					conn.must("multi")
					conn.must("incr", "a")
				}
				r.proxy.CutAfter(nameIs(last), c.when)
				if c.when == 0 {
					r.proxy.CutAfter(nil, 0)
				}
				words := []string{"incr", "a"}
				if tx {
					words = []string{"exec"}
				}
				if answer, err := conn.do(words...); (err == nil) != c.heard {
					t.Errorf("the program heard %q, %v", answer, err)
				}
				_, err := conn.do("ping")
				if cut := err != nil; cut != (c.when != 0) {
					t.Errorf("the session goes on with %v", err)
				}
				if answer := look.must("get", "a"); (answer == "1") != c.ran {
					t.Errorf("the server has %q", answer)
				}
				if bites := r.proxy.Bites().CutAfter; (bites == 1) != (c.when != 0) {
					t.Errorf("it bit %d times", bites)
				}
				dialRedis(t, r.proxy.Addr()).must("incr", "b") // one-shot
			})
		}
	}
}

func TestRedisNotReachable(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := nobody.Addr().String()
	must(t, nobody.Close())
	log := wire.NewLog()
	proxy, err := wire.ListenRedis(wire.Config{Upstream: addr, Log: log})
	must(t, err)
	defer proxy.Close()
	if _, err := dialRedis(t, proxy.Addr()).do("ping"); err == nil {
		t.Fatal("connected to nothing")
	}
	if notes := log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "did not reach the server") {
		t.Errorf("noted %v", notes)
	}
}

func TestRedisCloseEndsSessions(t *testing.T) {
	r := newRedisRig(t)
	conn := dialRedis(t, r.proxy.Addr())
	r.proxy.Delay(time.Hour)
	must(t, conn.send("ping"))
	until(func() bool { return r.proxy.Bites().Delayed > 0 })
	must(t, r.proxy.Close())
	if _, err := conn.read(); err == nil {
		t.Error("a command was answered after the end")
	}
	if n := r.proxy.Sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	if _, err := net.Dial("tcp", r.proxy.Addr()); err == nil {
		t.Error("it still listens")
	}
}

// TestRedisFaultsUnderLoad turns faults on and off under eight busy programs.
// Whatever happened, all work again once they are healed, and nothing is left at
// the end.
func TestRedisFaultsUnderLoad(t *testing.T) {
	r := newRedisRig(t)
	start := runtime.NumGoroutine()
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
				busy(r.proxy.Addr())
			}
		})
	}
	for range 5 {
		r.proxy.Delay(5 * time.Millisecond)
		until(func() bool { return r.proxy.Bites().Delayed > 0 })
		r.proxy.CutAfter(nameIs("GET"), wire.CutBeforeAnswer)
		r.proxy.Slow(100_000)
		before := r.proxy.Bites()
		r.proxy.BlackHole(true)
		until(func() bool { return r.proxy.Bites().Swallowed > before.Swallowed })
		r.proxy.Refuse(true)
		r.proxy.Cut()
		until(func() bool { return r.proxy.Bites().Refused > before.Refused })
		r.proxy.Heal()
	}
	close(stop)
	wg.Wait()
	dialRedis(t, r.proxy.Addr()).must("ping")
	must(t, r.proxy.Close())
	for _, c := range r.log.Commands() {
		if c.Pending {
			t.Errorf("still pending after the end: %+v", c)
		}
	}
	until(func() bool { return runtime.NumGoroutine() <= start+1 })
}

// busy sends some commands, single and in pipelines, as far as it gets.
func busy(addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(50 * time.Millisecond))
	for range 20 {
		if _, err := io.WriteString(conn, command("incr", "n")+command("get", "n")); err != nil {
			return
		}
		if _, err := conn.Read(make([]byte, 64)); err != nil {
			return
		}
	}
}
