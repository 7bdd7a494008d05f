package process

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ready waits until the program has printed its first line.
func startReady(t *testing.T, s Spec) *Process {
	t.Helper()
	lines := make(chan Line, 1)
	s.OnLine = func(l Line) {
		select {
		case lines <- l:
		default:
		}
	}
	p := start(t, s)
	select {
	case <-lines:
	case <-p.Done():
		t.Fatalf("ended before it was ready: %s", p.Output())
	}
	return p
}

func TestOutputAndExit(t *testing.T) {
	var lines []Line
	s := spec(t, "hello")
	s.OnLine = func(l Line) { lines = append(lines, l) }
	p := start(t, s)
	if e := over(t, p); e.Code != 0 || e.Reason != Exited || e.Signal != "" || e.At.IsZero() {
		t.Errorf("exit %+v", e)
	}
	if len(lines) != 2 {
		t.Fatalf("lines %+v", lines)
	}
	for _, l := range lines {
		if l.Text != "to "+l.Stream || l.At.IsZero() {
			t.Errorf("line %+v", l)
		}
	}
	if out := p.Output(); !strings.Contains(out, "to stdout\n") || !strings.Contains(out, "to stderr\n") {
		t.Errorf("output %q", out)
	}
}

func TestExits(t *testing.T) {
	tests := []struct {
		program string
		end     func(*Process)
		want    Exit
	}{
		{"panic", func(*Process) {}, Exit{Code: 2, Reason: Exited}},
		{"wait", func(p *Process) { p.Kill() }, Exit{Code: -1, Signal: "SIGKILL", Reason: Killed}},
		{"deaf", func(p *Process) { p.Kill() }, Exit{Code: -1, Signal: "SIGKILL", Reason: Killed}},
		{"wait", func(p *Process) { _ = p.Signal(syscall.SIGKILL) }, Exit{Code: -1, Signal: "SIGKILL", Reason: Signalled}},
		{"wait", func(p *Process) { _ = p.Signal(os.Interrupt) }, Exit{Code: -1, Signal: "SIGINT", Reason: Signalled}},
		{"term", func(p *Process) { _ = p.Signal(syscall.SIGTERM) }, Exit{Code: 0, Reason: Exited}},
		{"shout", func(*Process) {}, Exit{Code: -1, Signal: "SIGKILL", Reason: OutputLimit}},
	}
	for _, test := range tests {
		t.Run(test.program, func(t *testing.T) {
			p := startReady(t, spec(t, test.program))
			test.end(p)
			e := over(t, p)
			e.At = time.Time{}
			if e != test.want {
				t.Errorf("exit %+v, want %+v; printed %s", e, test.want, p.Output())
			}
		})
	}
}

func TestAfterTheEnd(t *testing.T) {
	p := start(t, spec(t, "exit"))
	if e := over(t, p); e.Code != 7 || e.Reason != Exited {
		t.Errorf("exit %+v", e)
	}
	p.Kill()
	p.Kill()
	if e, _ := p.Exit(); e.Reason != Exited {
		t.Errorf("a kill after the end changed it to %+v", e)
	}
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal after the end: %v", err)
	}
	if err := syscall.Kill(p.Pid(), 0); err != syscall.ESRCH {
		t.Errorf("process %d is still known: %v", p.Pid(), err)
	}
}

