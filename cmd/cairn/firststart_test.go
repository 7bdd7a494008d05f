package main

import (
	"context"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/internal/tui/terminal"
)

// newcomer is somebody with a home of their own, in which nothing is yet.
type newcomer struct {
	t    *testing.T
	home string
	env  []string
}

func newNewcomer(t *testing.T) *newcomer {
	t.Helper()
	n := &newcomer{t: t, home: t.TempDir()}
	n.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + n.home, "LANG=C.UTF-8", "TERM=xterm-256color", "CAIRN_THEME=dark", "EDITOR=true",
		"XDG_CONFIG_HOME=" + filepath.Join(n.home, "config"), "XDG_STATE_HOME=" + filepath.Join(n.home, "state"),
		"XDG_DATA_HOME=" + filepath.Join(n.home, "data"), "XDG_CACHE_HOME=" + filepath.Join(n.home, "cache"),
		"GOPROXY=off", "GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE"), "GOTELEMETRYDIR=" + filepath.Join(n.home, "telemetry"),
		"DOCKER_HOST=unix:///nonexistent",
	}
	withoutTelemetry(t, filepath.Join(n.home, "config"))
	return n
}

func (n *newcomer) write(name, text string) {
	n.t.Helper()
	name = filepath.Join(n.home, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

func (n *newcomer) read(name string) string {
	n.t.Helper()
	data, err := os.ReadFile(filepath.Join(n.home, name))
	if err != nil {
		n.t.Error(err)
	}
	return string(data)
}

// sitting is one run of cairn in a terminal.
type sitting struct {
	*terminal.Terminal
	t   *testing.T
	ctx context.Context
}

func (n *newcomer) sits() *sitting {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), 2*time.Minute)
	n.t.Cleanup(cancel)
	path, err := exec.LookPath("cairn")
	if err != nil {
		n.t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = n.home, n.env
	term, err := terminal.Start(cmd, 80, 24, color.Black)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(term.Close)
	return &sitting{Terminal: term, t: n.t, ctx: ctx}
}

// sees waits for texts, and then types.
func (s *sitting) sees(text, keys string) {
	s.t.Helper()
	if err := s.WaitText(s.ctx, text); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Type(keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sitting) ends() {
	s.t.Helper()
	if err := s.WaitExit(s.ctx); err != nil {
		s.t.Errorf("cairn ended with %v:\n%s", err, s.View().Text)
	}
}

// TestFirstStart goes from nothing to the first lesson by enter alone. The next
// start asks nothing.
func TestFirstStart(t *testing.T) {
	n := newNewcomer(t)
	s := n.sits()
	s.sees("1 of 3", "\r")
	s.sees("2 of 3", "\r")
	s.sees("3 of 3", "\r")
	s.sees("Your workspace is "+filepath.Join(n.home, "cairn-work"), "")
	s.sees("there is no Docker engine", "")
	s.sees("begins with F2 REST CRUD with net/http", "\r")
	s.sees("page down", "")
	s.sees("The meter that nobody installed", "q")
	s.sees("next: read F2 REST CRUD with net/http", "q")
	s.ends()
	if text := n.read("config/cairn/config.yaml"); !strings.Contains(text, "\npath: self-paced\n") || !strings.Contains(text, "\n# editor: ") {
		t.Errorf("the settings are:\n%s", text)
	}
	n.read("cairn-work/go.mod")

	s = n.sits()
	s.sees("next: read F2 REST CRUD with net/http", "q")
	s.ends()
}

// TestFirstStartInterrupted leaves at every question: nothing has been made, and
// the next start asks again.
func TestFirstStartInterrupted(t *testing.T) {
	n := newNewcomer(t)
	for questions := range 3 {
		s := n.sits()
		for i := range questions {
			s.sees([]string{"1 of 3", "2 of 3"}[i], "\r")
		}
		s.sees([]string{"1 of 3", "2 of 3", "3 of 3"}[questions], "\x03")
		s.ends()
		for _, name := range []string{"config/cairn", "state/cairn/workspace", "cairn-work"} {
			if _, err := os.Lstat(filepath.Join(n.home, name)); !os.IsNotExist(err) {
				t.Errorf("%d answers leave %s: %v", questions, name, err)
			}
		}
	}
}

// TestInitIsAFirstStart holds that who made a workspace by hand is not asked.
func TestInitIsAFirstStart(t *testing.T) {
	n := newNewcomer(t)
	cmd := exec.Command("cairn", "init", filepath.Join(n.home, "mine"))
	cmd.Env = n.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := n.sits()
	s.sees("Self-paced: 0 of", "q")
	s.ends()
}

// TestSettingsThatCannotBeRead are told and left alone.
func TestSettingsThatCannotBeRead(t *testing.T) {
	for text, says := range map[string]string{
		"path: self-paced\nedtior: vim\n": `:2: unknown key "edtior"`,
		"version: 9\n":                    " is of a newer cairn: upgrade it",
		"path: onbording\n":               `:1: no path "onbording"; the nearest is onboarding`,
	} {
		n := newNewcomer(t)
		n.write("config/cairn/config.yaml", text)
		s := n.sits()
		s.sees("next: read F2", "")
		s.sees("~/config/cairn/config.yaml"+says, "\x03")
		s.ends()
		if now := n.read("config/cairn/config.yaml"); now != text {
			t.Errorf("the settings were changed to:\n%s", now)
		}
	}
}
