package main

import (
	"bytes"
	"errors"
	"io"
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

// gradeHanging begins a grade that does not end by itself, and returns once the
// examination has begun.
func gradeHanging(t *testing.T, args ...string) (cmd *exec.Cmd, home string, stdout io.ReadCloser, seen, stderr *bytes.Buffer) {
	t.Helper()
	home = t.TempDir()
	dir := filepath.Join(t.TempDir(), "restcrud")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	source := strings.ReplaceAll(hanging, "PIDFILE", strconv.Quote(filepath.Join(home, "pid")))
	if err := os.WriteFile(filepath.Join(dir, "restcrud.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), "cairn", append([]string{"grade", "--dir", dir}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "GOPROXY=off", "GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE")}
	seen, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	readUntil(t, stdout, seen, "✓ starts and listens")
	return cmd, home, stdout, seen, stderr
}

// TestInterrupt ends a grade in the middle: nothing of it may be left.
func TestInterrupt(t *testing.T) {
	cmd, home, stdout, seen, stderr := gradeHanging(t)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = seen.ReadFrom(stdout)
	mustExit(t, cmd, exitInterrupted)
	if got := stderr.String(); got != "cairn: interrupted\n" {
		t.Errorf("standard error is %q", got)
	}
	if strings.Contains(seen.String(), "✗") || strings.Contains(seen.String(), "ungraded") {
		t.Errorf("an interrupted grade says something about the program:\n%s", seen)
	}
	mustBeClean(t, home)
}

// TestInterruptGitHub holds that GitHub reads commands again after a grade that was
// broken off, and that no report of it is left.
func TestInterruptGitHub(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cairn.xml")
	cmd, _, stdout, seen, _ := gradeHanging(t, "--github", "--junit", file)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = seen.ReadFrom(stdout)
	mustExit(t, cmd, exitInterrupted)
	first, _, _ := strings.Cut(seen.String(), "\n")
	token, ok := strings.CutPrefix(first, "::stop-commands::")
	if !ok || !strings.HasSuffix(seen.String(), "\n::"+token+"::\n") {
		t.Errorf("commands stay switched off:\n%s", seen)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestReaderGone closes the pipe that a grade writes to.
func TestReaderGone(t *testing.T) {
	cmd, home, stdout, _, stderr := gradeHanging(t)
	if err := stdout.Close(); err != nil {
		t.Fatal(err)
	}
	mustExit(t, cmd, exitPipe)
	if stderr.Len() > 0 {
		t.Errorf("standard error is %q", stderr)
	}
	mustBeClean(t, home)
}

func mustExit(t *testing.T, cmd *exec.Cmd, want int) {
	t.Helper()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != want {
		t.Errorf("cairn ended with %v, want status %d", err, want)
	}
}

// mustBeClean requires that neither the program nor a file of the grade is left.
func mustBeClean(t *testing.T, home string) {
	t.Helper()
	mustBeGone(t, filepath.Join(home, "pid"))
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
