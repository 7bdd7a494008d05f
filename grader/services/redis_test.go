package services

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

var limiter = RedisFixture{Name: "limiter", MinVersion: 7}

func openRedis(t testing.TB, cfg Config) *provider {
	t.Helper()
	if cfg.StateDir == "" {
		cfg.StateDir = testDir
	}
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p.(*provider)
}

func takeRedis(t testing.TB, p *provider) *Redis {
	t.Helper()
	r, err := p.Redis(t.Context(), limiter, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Release(false) })
	return r
}

// redisClient logs in as the address says.
func redisClient(t testing.TB, address string) *redisConn {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "redis" || u.Path != "/0" {
		t.Fatalf("address %s: %v", address, err)
	}
	conn, err := dialServer(t.Context(), u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.close)
	password, _ := u.User.Password()
	login := []string{"AUTH", password}
	if u.User.Username() != "" {
		login = []string{"AUTH", u.User.Username(), password}
	}
	if _, err := conn.do(login...); err != nil {
		t.Fatalf("log in at %s: %v", address, err)
	}
	return conn
}

func (c *redisConn) must(t testing.TB, want string, args ...string) {
	t.Helper()
	if got, err := c.do(args...); err != nil || got != want {
		t.Errorf("%s: %q, %v, want %q", strings.Join(args, " "), got, err, want)
	}
}

// redisServers are the running Redis servers of a lease, or of all with "".
func redisServers(t testing.TB, lease string) []server {
	t.Helper()
	found, err := openTestHost(t, Config{StateDir: testDir}).list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var servers []server
	for _, s := range found {
		if s.service == redisService && s.runs() && (lease == "" || s.lease == lease) {
			servers = append(servers, s)
		}
	}
	return servers
}

