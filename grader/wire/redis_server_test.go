package wire_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/redistest"
	"github.com/cairn-learn/cairn/grader/wire"
)

// redisRig is a proxy in front of a Redis server of its own.
type redisRig struct {
	t     *testing.T
	addr  string
	log   *wire.Log
	proxy *wire.Redis
}

func newRedisRig(t *testing.T) *redisRig {
	t.Helper()
	r := &redisRig{t: t, addr: redistest.Start(t), log: wire.NewLog()}
	proxy, err := wire.ListenRedis(wire.Config{Upstream: r.addr, Name: "instance 1", Log: r.log})
	must(t, err)
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	r.proxy = proxy
	return r
}

// want waits until every command since the mark is answered, and compares.
func (r *redisRig) want(mark wire.Mark, want ...string) {
	r.t.Helper()
	if got := r.seen(mark); !slices.Equal(got, want) {
		r.t.Errorf("the log shows\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for _, n := range r.log.Notes() {
		r.t.Errorf("noted %q", n.Text)
	}
}

func (r *redisRig) seen(mark wire.Mark) []string {
	var lines []string
	for _, c := range r.log.CommandsSince(mark) {
		line := strings.Join(append([]string{c.Name}, c.Args...), " ") + " → " + c.Reply
		if c.Err != "" {
			line += "ERROR " + c.Err
		}
		switch {
		case c.Pending:
			line += " pending"
		case c.Lost:
			line += " lost"
		case c.Skipped:
			line += " skipped"
		}
		lines = append(lines, line)
	}
	return lines
}

func (r *redisRig) bitten(want wire.FaultCounts) {
	r.t.Helper()
	if got := r.proxy.Bites(); got != want {
		r.t.Errorf("faults bit %+v, want %+v", got, want)
	}
}

// redisConn is a client that knows no more of RESP than the tests need.
type redisConn struct {
	tb testing.TB
	net.Conn
	in *bufio.Reader
}

func dialRedis(tb testing.TB, addr string) *redisConn {
	tb.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return &redisConn{tb: tb, Conn: conn, in: bufio.NewReader(conn)}
}

func command(words ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b.String()
}

func (c *redisConn) send(words ...string) error {
	_, err := io.WriteString(c.Conn, command(words...))
	return err
}

// do sends a command and returns its answer: as it came, in one line where it
// holds others.
func (c *redisConn) do(words ...string) (string, error) {
	if err := c.send(words...); err != nil {
		return "", err
	}
	return c.read()
}

func (c *redisConn) must(words ...string) string {
	c.tb.Helper()
	answer, err := c.do(words...)
	if err != nil {
		c.tb.Fatalf("%v: %v", words, err)
	}
	return answer
}

func (c *redisConn) read() (string, error) {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '$', '=':
		if n < 0 {
			return "nil", nil
		}
		text := make([]byte, n+2)
		_, err := io.ReadFull(c.in, text)
		return string(text[:n]), err
	case '%':
		n *= 2
		fallthrough
	case '*', '~', '>':
		elements := make([]string, max(n, 0))
		for i := range elements {
			if elements[i], err = c.read(); err != nil {
				return "", err
			}
		}
		return line[:1] + strings.Join(elements, " "), nil
	case '+', ':':
		return line[1:], nil
	}
	return line, nil
}

func TestRedisCommands(t *testing.T) {
	r := newRedisRig(t)
	conn := dialRedis(t, r.proxy.Addr())
	before := time.Now()
	conn.must("set", "a", "1")
	conn.must("INCR", "a")
	conn.must("get", "a")
	conn.must("get", "nothing")
	conn.must("lpush", "a", "x")
	conn.must("rpush", "l", "x", "y")
	conn.must("lrange", "l", "0", "-1")
	conn.must("nonsense")
	r.want(0, "SET a 1 → OK", "INCR a → 2", `GET a → "2"`, "GET nothing → nil",
		"LPUSH a x → ERROR WRONGTYPE Operation against a key holding the wrong kind of value",
		"RPUSH l x y → 2", `LRANGE l 0 -1 → ["x", "y"]`,
		"NONSENSE → ERROR ERR unknown command 'nonsense', with args beginning with: ")
	c := r.log.Commands()[0]
	if c.Start.Before(before) || c.Duration <= 0 || c.End().After(time.Now()) || c.Listener != "instance 1" || c.Session != 1 || c.Seq != 1 {
		t.Errorf("the first command is %+v", c)
	}
}

