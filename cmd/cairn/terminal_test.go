package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
)

// inTerminal starts cairn in a terminal of 80 columns and 24 lines, in an empty
// folder, with an environment like a learner's.
func inTerminal(t *testing.T, env []string, args ...string) (*os.File, *exec.Cmd) {
	t.Helper()
	home := t.TempDir()
	withoutTelemetry(t, filepath.Join(home, ".config"))
	cmd := exec.CommandContext(t.Context(), "cairn", args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "TERM=xterm-256color", "CAIRN_THEME=dark", "EDITOR=true"}, env...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return terminal, cmd
}

// withoutTelemetry keeps the go command from counting its calls in a home that is
// removed at the end of the test: it does so in a process that outlives it.
func withoutTelemetry(t *testing.T, config string) {
	t.Helper()
	dir := filepath.Join(config, "go", "telemetry")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mode"), []byte("off\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// screenful is everything a command writes to a terminal.
func screenful(t *testing.T, env []string, args ...string) string {
	t.Helper()
	terminal, cmd := inTerminal(t, env, args...)
	var out bytes.Buffer
	// The other end of a closed terminal reads as an input/output error on Linux.
	if _, err := io.Copy(&out, terminal); err != nil && !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("cairn %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	return strings.ReplaceAll(out.String(), "\r\n", "\n")
}

func TestListInATerminal(t *testing.T) {
	coloured := screenful(t, nil, "list")
	if !strings.Contains(coloured, "\x1b[1mFoundations\x1b[0m\n") {
		t.Errorf("the tracks are not bold:\n%q", coloured[:200])
	}
	for _, env := range [][]string{{"NO_COLOR=yes"}, {"TERM=dumb"}, {"TERM="}} {
		plain := screenful(t, env, "list")
		if strings.Contains(plain, "\x1b") {
			t.Errorf("%v: escapes in %q", env, plain[:200])
		}
		if plain != ansi.Strip(coloured) {
			t.Errorf("%v: the list says something else without colours", env)
		}
	}
}

func TestReadInATerminal(t *testing.T) {
	text := screenful(t, nil, "read", "F2")
	if !strings.Contains(text, "\x1b[") || strings.Contains(ansi.Strip(text), "\n## ") {
		t.Errorf("the lesson is not set for reading:\n%.400q", text)
	}
	for line := range strings.Lines(text) {
		if n := ansi.StringWidth(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if plain := screenful(t, []string{"NO_COLOR=yes"}, "read", "F2"); colour.MatchString(plain) {
		t.Errorf("colours in spite of NO_COLOR:\n%.400q", plain)
	}
	if !colour.MatchString(text) {
		t.Errorf("no colours:\n%.400q", text)
	}
}

// TestGradeInATerminal holds that progress is shown while it lasts and leaves
// nothing behind, and that a terminal that can't move its cursor gets the same text.
func TestGradeInATerminal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "restcrud")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "restcrud.go"), []byte(reference(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	env := []string{"GOPROXY=off", "GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE")}
	args := []string{"grade", "--dir", dir, "--seed", "1"}
	text := screenful(t, env, args...)
	for _, want := range []string{"building your program …", "1 of 22: starts and listens", "22 of 22: keeps its parcels"} {
		if !strings.Contains(ansi.Strip(text), want) {
			t.Errorf("the progress does not show %q", want)
		}
	}
	left := regexp.MustCompile(`(?m)^.*\r\x1b\[K`).ReplaceAllString(text, "") // what was written over
	plain := screenful(t, append(env, "TERM=dumb"), args...)
	times := regexp.MustCompile(` *\d+(\.\d)?m?s\b`)
	if got, want := times.ReplaceAllString(ansi.Strip(left), ""), times.ReplaceAllString(plain, ""); got != want {
		t.Errorf("what is left on the screen is\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(plain, "\x1b") || strings.Contains(plain, "building") {
		t.Errorf("a dumb terminal is asked to move its cursor:\n%q", plain)
	}
	for line := range strings.Lines(ansi.Strip(left)) {
		if ansi.StringWidth(line) > 80 {
			t.Errorf("wider than the terminal: %q", line)
		}
	}
}

// colour is a sequence that sets a colour of text or ground.
var colour = regexp.MustCompile(`\x1b\[([0-9]*;)*(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]`)

// TestCairnAlone holds that cairn without a command is the list on a terminal
// that cannot move its cursor, and else the screens, which leave the terminal
// as they found it.
func TestCairnAlone(t *testing.T) {
	if got, want := screenful(t, []string{"TERM=dumb"}), screenful(t, []string{"TERM=dumb"}, "list"); got != want {
		t.Errorf("on a dumb terminal:\n%s", got)
	}
	terminal, cmd := inTerminal(t, nil)
	var out bytes.Buffer
	readUntil(t, terminal, &out, "\x1b[?1049h")
	readUntil(t, terminal, &out, "Which path")
	if _, err := terminal.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	readUntil(t, terminal, &out, "\x1b[?1049l")
	_, _ = io.Copy(&out, terminal)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%q", err, out.String())
	}
}

// readUntil reads from r into out until out holds want. The test's own deadline
// ends a wait that is in vain.
func readUntil(t *testing.T, r io.Reader, out *bytes.Buffer, want string) {
	t.Helper()
	buf := make([]byte, 4096)
	for !bytes.Contains(out.Bytes(), []byte(want)) {
		n, err := r.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			t.Fatalf("the end came before %q: %v\n%q", want, err, out.String())
		}
	}
}
