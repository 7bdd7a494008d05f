package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// hanging is an answer to restcrud that tells its process id and answers
// nothing, so that the examination lasts until it is interrupted.
const hanging = `package restcrud

import (
	"net/http"
	"os"
	"strconv"
)

func New() http.Handler {
	if err := os.WriteFile(PIDFILE, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}
`

// TestInterrupt ends a grade in the middle: nothing of it may be left.
func TestInterrupt(t *testing.T) {
	home, dir := t.TempDir(), filepath.Join(t.TempDir(), "restcrud")
	pidFile := filepath.Join(home, "pid")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	source := strings.ReplaceAll(hanging, "PIDFILE", strconv.Quote(pidFile))
	if err := os.WriteFile(filepath.Join(dir, "restcrud.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "cairn", "grade", "--dir", dir)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "GOPROXY=off", "GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE")}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	readUntil(t, stdout, &out, "✓ starts and listens")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = out.ReadFrom(stdout)
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("cairn ended with %v, want status %d", err, exitInterrupted)
	}
	if got := stderr.String(); got != "cairn: interrupted\n" {
		t.Errorf("standard error is %q", got)
	}
	if strings.Contains(out.String(), "✗") || strings.Contains(out.String(), "ungraded") {
		t.Errorf("an interrupted grade says something about the program:\n%s", out.String())
	}
	mustBeGone(t, pidFile)
	left, err := os.ReadDir(filepath.Join(home, ".cache", "cairn", "run"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("left behind: %s", entry.Name())
	}
}

func mustBeGone(t *testing.T, pidFile string) {
	t.Helper()
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the program still runs as process %d (%v)", pid, err)
	}
}
