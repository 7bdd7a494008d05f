package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/firststart"
	"github.com/cairn-learn/cairn/internal/tui/setup"
	"github.com/cairn-learn/cairn/internal/workspace"
	"github.com/cairn-learn/cairn/lessons"
)

// withPaths is the fixture's road with two paths.
func withPaths(t testing.TB) *road.Road {
	t.Helper()
	r := fixture(t)
	stages := func(stones ...string) []lessons.Stage { return []lessons.Stage{{Title: "One", Stones: stones}} }
	r.Course.Paths = []*lessons.Path{
		{ID: "self-paced", Title: "Self-paced", Summary: "A little of everything early, and back to each subject deeper, as often as it takes.", Stages: stages("F1", "F2", "S1", "S4", "S5", "D1")},
		{ID: "onboarding", Title: "Onboarding", Summary: "Two weeks for a new backend hire.", Stages: stages("S5", "S4")},
	}
	return r
}

// newcomer is somebody who starts cairn for the first time.
type newcomer struct {
	*rig
	home    string
	answers []firststart.Answers // as they were settled
	steps   chan string          // one word lets the setup do a step: "", or why it fails
}

// meet starts cairn for a newcomer; change may adapt what is asked.
func meet(t *testing.T, width, height int, environ []string, change func(*Options)) *newcomer {
	t.Helper()
	n := &newcomer{home: t.TempDir(), steps: make(chan string, 9)}
	opts := n.options(t)
	opts.Environ = environ
	if change != nil {
		change(&opts)
	}
	n.rig = newRig(t, opts, width, height)
	return n
}

func (n *newcomer) options(t *testing.T) Options {
	t.Helper()
	r := withPaths(t)
	step := func(title, what string) setup.Step {
		return setup.Step{Title: title, Run: func(ctx context.Context, say func(setup.Progress)) (string, error) {
			say(setup.Progress{What: what, Done: 1, Total: 4})
			select {
			case wrong := <-n.steps:
				if wrong != "" {
					return "", errors.New(wrong)
				}
				return "all here", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}}
	}
	return Options{
		Road:  r,
		Setup: [][]setup.Step{{step("Modules", "fetching example.com/pgx v5 (2 of 4)"), step("Compiling", "what restcrud is built with (1 of 2)")}},
		First: &firststart.Questions{
			Paths: r.Course.Paths, Home: n.home, Dir: n.home,
			Editors: []editor.Choice{{Command: "nvim", Source: "PATH"}, {Command: "vi", Source: "PATH"}},
			CheckEditor: func(command string) error {
				if command != "my-editor -w" {
					return fmt.Errorf("editor %s: it is no program on the PATH: install it or choose another editor", command)
				}
				return nil
			},
			Settle: func(a firststart.Answers) (*workspace.Workspace, error, error) {
				w, err := workspace.Init(a.Folder, r.Catalogue, "test")
				if err == nil {
					n.answers = append(n.answers, a)
				}
				return w, nil, err
			},
			Examine: func(_ context.Context, each func(doctor.Result)) {
				for _, f := range findings {
					each(f)
				}
				each(doctor.Result{ID: "workspace", Title: "Workspace", Status: doctor.Warn, Saw: "/ is in no workspace", Do: "Run cairn init."})
			},
		},
	}
}

// answer presses enter on the last question, and waits until fetching began.
func (n *newcomer) answer(keys ...string) {
	n.t.Helper()
	n.press(keys...)
	n.take(keyPress("enter"))
	n.shows("Getting ready")
	n.shows("2 of 4")
}

// goes lets the setup end, its steps with these words.
func (n *newcomer) goes(words ...string) {
	n.t.Helper()
	for _, w := range words {
		n.steps <- w
	}
	n.until(func() bool { return !n.app.setup.Running() && n.pending == 0 })
}

func mkdir(t *testing.T, dir, file string) string {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, file)
}
