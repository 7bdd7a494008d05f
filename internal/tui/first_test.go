package tui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/tui/firststart"
	"github.com/cairn-learn/cairn/internal/tui/setup"
	"github.com/cairn-learn/cairn/internal/workspace"
)

func TestFirstStartTakesDefaultsByEnter(t *testing.T) {
	n := meet(t, 80, 24, nil, nil)
	n.wants("1 of 3  Which path", "▸ Self-paced", "Onboarding")
	n.press("enter")
	n.wants("2 of 3  Which editor", "▸ nvim", "another")
	n.press("enter")
	n.wants("3 of 3  Where should your files go?", "~/cairn-work", "That is "+filepath.Join(n.home, "cairn-work"))
	n.answer()
	n.wants("Your workspace is", "▸ Modules", "fetching example.com/pgx v5 (2 of 4)", "○ Compiling", "12%", "enter begins with F2 REST CRUD with net/http")
	n.goes("", "")
	n.wants("✓ Modules", "✓ Compiling", "100%", "All is here.")
	n.press("enter")
	n.wants("REST CRUD with net/http")
	if want := (firststart.Answers{Path: "self-paced", Editor: "nvim", Folder: filepath.Join(n.home, "cairn-work")}); len(n.answers) != 1 || n.answers[0] != want {
		t.Errorf("answers %+v, want %+v", n.answers, want)
	}
	n.press("q")
	n.wants("Self-paced: 0 of ", "next: read F2")
	n.press("q")
	if !n.quit {
		t.Error("behind the lesson is something else than the road")
	}
}

func TestFirstStartLandsWhereThePathBegins(t *testing.T) {
	n := meet(t, 80, 24, nil, nil)
	n.press("j", "enter", "enter")
	n.answer()
	n.wants("enter begins with S4 The lost update") // S5 is first, and not written
	n.goes("", "")
	n.press("enter")
	n.wants("The lost update")
	n.press("q")
	n.wants("Onboarding: 0 of 1 stones done, 1 still to be written", "next: read S4 The lost update")
	n.press("g", "n")
	n.wants("Two readers, one writer")
}

func TestFirstStartGoesBack(t *testing.T) {
	n := meet(t, 80, 24, nil, nil)
	n.press("esc", "j", "enter", "j", "enter", "esc")
	n.wants("2 of 3", "▸ vi ")
	n.press("esc")
	n.wants("1 of 3", "▸ Onboarding")
	n.press("esc", "q")
	n.wants("1 of 3")
	n.press("k", "enter", "enter")
	n.answer()
	if a := n.answers[0]; a.Path != "self-paced" || a.Editor != "vi" {
		t.Errorf("answers %+v", a)
	}
	n.goes("", "")
	n.press("esc")
	n.wants("Getting ready") // what was settled is settled
}

func TestFirstStartHasDoctorAndHelp(t *testing.T) {
	n := meet(t, 80, 24, nil, nil)
	n.press("enter", "D")
	n.wants("what cairn needs on this machine", "✓ Go")
	n.press("q", "?")
	n.wants("question before", "doctor: is this machine fit?")
	n.press("esc")
	n.wants("2 of 3")
}

func TestFirstStartQuitLeavesNothing(t *testing.T) {
	for questions := range 3 {
		n := meet(t, 80, 24, nil, nil)
		for range questions {
			n.press("enter")
		}
		n.press("ctrl+c")
		left, err := os.ReadDir(n.home)
		if !n.quit || err != nil || len(left) > 0 || len(n.answers) > 0 {
			t.Errorf("after %d answers: quit %v, left %v, %v, settled %v", questions, n.quit, left, err, n.answers)
		}
	}
}

func TestFirstStartEditorThatIsTyped(t *testing.T) {
	n := meet(t, 80, 24, nil, nil)
	n.press("enter", "j", "j", "enter")
	n.wants("Command:")
	n.press("enter")
	n.wants("2 of 3")
	n.send(tea.PasteMsg{Content: "my-edtior -w\r"})
	n.press("enter")
	n.wants("editor my-edtior -w: it is no program on the PATH")
	n.press("ctrl+u")
	n.refuses("no program")
	n.press("D", "?", "q", "esc")
	n.wants("▸ another")
	n.press("enter")
	n.send(tea.PasteMsg{Content: "my-editor -w"})
	n.press("enter")
	n.wants("3 of 3")
	n.press("esc")
	n.wants("2 of 3")
	n.press("k", "j", "enter")
	n.send(tea.PasteMsg{Content: "my-editor -w"})
	n.press("enter")
	n.answer()
	if a := n.answers[0]; a.Editor != "my-editor -w" {
		t.Errorf("answers %+v", a)
	}
}