func TestStartErrors(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		spec Spec
		want error
	}{
		{"no file", Spec{Path: "/no/such/program"}, fs.ErrNotExist},
		{"a folder", Spec{Path: "/"}, fs.ErrPermission},
		{"no folder", Spec{Path: "/bin/true", Dir: "/no/such/folder"}, fs.ErrNotExist},
		{"no executable", Spec{Path: text}, syscall.ENOEXEC},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Start(t.Context(), test.spec)
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
	t.Run("context over", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Start(ctx, spec(t, "wait")); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestContextKills(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, err := Start(ctx, spec(t, "deaf"))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if e := over(t, p); e.Reason != Killed {
		t.Errorf("exit %+v", e)
	}
}

func TestEnvironmentIsTheSpecs(t *testing.T) {
	t.Setenv("CAIRN_SECRET", "must not be seen")
	dir := t.TempDir()
	s := spec(t, "environment", "a b", "\xff")
	s.Env = []string{"PORT=8080", "ODD=\xfe"}
	s.Dir = dir
	p := start(t, s)
	over(t, p)
	want := "dir " + dir + "\nenv [\"PORT=8080\" \"ODD=\\xfe\"]\nargs [\"a b\" \"\\xff\"]\n"
	if got := p.Output(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNothingIsInherited(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("reads /proc; the Linux run of this test counts")
		return
	}
	// A descriptor that cairn itself got from a careless caller.
	leak, err := syscall.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(leak)
	t.Setenv("CAIRN_SECRET", "must not be seen")
	p := start(t, spec(t, "descriptors"))
	over(t, p)
	out := p.Output()
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "fd ") && line != "fd 0 /dev/null" && line != "fd 1 pipe" && line != "fd 2 pipe" {
			t.Errorf("inherited: %s", line)
		}
	}
	for _, want := range []string{"fd 0 /dev/null", "fd 1 pipe", "fd 2 pipe", "nonblocking false", `parent comm "supervise\n"`, `parent cmdline "supervise\x00-\x00"`, `parent environ ""`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

func TestOutputLimit(t *testing.T) {
	s := spec(t, "shout")
	s.OutputLimit = 10_000
	p := start(t, s)
	if e := over(t, p); e.Reason != OutputLimit {
		t.Errorf("exit %+v", e)
	}
	if got := len(p.Output()); got < 10_000 || got > 10_100 {
		t.Errorf("%d bytes kept of a limit of 10000", got)
	}
}

func TestLongLineIsCut(t *testing.T) {
	p := start(t, spec(t, "longline"))
	over(t, p)
	lines := strings.Split(p.Output(), "\n")
	if len(lines) != 3 || len(lines[0]) > 5000 || !strings.Contains(lines[0], "bytes more") || lines[1] != "next" {
		t.Errorf("%d lines, the first of %d bytes: …%s", len(lines), len(lines[0]), lines[0][max(0, len(lines[0])-40):])
	}
}

func TestGoroutines(t *testing.T) {
	p := startReady(t, spec(t, "deadlock"))
	dump := p.Goroutines(t.Context())
	if !strings.HasPrefix(dump, "SIGQUIT: quit") || !strings.Contains(dump, "stuckWorker") {
		t.Errorf("dump %q", dump)
	}
	over(t, p)
	// Without -trimpath, frames carry the path of the source.
	_, here, _, _ := runtime.Caller(0)
	trace := LearnerTrace(dump, filepath.Dir(filepath.Dir(here)))
	if strings.Count(trace, "process.stuckWorker\n        process/main_test.go:") != 2 {
		t.Errorf("trace\n%s\nof\n%s", trace, dump)
	}
}

func TestGoroutinesOfOneThatLeavesNone(t *testing.T) {
	p := startReady(t, spec(t, "deaf"))
	if dump := p.Goroutines(t.Context()); dump != "" {
		t.Errorf("dump %q", dump)
	}
	if e := over(t, p); e.Reason != Killed {
		t.Errorf("exit %+v", e)
	}
}

func TestManyAtOnceLeakNothing(t *testing.T) {
	warm := start(t, spec(t, "hello"))
	over(t, warm)
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 5 {
		var all []*Process
		for range 4 {
			all = append(all, start(t, spec(t, "wait")))
		}
		for _, p := range all {
			p.Kill()
			if e := over(t, p); e.Reason != Killed {
				t.Errorf("exit %+v", e)
			}
		}
	}
	if got := openFiles(t); got > files {
		t.Errorf("%d open files, %d before", got, files)
	}
	// Goroutines that have closed their channel may still be on their way out.
	for deadline := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func BenchmarkStartToFirstByte(b *testing.B) {
	s := spec(b, "hello")
	b.Run("supervised", func(b *testing.B) {
		for b.Loop() {
			first := make(chan bool, 2)
			s.OnLine = func(Line) { first <- true }
			p, err := Start(b.Context(), s)
			if err != nil {
				b.Fatal(err)
			}
			<-first
			b.StopTimer()
			<-p.Done()
			b.StartTimer()
		}
	})
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			cmd := exec.Command(s.Path, s.Args...)
			pipe, err := cmd.StdoutPipe()
			if err != nil {
				b.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			_, _ = pipe.Read(make([]byte, 1))
			b.StopTimer()
			_ = cmd.Wait()
			b.StartTimer()
		}
	})
}

func BenchmarkKill(b *testing.B) {
	s := spec(b, "wait")
	for b.Loop() {
		b.StopTimer()
		p, err := Start(b.Context(), s)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		p.Kill()
	}
}