func testRedisIsTheGradesOwn(t *testing.T) {
	p := openRedis(t, Config{})
	a, b := takeRedis(t, p), takeRedis(t, p)
	one, two := redisClient(t, a.ProgramURL("")), redisClient(t, b.ProgramURL(""))
	one.must(t, "0", "DBSIZE")
	one.must(t, "OK", "SET", "k", "1")
	two.must(t, "OK", "SET", "k", "2")
	two.must(t, "OK", "FLUSHALL")
	two.must(t, "OK", "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	one.must(t, "1", "GET", "k")
	examiner := redisClient(t, a.ExaminerURL())
	examiner.must(t, "1", "GET", "k")
	one.must(t, "OK", "CONFIG", "SET", "requirepass", "changed")
	if err := a.Verify(t.Context()); err != nil {
		t.Errorf("verify, after the program changed its password: %v", err)
	}
	if got := a.ProgramURL("127.0.0.1:1"); !strings.HasPrefix(got, "redis://default:") || !strings.HasSuffix(got, "@127.0.0.1:1/0") {
		t.Errorf("the program's address behind a proxy is %s", got)
	}
}

func testRedisProgramHasNoPowerOutside(t *testing.T) {
	r := takeRedis(t, openRedis(t, Config{}))
	conn := redisClient(t, r.ProgramURL(""))
	for _, command := range []string{
		"SHUTDOWN NOSAVE", "ACL LIST", "ACL SETUSER default +@all", "MODULE LIST", "REPLICAOF 127.0.0.1 1",
		"SLAVEOF 127.0.0.1 1", "MONITOR", "SAVE", "BGSAVE", "BGREWRITEAOF", "FAILOVER", "PSYNC ? -1",
		"CLIENT PAUSE 1000 ALL", "SLOWLOG GET",
	} {
		_, err := conn.do(strings.Fields(command)...)
		var refused redisError
		if !errors.As(err, &refused) || !strings.HasPrefix(string(refused), "NOPERM") {
			t.Errorf("%s: %v, want NOPERM", command, err)
		}
	}
	for _, command := range []string{"CONFIG SET dir /", "CONFIG SET dbfilename authorized_keys", "DEBUG SLEEP 1"} {
		if _, err := conn.do(strings.Fields(command)...); err == nil {
			t.Errorf("the program could %s", command)
		}
	}
	if err := r.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func testRedisSpareIsTakenAndReplaced(t *testing.T) {
	p := openRedis(t, Config{})
	if err := p.PrepareRedis(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	spare := p.spare.r
	r := takeRedis(t, p)
	if r != spare {
		t.Errorf("got %s, want the spare %s", r.Name, spare.Name)
	}
	r.Release(false)
	if err := p.PrepareRedis(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if next := takeRedis(t, p); next.Name == spare.Name {
		t.Error("the same server was given out twice")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

func testRedisIsKept(t *testing.T) {
	p := openRedis(t, Config{})
	r := takeRedis(t, p)
	redisClient(t, r.ProgramURL("")).must(t, "OK", "SET", "k", "42")
	r.Release(true)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	next := openRedis(t, Config{})
	next.sweepServers(t.Context())
	redisClient(t, r.ProgramURL("")).must(t, "42", "GET", "k")
	servers, err := List(t.Context(), Config{StateDir: testDir})
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, s := range servers {
		if s.Service == redisService && s.Version != "" && len(s.Kept()) == 1 && s.Kept()[0].Name == r.Name && s.Kept()[0].Fixture == "limiter" {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("list: %+v, want %s kept", servers, r.Name)
	}
	takeRedis(t, next).Release(true)
	if err := next.Close(); err != nil { // waits for the background
		t.Fatal(err)
	}
	left := redisServers(t, "")
	if len(left) != 1 || left[0].name == r.Name {
		t.Errorf("servers after the next grade: %+v, want only the one that it kept", left)
	}
	if pruned, err := Prune(t.Context(), Config{StateDir: testDir}); err != nil || len(redisServers(t, "")) != 0 {
		t.Errorf("prune: %+v, %v, want no server kept", pruned, err)
	}
}

func testRedisReleaseRemoves(t *testing.T) {
	p := openRedis(t, Config{})
	r := takeRedis(t, p)
	conn := redisClient(t, r.ProgramURL(""))
	r.Release(false)
	r.Release(true) // counts for nothing
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if left := redisServers(t, ""); len(left) > 0 {
		t.Errorf("servers are left: %+v", left)
	}
	if _, err := conn.do("PING"); err == nil {
		t.Error("the program's connection lives on")
	}
}

func testRedisWrongServerIsNoticed(t *testing.T) {
	p := openRedis(t, Config{})
	r := takeRedis(t, p)
	other := &Redis{server: r.server, runID: r.runID}
	other.server.nonce = "another"
	restarted := &Redis{server: r.server, runID: "another"}
	for name, impostor := range map[string]*Redis{"another server": other, "a restarted server": restarted} {
		var un *Unavailable
		if err := impostor.Verify(t.Context()); !errors.As(err, &un) || !strings.Contains(un.What, "not the one that cairn started") {
			t.Errorf("verify against %s: %v", name, err)
		}
	}
}

func testRedisLostServerIsReplaced(t *testing.T) {
	p := openRedis(t, Config{})
	r := takeRedis(t, p)
	if err := p.PrepareRedis(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Stop(t.Context(), Config{StateDir: testDir}, true); err != nil {
		t.Fatal(err)
	}
	var un *Unavailable
	if err := r.Verify(t.Context()); !errors.As(err, &un) || un.Do == "" {
		t.Errorf("verify after the server's end: %v", err)
	}
	if err := takeRedis(t, p).Verify(t.Context()); err != nil {
		t.Errorf("the server after it: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Redis(ctx, limiter, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

func testRedisEndsByItself(t *testing.T) {
	cfg := Config{StateDir: testDir, Idle: 3 * time.Second}
	p := openRedis(t, cfg)
	if err := p.PrepareRedis(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	used, kept, spare := takeRedis(t, p), takeRedis(t, p), (*Redis)(nil)
	kept.Release(true)
	if err := p.PrepareRedis(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	spare = p.spare.r
	waitEnded(t, cfg, spare.server)
	if err := used.Verify(t.Context()); err != nil {
		t.Errorf("a server that is in use ended: %v", err)
	}
	if err := kept.Verify(t.Context()); err != nil {
		t.Errorf("a server that is kept ended: %v", err)
	}
	if err := takeRedis(t, p).Verify(t.Context()); err != nil {
		t.Errorf("after the spare has ended: %v", err)
	}
}

func testRedisTooOldIsExplained(t *testing.T) {
	p := openRedis(t, Config{})
	_, err := p.Redis(t.Context(), RedisFixture{Name: "x", MinVersion: 99}, nil)
	var un *Unavailable
	if !errors.As(err, &un) || !strings.Contains(un.What, "x needs Redis 99 or newer") || un.Do == "" {
		t.Errorf("got %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if left := redisServers(t, ""); len(left) > 0 {
		t.Errorf("servers are left: %+v", left)
	}
}
