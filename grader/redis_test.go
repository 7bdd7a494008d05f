package grader

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// ping logs in at a Redis server and asks for a sign of life.
func ping(t *testing.T, address string) error {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "redis" {
		t.Fatalf("the address of Redis is %q: %v", address, err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	password, _ := u.User.Password()
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\nQUIT\r\n", password); err != nil {
		return err
	}
	reply := make([]byte, len("+OK\r\n+PONG\r\n"))
	n, err := conn.Read(reply)
	if !strings.HasPrefix(string(reply[:n]), "+OK") {
		t.Errorf("Redis at %s says %q, %v", u.Host, reply[:n], err)
	}
	return nil
}

func TestRedisIsGivenAndKept(t *testing.T) {
	needEngine(t)
	cfg := services.Config{StateDir: t.TempDir()}
	t.Cleanup(func() { _, _ = services.Stop(context.Background(), cfg, true) })
	provider, err := services.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = provider.Close() }()
	g, err := New(Config{CacheDir: t.TempDir(), Provider: provider})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	e, dir := counter(t, func(x *exam.X) {
		x.Check("never", "what never holds", func(c *exam.C) { c.Equal(1, 2, "the answer") })
	})
	e.Fixture, e.Redis = nil, &services.RedisFixture{Name: e.ID, MinVersion: 7}
	if err := g.Prepare(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	r, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir, KeepWorld: true}, nil)
	if err != nil || r.Verdict != report.Failed || r.Redis == nil || r.Redis.Service != "redis" || r.World != nil {
		t.Fatalf("verdict %s (%s), kept %+v, %v", r.Verdict, r.Reason, r.Redis, err)
	}
	if err := ping(t, r.Redis.URL); err != nil {
		t.Errorf("the server that was kept: %v", err)
	}
	again, err := g.Grade(t.Context(), Submission{Exercise: e, Dir: dir}, nil)
	if err != nil || again.Verdict != report.Failed || again.Redis != nil {
		t.Fatalf("verdict %s (%s), kept %+v, %v", again.Verdict, again.Reason, again.Redis, err)
	}
	if err := provider.Close(); err != nil { // waits for the background
		t.Fatal(err)
	}
	if servers, err := services.List(t.Context(), cfg); err != nil || len(servers) != 0 {
		t.Errorf("servers after the next grade: %+v, %v", servers, err)
	}

	e.Redis.MinVersion = 99
	other, err := services.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	g2, err := New(Config{CacheDir: t.TempDir(), Provider: other})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g2.Close() }()
	r, err = g2.Grade(t.Context(), Submission{Exercise: e, Dir: dir}, nil)
	if err != nil || r.Verdict != report.Ungraded || !strings.Contains(r.Reason, "needs Redis 99 or newer") || r.Next == "" {
		t.Errorf("verdict %s, reason %q, next %q, %v", r.Verdict, r.Reason, r.Next, err)
	}
}