// An answer about a command that was changed meanwhile comes too late.
func TestFirstStartDropsLateAnswers(t *testing.T) {
	gate := make(chan error, 1)
	n := meet(t, 80, 24, nil, func(o *Options) {
		o.First.CheckEditor = func(string) error { return <-gate }
	})
	n.press("enter", "j", "j", "enter", "a")
	n.take(keyPress("enter"))
	n.wants("looking for it")
	n.take(keyPress("enter")) // once is enough
	n.take(keyPress("b"))
	n.refuses("looking for it")
	gate <- nil
	n.until(func() bool { return n.pending == 0 })
	n.wants("Command: ab")
	n.take(keyPress("enter"))
	gate <- nil
	n.until(func() bool { return n.pending == 0 })
	n.wants("3 of 3")
}

func TestFirstStartEditorOfTheEnvironment(t *testing.T) {
	for name, tt := range map[string]struct {
		editors []editor.Choice
		keys    []string
		says    []string
		want    string
	}{
		"taken":  {[]editor.Choice{{Command: "vim", Source: "EDITOR"}, {Command: "nano", Source: "PATH"}}, nil, []string{"▸ vim", "what EDITOR says"}, ""},
		"passed": {[]editor.Choice{{Command: "vim", Source: "VISUAL"}, {Command: "nano", Source: "PATH"}}, []string{"j"}, []string{"VISUAL is set and goes before this choice"}, "nano"},
		"wrong": {
			[]editor.Choice{{Command: "nope", Source: "VISUAL", Err: errors.New("VISUAL=nope: nope is no program on the PATH: install it or set VISUAL to another editor")}, {Command: "nano", Source: "PATH"}},
			nil, []string{"▸ nano", "VISUAL=nope: nope is no program on the PATH"}, "nano",
		},
		"none": {nil, nil, []string{"▸ decide later", "No editor was found here."}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := meet(t, 80, 24, nil, func(o *Options) { o.First.Editors = tt.editors })
			n.press("enter")
			n.press(tt.keys...)
			n.wants(tt.says...)
			n.press("enter")
			n.answer()
			if a := n.answers[0]; a.Editor != tt.want {
				t.Errorf("the settings get %q, want %q", a.Editor, tt.want)
			}
		})
	}
}

func TestFirstStartRefusesFolders(t *testing.T) {
	n := meet(t, 80, 24, nil, nil)
	taken := filepath.Join(n.home, "taken")
	save(t, mkdir(t, taken, "notes"), "mine")
	ws, err := workspace.Init(filepath.Join(n.home, "ws"), n.app.opts.Road.Catalogue, "test")
	if err != nil {
		t.Fatal(err)
	}
	n.press("enter", "enter")
	for typed, says := range map[string]string{
		"":               "Type the name of a folder.",
		"  ":             "Type the name of a folder.",
		"$HOME/work":     "only ~",
		"~ada/work":      "only your own is known",
		"taken":          "holds other things (notes) and is no workspace. Nothing was changed",
		"~/taken":        "holds other things (notes)",
		"ws/inside":      "lies in the workspace",
		"taken/notes/in": "not a directory",
	} {
		n.press("ctrl+u")
		n.send(tea.PasteMsg{Content: typed})
		n.press("enter")
		n.wants("3 of 3")
		if !strings.Contains(strings.Join(strings.Fields(n.text()), " "), says) {
			t.Errorf("%q: the screen does not say %q:\n%s", typed, says, n.text())
		}
	}
	if left, err := os.ReadFile(filepath.Join(taken, "notes")); err != nil || string(left) != "mine" || len(n.answers) > 0 {
		t.Errorf("the notes are %q, %v; settled %v", left, err, n.answers)
	}
	n.press("ctrl+u")
	n.send(tea.PasteMsg{Content: "~/ws"}) // a workspace that is there is used
	n.answer()
	if n.answers[0].Folder != ws.Dir || n.app.workspace.Load().Dir != ws.Dir {
		t.Errorf("answers %+v, workspace %s", n.answers, n.app.workspace.Load().Dir)
	}
}

