package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// watcher is a cairn that grades on every save.
type watcher struct {
	t            *testing.T
	home, dir    string
	cmd          *exec.Cmd
	said, errors *bytes.Buffer
	out, err     io.Reader
	all          bytes.Buffer // the whole of standard output
}

func startWatching(t *testing.T, source string, args ...string) *watcher {
	t.Helper()
	w := &watcher{t: t, home: t.TempDir(), dir: filepath.Join(t.TempDir(), "restcrud"), said: &bytes.Buffer{}, errors: &bytes.Buffer{}}
	if err := os.Mkdir(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.save(source)
	w.cmd = exec.CommandContext(t.Context(), "cairn", append([]string{"grade", "--watch", "--dir", w.dir}, args...)...)
	w.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.home, "LANG=C.UTF-8", "GOPROXY=off", "GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE")}
	stdout, err1 := w.cmd.StdoutPipe()
	stderr, err2 := w.cmd.StderrPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	w.out, w.err = io.TeeReader(stdout, &w.all), stderr
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return w
}

// save replaces the learner's file at once, as editors do.
func (w *watcher) save(source string) {
	w.t.Helper()
	tmp := filepath.Join(w.dir, ".restcrud.go.tmp")
	if err := os.WriteFile(tmp, []byte(source), 0o644); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(w.dir, "restcrud.go")); err != nil {
		w.t.Fatal(err)
	}
}

// shows waits for a text on standard output that comes after what it showed
// before.
func (w *watcher) shows(text string) {
	w.t.Helper()
	readUntil(w.t, w.out, w.said, text)
	w.said.Next(w.said.Len())
}

// says is shows for standard error.
func (w *watcher) says(text string) {
	w.t.Helper()
	readUntil(w.t, w.err, w.errors, text)
	w.errors.Next(w.errors.Len())
}

func (w *watcher) interrupt(status int) {
	w.t.Helper()
	if err := w.cmd.Process.Signal(os.Interrupt); err != nil {
		w.t.Fatal(err)
	}
	_, _ = w.said.ReadFrom(w.out)
	_, _ = w.errors.ReadFrom(w.err)
	if status == 0 {
		if err := w.cmd.Wait(); err != nil {
			w.t.Errorf("cairn ended with %v, want status 0", err)
		}
	} else {
		mustExit(w.t, w.cmd, status)
	}
	if strings.Contains(w.errors.String(), "interrupted") {
		w.t.Errorf("an interrupt is how it ends, and it says %q", w.errors)
	}
}

func reference(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "exercises", "restcrud", "restcrud.go"))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

const noCode = "package restcrud\n"

// TestWatch saves a broken program, a right one, and one that hangs; the last is
// replaced while it is graded.
func TestWatch(t *testing.T) {
	t.Parallel()
	right := reference(t)
	for _, args := range [][]string{nil, {"--poll"}} {
		w := startWatching(t, noCode, args...)
		w.shows("broken")
		w.says("watching ")
		w.save(right)
		w.says("saved at ")
		w.shows("passed · ")
		w.says("watching ")
		pid := filepath.Join(w.home, "pid")
		w.save(strings.ReplaceAll(hanging, "PIDFILE", strconv.Quote(pid)))
		w.shows("✓ starts and listens")
		w.save(right + "\n")
		w.says("saved at ")
		w.shows("passed · ")
		w.says("watching ")
		mustBeGone(t, pid)
		w.save(noCode)
		w.shows("broken")
		w.says("watching ")
		w.interrupt(exitFailed)
	}
}

// TestWatchTouch holds that only a change grades again: saving the same, a touch
// and a test of the learner's own do not. Every grade replaces the JUnit file.
func TestWatchTouch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cairn.xml")
	w := startWatching(t, noCode, "--json", "--junit", file)
	w.shows("\"verdict\": \"broken\"")
	w.says("watching ")
	holds(t, file, `failures="1"`)
	w.save(noCode)
	if err := os.Chtimes(filepath.Join(w.dir, "restcrud.go"), time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "restcrud_test.go"), []byte(noCode), 0o644); err != nil {
		t.Fatal(err)
	}
	w.save(reference(t))
	w.says("watching ")
	w.interrupt(exitOK)
	if n := strings.Count(w.all.String(), `"verdict": `); n != 2 || !strings.Contains(w.all.String(), `"verdict": "passed"`) {
		t.Errorf("%d grades, want 2, the second passed:\n%s", n, &w.all)
	}
	holds(t, file, `failures="0"`)
}

func holds(t *testing.T, file, want string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(content), want) {
		t.Errorf("%s holds no %s (%v):\n%s", file, want, err, content)
	}
}

// TestWatchInterruptedGrade ends in the middle of a grade: nothing is left.
func TestWatchInterruptedGrade(t *testing.T) {
	w := startWatching(t, noCode)
	w.shows("broken")
	w.says("watching ")
	w.save(strings.ReplaceAll(hanging, "PIDFILE", strconv.Quote(filepath.Join(w.home, "pid"))))
	w.shows("✓ starts and listens")
	w.interrupt(exitFailed)
	mustBeClean(t, w.home)
}
