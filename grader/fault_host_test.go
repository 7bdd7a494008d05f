package grader

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/services"
)

// faultHost is what the servers of a test run in that does harm to them. They are
// its own: it has a state folder of its own.
type faultHost struct {
	kind  string // as CAIRN_SERVICES names it
	state string
	image string // of PostgreSQL; "" for the usual one
}

// onHosts runs a test with servers in containers and with those of this machine,
// or with the one kind that CAIRN_SERVICES asks for.
func onHosts(t *testing.T, test func(*testing.T, faultHost)) {
	for _, kind := range []string{"containers", "native"} {
		if only := os.Getenv("CAIRN_SERVICES"); only != "" && only != kind {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, newFaultHost(t, kind))
		})
	}
}

func newFaultHost(t *testing.T, kind string) faultHost {
	t.Helper()
	info, err := services.CheckHost(t.Context(), services.Config{Services: kind})
	if err != nil || kind == "native" && len(info.Programs) < 2 {
		t.Skip("needs servers in ", kind, ": ", err)
	}
	h := faultHost{kind: kind, state: filepath.Join(t.TempDir(), "state")}
	t.Cleanup(func() {
		if _, err := services.Stop(context.Background(), h.config(), true); err != nil {
			t.Errorf("stop the servers: %v", err)
		}
	})
	return h
}

func (h faultHost) config() services.Config {
	return services.Config{Services: h.kind, StateDir: h.state, PostgresImage: h.image}
}

func (h faultHost) grader(t *testing.T) *Grader {
	t.Helper()
	provider, err := services.Open(h.config())
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{CacheDir: t.TempDir(), Provider: provider})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.Close(), provider.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return g
}

// server returns the only running server of a service.
func (h faultHost) server(t *testing.T, service string) services.Server {
	t.Helper()
	all, err := services.List(t.Context(), h.config())
	if err != nil {
		t.Fatal(err)
	}
	var found []services.Server
	for _, s := range all {
		if s.Service == service && s.Running() {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d servers of %s run, want one: %+v", len(found), service, all)
	}
	return found[0]
}

// kill ends a server at once, and returns when nothing listens there any more.
func (h faultHost) kill(t *testing.T, s services.Server) {
	t.Helper()
	if h.kind == "containers" {
		docker(t, "kill", s.Name)
	} else if err := syscall.Kill(-h.group(t, s), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitRefusal(t, s.Addr)
}

// pause stops a server without ending it, and makes sure that it stands still.
func (h faultHost) pause(t *testing.T, s services.Server) {
	t.Helper()
	if h.kind == "containers" {
		docker(t, "pause", s.Name)
		if got := docker(t, "inspect", "-f", "{{.State.Paused}}", s.Name); got != "true" {
			t.Fatalf("paused: %s", got)
		}
		return
	}
	group := h.group(t, s)
	if err := syscall.Kill(-group, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-group, syscall.SIGCONT) })
	awaitStopped(t, group)
	// PostgreSQL's sessions have groups of their own. The one that would make
	// more of them stands still by now.
	for _, pid := range descendants(t, group) {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			continue // it ended meanwhile
		}
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
		awaitStopped(t, pid)
	}
}

// descendants lists the processes below another one that live.
func descendants(t *testing.T, of int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	children := map[string][]string{}
	for _, file := range stats {
		stat, _ := os.ReadFile(file) // it may have ended
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[0] != "Z" {
			children[fields[1]] = append(children[fields[1]], filepath.Base(filepath.Dir(file)))
		}
	}
	var found []int
	for queue := children[strconv.Itoa(of)]; len(queue) > 0; queue = queue[1:] {
		pid, err := strconv.Atoi(queue[0])
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, pid)
		queue = append(queue, children[queue[0]]...)
	}
	return found
}

