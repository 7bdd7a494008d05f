package services

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	osexec "os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// As root, servers run as somebody else; as anybody else, as oneself.
func TestNativeAsOrdinaryUser(t *testing.T) {
	needNative(t)
	if os.Geteuid() != 0 {
		return // every other test has run as one
	}
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	file, home := filepath.Join(dir, "services.test"), filepath.Join(dir, "home")
	ordinary, err := user.Lookup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(ordinary.Uid)
	if err != nil || uid == 0 {
		t.Fatal(uid, err)
	}
	if err := errors.Join(os.WriteFile(file, program, 0o755), os.Mkdir(home, 0o700), os.Chown(home, uid, uid)); err != nil {
		t.Fatal(err)
	}
	cmd := osexec.CommandContext(t.Context(), file, "-test.v", "-test.run", "^TestNative$/(clone|two_at|killed|idle|power|redis_is)")
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	out, err := cmd.CombinedOutput()
	if passed := strings.Count(string(out), "    --- PASS"); err != nil || passed < 8 {
		t.Errorf("as an ordinary user: %v, %d tests passed\n%s", err, passed, out)
	}
}

func TestNativeServerLeavesNothing(t *testing.T) {
	needNative(t)
	useServices(t, native)
	p := openRedis(t, Config{})
	pg, err := p.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := takeRedis(t, p)
	for _, s := range []server{pg.server, r.server} {
		data, err := os.ReadFile(filepath.Join(s.id, "pid"))
		if err != nil {
			t.Fatal(err)
		}
		group, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if err != nil || syscall.Kill(-group, 0) != nil {
			t.Fatalf("%s: the process group %q, %v, is not there", s.name, data, err)
		}
		for path, mode := range map[string]os.FileMode{s.id: 0o700, filepath.Join(testDir, "servers", s.name+".json"): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %v, %v, want mode %o", path, info, err, mode)
			}
		}
		if err := openTestHost(t, Config{StateDir: testDir}).remove(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: its folder is left: %v", s.name, err)
		}
		if err := syscall.Kill(-group, 0); s.service == redisService && !errors.Is(err, syscall.ESRCH) {
			awaitGone(t, group)
		}
	}
}

// awaitGone waits until a process group has ended: the last of it may be a sleep of the watcher.
func awaitGone(t *testing.T, group int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("the process group %d lives on", group)
		}
	}
}