func TestFirstStartTellsOfTheMachineAsItLooks(t *testing.T) {
	results := make(chan doctor.Result, len(findings))
	n := &newcomer{home: t.TempDir()}
	opts := n.options(t)
	opts.First.Home = ""
	opts.First.Examine = func(_ context.Context, each func(doctor.Result)) {
		for r := range results {
			each(r)
		}
	}
	n.rig = startRig(t, opts)
	n.take(tea.WindowSizeMsg{Width: 80, Height: 24})
	n.wants("This machine: looking")
	results <- findings[2]
	n.shows("! Editor")
	n.take(keyPress("enter"))
	results <- findings[1]
	n.shows("✗ Docker")
	n.wants("2 of 3", "→ Start Docker, then check again.")
	if docker, editor := strings.Index(n.text(), "✗ Docker"), strings.Index(n.text(), "! Editor"); docker > editor {
		t.Errorf("the fault comes after the warning:\n%s", n.text())
	}
	results <- doctor.Result{ID: "workspace", Title: "Workspace", Status: doctor.Warn, Saw: "in none", Do: "Run cairn init."}
	close(results)
	n.until(func() bool { return n.pending == 0 })
	n.wants("This machine: 1 fault")
	n.refuses("Workspace")
	n.press("enter", "enter")
	n.wants("HOME is not set")
}

func TestFirstStartSaysWhatCouldNotBeFetched(t *testing.T) {
	n := meet(t, 80, 24, nil, nil)
	n.press("enter", "enter")
	n.answer()
	n.goes("no network: connect and run: cairn init")
	n.wants("✗ Modules", "no network: connect and run: cairn init", "⊘ Compiling", "not done", "Something is missing, but you can read: enter begins with F2")
	n.press("enter")
	n.wants("REST CRUD with net/http")
}

func TestFirstStartFetchesOnWhileTheLearnerReads(t *testing.T) {
	n := meet(t, 80, 24, nil, nil)
	n.press("enter", "enter")
	n.answer()
	n.take(keyPress("enter"))
	n.shows("space page down")
	if bar := n.app.View().ProgressBar; bar == nil || bar.State != tea.ProgressBarDefault || bar.Value != 12 {
		t.Errorf("the terminal's progress bar is %+v", bar)
	}
	n.steps <- ""
	n.until(func() bool { return n.app.setup.Fraction() > 0.5 })
	n.refuses("fetching")
	n.goes("no disk: free some")
	n.wants("Compiling: no disk: free some", "REST CRUD")
	if bar := n.app.View().ProgressBar; bar != nil {
		t.Errorf("the terminal's progress bar stays: %+v", bar)
	}
}

func TestFirstStartSaysThatAnswersAreNotKept(t *testing.T) {
	n := meet(t, 80, 24, nil, func(o *Options) {
		settle := o.First.Settle
		o.First.Settle = func(a firststart.Answers) (*workspace.Workspace, error, error) {
			w, _, err := settle(a)
			return w, errors.New("the disk is read-only"), err
		}
	})
	n.press("enter", "enter")
	n.answer()
	n.wants("Your answers could not be kept: the disk is read-only")
}

// A step that panics is a fault of its own, and not the end of the program.
func TestSetupSurvivesAPanic(t *testing.T) {
	gate := make(chan bool)
	n := meet(t, 80, 24, nil, func(o *Options) {
		o.Setup = [][]setup.Step{{{Title: "Images", Run: func(_ context.Context, say func(setup.Progress)) (string, error) {
			say(setup.Progress{What: "pulling 2 of 4"})
			<-gate
			panic("out of luck")
		}}}}
	})
	n.press("enter", "enter")
	n.answer()
	close(gate)
	n.goes()
	n.wants("✗ Images", "cairn's own fault: out of luck")
}

func TestPathIsChangedOnTheRoad(t *testing.T) {
	kept := ""
	var fault error
	r := newRig(t, Options{Road: withPaths(t), Path: "onboarding", Choose: func(id string) error { kept = id; return fault }}, 80, 24)
	r.wants("Onboarding: 0 of 1", "next: read S4")
	r.press("p")
	r.wants("Which path do you want to walk?", "▸ Onboarding")
	r.press("q")
	r.wants("next: read S4")
	r.press("p", "k", "enter")
	r.wants("Self-paced: 0 of", "next: read F2", "You walk the path Self-paced now.")
	if kept != "self-paced" {
		t.Errorf("kept is %q", kept)
	}
	fault = errors.New("config.yaml:3: unknown key")
	r.press("p", "j", "enter")
	r.wants("next: read S4", "only until you quit: config.yaml:3: unknown key")
}

func TestTroubleIsSaidAtTheStart(t *testing.T) {
	r := newRig(t, Options{Trouble: errors.New("config.yaml:3: unknown key")}, 80, 24)
	r.wants("config.yaml:3: unknown key")
	r.press("j")
	r.refuses("config.yaml")
}