// restart ends a server as an operator would, and starts it again.
func (h faultHost) restart(t *testing.T, s services.Server) {
	t.Helper()
	if h.kind == "containers" {
		// Between its end and its new start cairn may have noticed, and removed it: it is lost all the same.
		out, err := tryDocker("restart", "-t", "1", s.Name)
		if err != nil && !strings.Contains(out, "marked for removal") && !strings.Contains(out, "No such container") {
			t.Fatalf("docker restart: %v\n%s", err, out)
		}
		return
	}
	dir, group := h.dir(t, s), h.group(t, s)
	owner, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(-group, syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	awaitRefusal(t, s.Addr)
	for syscall.Kill(-group, 0) == nil {
		moment(t)
	}
	again := exec.Command(s.Image, "-D", filepath.Join(dir, "data"))
	again.Dir, again.Env = "/", []string{"LC_ALL=C"}
	again.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if as := owner.Sys().(*syscall.Stat_t); os.Geteuid() == 0 {
		again.SysProcAttr.Credential = &syscall.Credential{Uid: as.Uid, Gid: as.Gid}
	}
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = again.Process.Signal(syscall.SIGQUIT)
		_ = again.Wait()
	})
	for {
		conn, err := net.Dial("tcp", s.Addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		moment(t)
	}
}

// dir is the folder of a server that runs without a container.
func (h faultHost) dir(t *testing.T, s services.Server) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(h.state, "servers", s.Name+".json"))
	var record struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(data, &record)
	}
	if err != nil {
		t.Fatal(err)
	}
	return record.Dir
}

func (h faultHost) group(t *testing.T, s services.Server) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(h.dir(t, s), "pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func awaitRefusal(t *testing.T, addr string) {
	t.Helper()
	for {
		conn, err := net.Dial("tcp", addr)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = conn.Close()
		}
		moment(t)
	}
}

// awaitStopped waits until a process stands still, or has ended: nobody takes note of that while its
// parent stands still too.
func awaitStopped(t *testing.T, pid int) {
	t.Helper()
	for {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		if after := string(stat[strings.LastIndex(string(stat), ")")+2:]); after[0] == 'T' || after[0] == 'Z' {
			return
		}
		moment(t)
	}
}

// moment is the pause between two looks at something that no event tells of.
func moment(t *testing.T) {
	t.Helper()
	if t.Context().Err() != nil {
		t.Fatal("the test is over")
	}
	time.Sleep(5 * time.Millisecond)
}

// realEngine is where the engine of this machine is, whatever a test has set.
var realEngine = sync.OnceValue(func() string {
	info, err := services.CheckHost(context.Background(), services.Config{Services: "containers"})
	if err != nil {
		return ""
	}
	return info.Engine.Host
})

// engineProxy stands before the engine and can be stopped, which the engine of the
// machine cannot: others use it.
type engineProxy struct {
	t    *testing.T
	path string

	mu      sync.Mutex
	listen  *net.UnixListener
	conns   map[net.Conn]bool
	hanging bool
}

// newEngineProxy makes the proxy the engine of the test.
func newEngineProxy(t *testing.T) *engineProxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		t.Fatal(err)
	}
	p := &engineProxy{t: t, path: filepath.Join(dir, "docker.sock"), conns: map[net.Conn]bool{}}
	realEngine()
	t.Setenv("DOCKER_HOST", "unix://"+p.path)
	t.Cleanup(func() {
		p.stop()
		_ = os.RemoveAll(dir)
	})
	p.start()
	return p
}

// start lets requests through, also after a stop or while it hangs.
func (p *engineProxy) start() {
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hanging = false
	_ = os.Remove(p.path)
	var err error
	if p.listen, err = net.ListenUnix("unix", &net.UnixAddr{Name: p.path}); err != nil {
		p.t.Fatal(err)
	}
	p.listen.SetUnlinkOnClose(false) // as an engine that was killed leaves it
	go p.serve(p.listen)
}

// stop cuts every connection and refuses new ones.
func (p *engineProxy) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listen != nil {
		_ = p.listen.Close()
	}
	p.cut()
}

// hang accepts connections and lets nothing through.
func (p *engineProxy) hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hanging = true
	p.cut()
}

func (p *engineProxy) cut() {
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

func (p *engineProxy) serve(l *net.UnixListener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.conns[conn] = true
		hanging := p.hanging
		p.mu.Unlock()
		if !hanging {
			go p.forward(conn)
		}
	}
}

func (p *engineProxy) forward(conn net.Conn) {
	defer conn.Close()
	u, err := url.Parse(realEngine())
	if err != nil {
		return
	}
	network, addr := "tcp", u.Host
	if u.Scheme == "unix" {
		network, addr = "unix", u.Path
	}
	up, err := net.Dial(network, addr)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.conns[up] = true
	p.mu.Unlock()
	defer up.Close()
	go func() {
		_, _ = io.Copy(up, conn)
		_ = up.(interface{ CloseWrite() error }).CloseWrite()
	}()
	_, _ = io.Copy(conn, up)
}