func TestNativeIdleServerTakesItsFolderAlong(t *testing.T) {
	needNative(t)
	useServices(t, native)
	cfg := Config{StateDir: testDir, Idle: time.Second}
	p := openRedis(t, cfg)
	pg, err := p.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	waitEnded(t, cfg, pg.server)
	if _, err := os.Stat(pg.server.id); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

// A cairn that is killed while PostgreSQL starts leaves a server that the next one can use.
func TestNativeStartSurvivesItsCairn(t *testing.T) {
	needNative(t)
	useServices(t, native)
	child := osexec.Command(os.Args[0])
	child.Env = append(os.Environ(), "SERVICES_TEST_CHILD="+testDir)
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	h := openTestHost(t, Config{StateDir: testDir})
	var half server
	for half.name == "" {
		found, err := h.list(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			continue
		}
		if _, err := os.Stat(filepath.Join(found[0].id, "pid")); err == nil { // its processes run
			half = found[0]
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	p, err := openRedis(t, Config{}).Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.server.name != half.name {
		t.Errorf("the next cairn got %s, want %s", p.server.name, half.name)
	}
	takeTest(t, p, shop)
}

// onlyPrograms leaves a folder as the one place where programs are looked for.
func onlyPrograms(t *testing.T, dir string) {
	t.Helper()
	folders := binFolders
	binFolders = nil
	t.Cleanup(func() { binFolders = folders })
	t.Setenv("PATH", dir)
}

// noEngine takes the engine away, as a machine without Docker has none.
func noEngine(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	sum := sha256.Sum256([]byte("gone"))
	meta := filepath.Join(dir, "contexts", "meta", hex.EncodeToString(sum[:]))
	err := errors.Join(
		os.MkdirAll(meta, 0o755),
		os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"currentContext": "gone"}`), 0o644),
		os.WriteFile(filepath.Join(meta, "meta.json"), []byte(`{"Endpoints": {"docker": {"Host": "unix://`+dir+`/gone.sock"}}}`), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "")
	t.Setenv("CAIRN_SERVICES", "")
}

func TestNativeIsChosenWhereThereIsNoEngine(t *testing.T) {
	needNative(t)
	useServices(t, native)
	noEngine(t)
	p := openRedis(t, Config{})
	pg, err := p.Postgres(t.Context(), nil)
	if err != nil || !pg.server.native {
		t.Fatalf("postgres: %+v, %v", pg, err)
	}
	if r := takeRedis(t, p); !r.server.native {
		t.Errorf("redis: %+v", r.server)
	}
	onlyPrograms(t, t.TempDir())
	var un *Unavailable
	_, err = openRedis(t, Config{StateDir: t.TempDir()}).Postgres(t.Context(), nil)
	if !errors.As(err, &un) || !strings.Contains(un.What, "no Docker engine") || !strings.Contains(un.Do, "apt install postgresql redis-server") {
		t.Errorf("without an engine and without programs: %v", err)
	}
}

func TestNativeTroubleIsExplained(t *testing.T) {
	useServices(t, native)
	bin := t.TempDir()
	onlyPrograms(t, bin)
	check := func(name, what, do string) {
		t.Helper()
		var un *Unavailable
		if _, err := openRedis(t, Config{}).Postgres(t.Context(), nil); !errors.As(err, &un) || !strings.Contains(un.What, what) || !strings.Contains(un.Do, do) {
			t.Errorf("%s: %v, want %q and %q", name, err, what, do)
		}
	}
	check("not installed", "the server of PostgreSQL is not installed", "apt install postgresql")
	script := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for d := bin; d != os.TempDir() && d != "/"; d = filepath.Dir(d) { // for whom servers run as
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script("initdb", "echo 'initdb: no space for jokes'; exit 1")
	script("postgres", "echo 'postgres (PostgreSQL) 99.1'")
	check("initdb fails", "PostgreSQL ended as it started: initdb: no space for jokes", "cairn doctor")
	script("initdb", `while [ "$1" != -D ]; do shift; done; mkdir -p "$2"`)
	script("postgres", `if [ "$1" = --version ]; then echo 'postgres (PostgreSQL) 99.1'; else echo 'FATAL: out of cheese'; fi`)
	check("it ends at once", "PostgreSQL ended as it started: FATAL: out of cheese", "cairn doctor")
}

// TestAnotherServerOnThePort ends a server and lets another PostgreSQL answer where it was, with the
// same password: only the nonce tells them apart.
func TestAnotherServerOnThePort(t *testing.T) {
	needNative(t)
	useServices(t, native)
	_, p := openTest(t, Config{})
	d := takeTest(t, p, shop)
	elsewhere := Config{StateDir: filepath.Join(filepath.Dir(testDir), "elsewhere")}
	_, other := openTest(t, elsewhere)
	t.Cleanup(func() { stopAll(t, elsewhere.StateDir) })
	for _, sql := range []string{"alter role cairn password " + literal(p.server.password), "create database " + identifier(d.Name)} {
		if err := other.exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Verify(t.Context()); err != nil {
		t.Fatalf("while the right server is there: %v", err)
	}
	if err := openTestHost(t, Config{StateDir: testDir}).remove(t.Context(), p.server); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if up, err := net.Dial("tcp", other.Addr()); err == nil {
				go func() { _, _ = io.Copy(up, conn); _ = up.Close() }()
				go func() { _, _ = io.Copy(conn, up); _ = conn.Close() }()
			}
		}
	}()
	superuser := dial(t, p.superuserURL(d.Name, "test"))
	if got := text(t, superuser, "select current_setting('cairn.nonce')"); got != other.server.nonce {
		t.Fatalf("at %s answers %s, want the other server", p.Addr(), got)
	}
	var un *Unavailable
	if err := d.Verify(t.Context()); !errors.As(err, &un) || !strings.Contains(un.What, "is not the one that cairn started") {
		t.Errorf("verify: %v", err)
	}
	lost := make(chan error, 1)
	d.Vigil(t.Context(), func(err error) { lost <- err })
	if err := <-lost; !errors.As(err, &un) || !strings.Contains(un.What, "is not the one that cairn started") {
		t.Errorf("vigil: %v", err)
	}
}
