package process

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// escapes are the ways in which children try to outlive the program. Outside
// Linux only those that stay in its process group are caught.
func escapes() []string {
	if runtime.GOOS == "linux" {
		return []string{"plain", "group", "setsid", "daemon"}
	}
	return []string{"plain"}
}

// heard is what the witness hears of the parent and its children.
func heard(kinds []string) []string {
	want := []string{"parent"}
	for _, kind := range kinds {
		if kind == "daemon" {
			kind = "grandchild"
		}
		want = append(want, kind)
	}
	slices.Sort(want)
	return want
}

func TestKillLeavesNoChild(t *testing.T) {
	w := newWitness(t)
	p := start(t, spec(t, "parent", append([]string{w.socket, "stay"}, escapes()...)...))
	want := heard(escapes())
	await(t, w.lines, len(want), "alive")
	p.Kill()
	got := await(t, w.closed, len(want), "gone")
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("gone %q, want %q", got, want)
	}
	if e := over(t, p); e.Reason != Killed {
		t.Errorf("exit %+v", e)
	}
}

func TestExitTakesTheChildrenWithIt(t *testing.T) {
	w := newWitness(t)
	p := start(t, spec(t, "parent", append([]string{w.socket, "leave"}, escapes()...)...))
	want := heard(escapes())
	await(t, w.lines, len(want), "alive")
	for range want { // now the parent may leave
		fmt.Fprintln(<-w.conns, "go")
	}
	await(t, w.closed, len(want), "gone")
	if e := over(t, p); e.Reason != Exited || e.Code != 3 {
		t.Errorf("exit %+v", e)
	}
}

// TestNothingOutlivesCairn kills a process that stands for cairn with SIGKILL.
func TestNothingOutlivesCairn(t *testing.T) {
	w := newWitness(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cairn := exec.Command(self, append([]string{"program=cairn", self, w.socket, "stay"}, escapes()...)...)
	cairn.Stderr = os.Stderr
	if err := cairn.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cairn.Process.Kill() })
	want := heard(escapes())
	await(t, w.lines, len(want), "alive")
	if err := cairn.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cairn.Wait()
	await(t, w.closed, len(want), "gone")
}

// TestSupervisorKilled lets somebody kill the supervisor itself.
func TestSupervisorKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("a program outlives a killed supervisor on this system")
		return
	}
	w := newWitness(t)
	p := start(t, spec(t, "parent", w.socket, "stay", "plain", "group"))
	await(t, w.lines, 3, "alive")
	if err := p.supervisor.Kill(); err != nil {
		t.Fatal(err)
	}
	if e := over(t, p); e.Reason != Signalled || e.Signal != "SIGKILL" {
		t.Errorf("exit %+v", e)
	}
	await(t, w.closed, 3, "gone")
}

func TestMemoryLimit(t *testing.T) {
	onLinux(t)
	s := spec(t, "memory")
	s.MemoryLimit = 200 << 20
	p := start(t, s)
	if e := over(t, p); e.Reason != MemoryLimit || e.Signal != "SIGKILL" {
		t.Errorf("exit %+v", e)
	}
}

// forkBomb would make 2^n processes that stay. The number is bounded, in case
// the limit does not work.
const forkBomb = `f() { if [ $1 -eq 0 ]; then exec sleep 60; fi; f $(($1-1)) & f $(($1-1)) & wait; }; f 10`

func TestForkBomb(t *testing.T) {
	onLinux(t)
	s := Spec{Path: "/bin/sh", Args: []string{"-c", forkBomb}, Env: []string{"PATH=/usr/bin:/bin"}}
	p := start(t, s)
	e := over(t, p)
	if e.Reason != ProcessLimit {
		t.Errorf("exit %+v\n%s", e, p.Output())
	}
	if err := syscall.Kill(-p.Pid(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("something of group %d is left: %v", p.Pid(), err)
	}
}

// worm is a process that only ever lives for a moment, in a new session each
// time. It ends by itself after some thousand lives.
const worm = `if [ $1 -gt 0 ]; then setsid sh "$0" $(($1-1)) "$2" & else echo through >"$2"; fi`

func TestWorm(t *testing.T) {
	onLinux(t)
	dir := t.TempDir()
	script, through := filepath.Join(dir, "worm"), filepath.Join(dir, "through")
	if err := os.WriteFile(script, []byte(worm), 0o644); err != nil {
		t.Fatal(err)
	}
	s := Spec{Path: "/bin/sh", Args: []string{script, "5000", through}, Env: []string{"PATH=/usr/bin:/bin"}}
	p := start(t, s)
	over(t, p) // the first one exits at once: what is left of it is hunted down
	if _, err := os.Stat(through); err == nil {
		t.Error("the worm came through")
	}
}

func TestFileLimit(t *testing.T) {
	s := Spec{Path: "/bin/sh", Args: []string{"-c", "head -c 100000 /dev/zero >" + filepath.Join(t.TempDir(), "large")}, Env: []string{"PATH=/usr/bin:/bin"}, FileLimit: 10_000}
	p := start(t, s)
	if e := over(t, p); e.Code == 0 {
		t.Errorf("exit %+v", e)
	}
}

// TestPipeHeldOutside hands the program's stdout to a process outside the tree,
// which cannot be killed and must not keep the run from ending.
func TestPipeHeldOutside(t *testing.T) {
	dir, err := os.MkdirTemp("", "held")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := start(t, spec(t, "handout", socket))
	conn, err := listener.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	rights := make([]byte, 64)
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 1), rights)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:n])
	if err != nil {
		t.Fatal(err)
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fds[0])
	if _, err := syscall.Write(fds[0], []byte("from outside\n")); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if !strings.Contains(p.Output(), "from outside") {
		t.Errorf("output %q: the pipe was not the program's", p.Output())
	}
}

// handOut gives its stdout away over a unix socket.
func handOut(args []string) {
	conn, err := net.Dial("unix", args[0])
	if err != nil {
		panic(err)
	}
	if _, _, err := conn.(*net.UnixConn).WriteMsgUnix([]byte{1}, syscall.UnixRights(1), nil); err != nil {
		panic(err)
	}
	_, _ = bufio.NewReader(conn).ReadString('\n')
	time.Sleep(time.Hour)
}

// onLinux leaves out what this system cannot do; the Linux run counts.
func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("limits of a tree are watched on Linux only")
	}
}

// TestStoppedSupervisor lets somebody stop the supervisor, as a program can.
func TestStoppedSupervisor(t *testing.T) {
	onLinux(t)
	w := newWitness(t)
	p := start(t, spec(t, "parent", append([]string{w.socket, "stay"}, escapes()...)...))
	want := heard(escapes())
	await(t, w.lines, len(want), "alive")
	if p.Ended() || !p.HasChildren() {
		t.Errorf("ended %t, has children %t; it runs and has", p.Ended(), p.HasChildren())
	}
	if err := p.supervisor.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); !p.Ended(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a program whose end nobody has noticed yet has not ended")
		}
	}
	select {
	case <-p.Done():
		t.Fatal("the supervisor was not stopped")
	default:
	}
	p.Kill() // a supervisor that had to be killed would leave the daemon
	await(t, w.closed, len(want), "gone")
}
