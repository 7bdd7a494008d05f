package main

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/terminal"
)

// How long the walker waits for a word on the screen before it gives up: for what
// cairn does by itself, and for what it needs a compiler or servers for. A machine
// under load is slow, so both are generous; nothing else depends on them.
const (
	patience     = time.Minute
	longPatience = 5 * time.Minute
)

// walker is a newcomer at a terminal of 80 columns and 24 lines: somebody who
// reads what stands on the screen and presses keys, and an editor that writes what
// the reference solution has.
type walker struct {
	t    *testing.T // of the stone that is walked
	home string
	env  []string
	done []*road.Stone // so far
	*terminal.Terminal
}

// editorScript stands for an editor. It shows itself until enter is pressed, and
// saves the reference solution of the exercise whose folder it was started in.
const editorScript = `#!/bin/sh -e
id=$(basename "$PWD")
printf 'enter saves %s files of %s' "$#" "$id"
read -r line
for file; do
	cp "$EXERCISES/$id/${file#"$PWD"/}" "$file"
done
`

// newWalker starts cairn for somebody who has never used it. Go's caches are the
// real ones, offline.
func newWalker(t *testing.T) *walker {
	t.Helper()
	needServices(t)
	exercises, err := filepath.Abs(filepath.Join("..", "..", "exercises"))
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if home, err = filepath.EvalSymlinks(home); err != nil {
		t.Fatal(err)
	}
	// The go command counts its calls, in a process that may outlive the test.
	telemetry := filepath.Join(home, ".config", "go", "telemetry")
	if err := errors.Join(os.MkdirAll(telemetry, 0o755), os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	editor := filepath.Join(t.TempDir(), "editor")
	if err := os.WriteFile(editor, []byte(editorScript), 0o755); err != nil {
		t.Fatal(err)
	}
	w := &walker{t: t, home: home, env: []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8", "EDITOR=" + editor, "EXERCISES=" + exercises,
		"GOPROXY=off", "GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE"),
	}}
	for _, name := range []string{"DOCKER_HOST", "TESTCONTAINERS_HOST_OVERRIDE", "TESTCONTAINERS_RYUK_DISABLED", "CAIRN_SERVICES"} {
		if value, ok := os.LookupEnv(name); ok {
			w.env = append(w.env, name+"="+value)
		}
	}
	t.Cleanup(func() { stopServers(t, filepath.Join(home, ".local/state", "cairn", "services")) })
	cmd := exec.Command("cairn")
	cmd.Dir, cmd.Env = home, w.env
	if w.Terminal, err = terminal.Start(cmd, 80, 24, color.Black); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// needServices skips the test where there is nothing to run servers in.
func needServices(t *testing.T) {
	t.Helper()
	_, err := services.CheckHost(t.Context(), services.Config{})
	var un *services.Unavailable
	if errors.As(err, &un) && errors.Is(un, fs.ErrNotExist) {
		t.Skip("needs services: ", un)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// press sends keys.
func (w *walker) press(keys string) {
	w.t.Helper()
	if err := w.Type(keys); err != nil {
		w.t.Fatal(err)
	}
}

// sees waits until all these words stand on the screen of cairn.
func (w *walker) sees(words ...string) {
	w.t.Helper()
	w.await(patience, words...)
}

func (w *walker) await(at time.Duration, words ...string) {
	w.t.Helper()
	w.until(at, fmt.Sprintf("the words %q", words), func(s screen) bool {
		for _, word := range words {
			if !strings.Contains(s.flat, word) {
				return false
			}
		}
		return true
	})
}

// until waits for a state of the screen, and returns it.
func (w *walker) until(at time.Duration, what string, holds func(screen) bool) (seen screen) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), at)
	defer cancel()
	err := w.Wait(ctx, func(v terminal.View) bool {
		seen = newScreen(v)
		return v.AltScreen && holds(seen)
	})
	if err != nil {
		w.t.Fatalf("waited for %s: %v", what, err)
	}
	return seen
}

// printed waits for words of another program than cairn, such as an editor.
func (w *walker) printed(words string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	err := w.Wait(ctx, func(v terminal.View) bool { return !v.AltScreen && strings.Contains(v.Text, words) })
	if err != nil {
		w.t.Fatalf("waited for %q: %v", words, err)
	}
}

// screen is what stands on the terminal.
type screen struct {
	lines []string
	flat  string // the lines, and after them the right pane alone, with single blanks
}

var blanks = regexp.MustCompile(`\s+`)

func newScreen(v terminal.View) screen {
	s := screen{lines: strings.Split(v.Text, "\n")}
	var right []string
	for _, line := range s.lines {
		if _, pane, ok := strings.Cut(line, "│"); ok {
			right = append(right, pane)
		}
	}
	s.flat = blanks.ReplaceAllString(v.Text+" "+strings.Join(right, " "), " ")
	return s
}

// has tells whether one line holds all these words.
func (s screen) has(words ...string) bool {
	for _, line := range s.lines {
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			return true
		}
	}
	return false
}

// ask runs a command of cairn for the same learner, and returns what it prints.
func (w *walker) ask(args ...string) []byte {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "cairn", args...)
	cmd.Dir, cmd.Env = w.home, w.env
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("cairn %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}