// TestRedisPipeline sends commands of all kinds at once, a long string among them.
func TestRedisPipeline(t *testing.T) {
	r := newRedisRig(t)
	conn := dialRedis(t, r.proxy.Addr())
	long := strings.Repeat("x", 3<<20)
	go func() {
		_, _ = io.WriteString(conn.Conn, command("hello", "3")+command("set", "long", long)+"PING\r\n"+
			command("multi")+command("incr", "n")+command("strlen", "long")+command("exec")+command("get", "long")+
			command("hset", "h", "f", "v")+command("hgetall", "h")+command("eval", "return {1,{2,'x'}}", "0"))
	}()
	for i := range 11 {
		answer, err := conn.read()
		must(t, err)
		if i == 7 && answer != long {
			t.Errorf("%d bytes came back", len(answer))
		}
	}
	seen := r.seen(0)
	if !strings.Contains(seen[0], "HELLO 3 → {\"server\": \"redis\"") {
		t.Errorf("HELLO is shown as %q", seen[0])
	}
	if want := "SET long " + long[:512] + "… → OK"; seen[1] != want {
		t.Errorf("a long argument is shown as %.600q", seen[1])
	}
	if want := `GET long → "` + long[:200] + `"…`; seen[7] != want {
		t.Errorf("a long answer is shown as %q", seen[7])
	}
	rest := append(seen[2:7:7], seen[8:]...)
	want := []string{"PING → PONG", "MULTI → OK", "INCR n → 1", "STRLEN long → 3145728", "EXEC → [1, 3145728]",
		"HSET h f v → 1", `HGETALL h → {"f": "v"}`, `EVAL return {1,{2,'x'}} 0 → [1, [2, "x"]]`}
	if !slices.Equal(rest, want) {
		t.Errorf("seen\n\t%s\nwant\n\t%s", strings.Join(rest, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestRedisBlockingCommand(t *testing.T) {
	r := newRedisRig(t)
	conn, other := dialRedis(t, r.proxy.Addr()), dialRedis(t, r.proxy.Addr())
	must(t, conn.send("blpop", "l", "0"))
	waits, err := r.log.WaitCommand(context.Background(), 0, func(c wire.Command) bool { return c.Name == "BLPOP" })
	must(t, err)
	if !waits.Pending || waits.Duration != 0 {
		t.Errorf("a command that blocks is %+v", waits)
	}
	other.must("lpush", "l", "x")
	_, err = conn.read()
	must(t, err)
	r.want(0, `BLPOP l 0 → ["l", "x"]`, "LPUSH l x → 1")
}

// TestRedisWatch: a transaction that another client spoils.
func TestRedisWatch(t *testing.T) {
	r := newRedisRig(t)
	conn, direct := dialRedis(t, r.proxy.Addr()), dialRedis(t, r.addr)
	conn.must("watch", "a")
	direct.must("set", "a", "2")
	conn.must("multi")
	conn.must("set", "a", "1")
	if answer := conn.must("exec"); answer != "*" {
		t.Errorf("EXEC answers %q", answer)
	}
	r.want(0, "WATCH a → OK", "MULTI → OK", "SET a 1 →  skipped", "EXEC → nil")
}

func TestRedisPubSub(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		t.Run("RESP"+proto, func(t *testing.T) {
			r := newRedisRig(t)
			conn, direct := dialRedis(t, r.proxy.Addr()), dialRedis(t, r.addr)
			conn.must("hello", proto)
			mark := r.log.Mark()
			must(t, conn.send("subscribe", "a", "b"))
			for range 2 {
				_, err := conn.read()
				must(t, err)
			}
			for i := range 3 {
				direct.must("publish", "a", fmt.Sprint(i))
				if got, err := conn.read(); err != nil || got[1:] != fmt.Sprint("message a ", i) {
					t.Errorf("message %d came as %q, %v", i, got, err)
				}
			}
			conn.must("ping")
			must(t, conn.send("unsubscribe"))
			for range 2 {
				_, err := conn.read()
				must(t, err)
			}
			conn.must("get", "a")
			pong := `["pong", ""]`
			if proto == "3" {
				pong = "PONG"
			}
			seen := r.seen(mark)
			if len(seen) == 4 { // Redis confirms in no certain order
				seen[2], _, _ = strings.Cut(seen[2], ",")
			}
			want := []string{`SUBSCRIBE a b → ["subscribe", "b", 2]`, "PING → " + pong, `UNSUBSCRIBE → ["unsubscribe"`, "GET a → nil"}
			if !slices.Equal(seen, want) {
				t.Errorf("seen %q, want %q", seen, want)
			}
		})
	}
}

// TestRedisMonitor: what MONITOR brings passes, and is not recorded.
func TestRedisMonitor(t *testing.T) {
	r := newRedisRig(t)
	conn, direct := dialRedis(t, r.proxy.Addr()), dialRedis(t, r.addr)
	conn.must("monitor")
	direct.must("set", "a", "1")
	if line, err := conn.read(); err != nil || !strings.Contains(line, `"set" "a" "1"`) {
		t.Errorf("MONITOR brings %q, %v", line, err)
	}
	if seen := r.seen(0); !slices.Equal(seen, []string{"MONITOR → OK"}) {
		t.Errorf("seen %q", seen)
	}
	if notes := r.log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "not recorded any further") {
		t.Errorf("noted %v", notes)
	}
}

func TestRedisProtocolError(t *testing.T) {
	r := newRedisRig(t)
	conn := dialRedis(t, r.proxy.Addr())
	conn.must("set", "a", "1")
	_, err := io.WriteString(conn.Conn, "*1\r\nnonsense\r\n")
	must(t, err)
	if answer, err := conn.read(); err != nil || !strings.HasPrefix(answer, "-ERR Protocol error") {
		t.Errorf("the server's own answer came as %q, %v", answer, err)
	}
	if notes := r.log.Notes(); len(notes) != 1 || !strings.Contains(notes[0].Text, "the program sent") {
		t.Errorf("noted %v", notes)
	}
}
