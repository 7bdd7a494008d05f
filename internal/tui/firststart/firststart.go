// Package firststart is the screen of a learner who starts cairn for the first
// time. It asks which path to walk, which editor to use and where to keep the
// exercises, one question at a time, each with an answer that enter takes.
// Beside that it tells what it finds out about the machine, and at last how far
// everything is that has to be fetched.
//
// Nothing is written before the last question is answered.
package firststart

import (
	"context"
	"errors"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/feed"
	"github.com/cairn-learn/cairn/internal/tui/setup"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/internal/workspace"
	"github.com/cairn-learn/cairn/lessons"
)

// Answers are what a learner has chosen.
type Answers struct {
	Path   string // id of a path; "" on a road without paths
	Editor string // a command for the settings; "" leaves it to VISUAL and EDITOR
	Folder string // of the workspace, absolute
}

// Questions are what the screen asks, and with what it finds out about the
// answers. Its functions are called from commands and may take their time.
type Questions struct {
	Paths   []*lessons.Path
	Editors []editor.Choice // of this machine, the likeliest first

	Home string // the learner's home folder, which ~ means
	Dir  string // the folder that cairn was started in

	// CheckEditor says what is wrong with a command that was typed.
	CheckEditor func(command string) error
	// Settle makes or opens the workspace and keeps the answers. When it fails,
	// nothing has been changed that would keep cairn from asking again. kept is
	// why the answers could not be kept, when only that failed.
	Settle func(Answers) (w *workspace.Workspace, kept, err error)
	// Examine looks at the machine and tells every result as it comes; nil: it
	// is not looked at.
	Examine func(ctx context.Context, each func(doctor.Result))
}

// Settled says that all questions are answered, and the answers kept.
type Settled struct {
	Workspace *workspace.Workspace
	Answers   Answers
	Kept      error // why the answers will be forgotten at the end, or nil
}

// Done says that the learner wants to begin.
type Done struct{}

// stage is a question, or what comes after the last.
type stage int

const (
	askPath stage = iota
	askEditor
	askFolder
	settling // the workspace is being made
	fetching // what grades need is being fetched
)

// Screen is the first start.
type Screen struct {
	Questions
	ctx   context.Context
	close context.CancelFunc
	theme *theme.Theme
	keys  keys

	stage   stage
	paths   *component.Choice
	editors *component.Choice
	command *component.Prompt // open while an editor's command is typed
	typed   string            // the command that was typed and found
	folder  *component.Prompt
	unfound string // why a variable names no editor
	trouble string // why the last answer was not taken
	asked   int    // counts what was asked of commands; older answers are dropped
	waiting bool   // an editor is being looked for

	machine struct {
		feed      *feed.Feed[doctor.Result]
		results   []doctor.Result // faults and warnings that the learner can do something about
		examining bool
	}

	settled Settled
	first   string       // what the learner lands on, for the last stage
	setup   *setup.Setup // what is being fetched, in the last stage

	body component.Pane
	rev  int
	memo component.Memo[drawn]
}

type drawn struct{ rev, setup, width, height int }

// defaultFolder is where a learner's files go unless they say otherwise. It is
// not ~/cairn, where a clone of cairn often lies.
const defaultFolder = "~/cairn-work"

// New returns the screen with its first question.
func New(ctx context.Context, q Questions, t *theme.Theme) *Screen {
	s := &Screen{Questions: q, theme: t, keys: newKeys(), folder: component.NewPrompt("Folder:", defaultFolder)}
	s.ctx, s.close = context.WithCancel(ctx)
	s.paths = component.NewChoice(pathItems(q.Paths), 0)
	s.editors = s.newEditors()
	if len(q.Paths) == 0 {
		s.stage = askEditor
	}
	return s
}

func pathItems(paths []*lessons.Path) []component.Item {
	var items []component.Item
	for _, p := range paths {
		items = append(items, component.Item{Name: p.Title, Says: p.Summary})
	}
	return items
}

// Init begins to look at the machine.
func (s *Screen) Init() tea.Cmd {
	if s.Examine == nil {
		return nil
	}
	s.machine.feed, s.machine.examining = feed.New[doctor.Result](), true
	ctx, examine, results := s.ctx, s.Examine, s.machine.feed
	return tea.Batch(func() tea.Msg {
		defer results.Finish()
		examine(ctx, results.Push)
		return nil
	}, s.listen())
}

// foundMsg brings what was found out about the machine.
type foundMsg struct {
	to      *Screen
	results []doctor.Result
	more    bool
}

func (s *Screen) listen() tea.Cmd {
	results := s.machine.feed
	return func() tea.Msg {
		found, more := results.Next()
		return foundMsg{to: s, results: found, more: more}
	}
}

// own are the checks whose faults this very screen puts right.
var own = []string{"workspace", "modules", "images", "settings"}

func (s *Screen) found(msg foundMsg) tea.Cmd {
	for _, r := range msg.results {
		if r.Status != doctor.OK && !slices.Contains(own, r.ID) {
			s.machine.results = append(s.machine.results, r)
		}
	}
	// Faults first; among themselves in the order in which they came.
	slices.SortStableFunc(s.machine.results, func(a, b doctor.Result) int {
		return strings.Compare(string(a.Status), string(b.Status)) // "fault" before "warn"
	})
	if !msg.more {
		s.machine.examining = false
		return nil
	}
	return s.listen()
}

// SetTheme changes the look.
func (s *Screen) SetTheme(t *theme.Theme) tea.Cmd {
	s.theme = t
	s.rev++
	return nil
}

// Title is the title of the window.
func (s *Screen) Title() string { return "First start" }

// Typing tells whether letters belong to an answer.
func (s *Screen) Typing() bool { return s.stage == askFolder || s.command != nil }

// Busy tells whether the workspace is being made.
func (s *Screen) Busy() bool { return s.stage == settling }

// Close stops looking at the machine.
func (s *Screen) Close() { s.close() }

// Update takes a message.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case foundMsg:
		if msg.to != s {
			return nil
		}
		s.rev++
		return s.found(msg)
	case checkedMsg:
		s.rev++
		return s.checked(msg)
	case settledMsg:
		s.rev++
		return s.hasSettled(msg)
	case tea.KeyPressMsg:
		s.rev++
		return s.press(msg)
	case tea.PasteMsg:
		s.rev++
		s.paste(msg)
	}
	return nil
}

// Fetch goes to the last stage: what w does is shown, and enter leads to first.
func (s *Screen) Fetch(w *setup.Setup, first string) {
	s.stage, s.setup, s.first = fetching, w, first
	s.body.ScrollTo(0)
	s.rev++
}

// settledMsg is the answer to an attempt to make the workspace.
type settledMsg struct {
	to   *Screen
	id   int
	done Settled
	err  error
}

func (s *Screen) settle(folder string) tea.Cmd {
	answers := Answers{Folder: folder, Editor: s.chosenEditor()}
	if len(s.Paths) > 0 {
		answers.Path = s.Paths[s.paths.At()].ID
	}
	s.stage, s.trouble = settling, ""
	s.asked++
	id, settle := s.asked, s.Settle
	return func() tea.Msg {
		w, kept, err := settle(answers)
		return settledMsg{to: s, id: id, done: Settled{Workspace: w, Answers: answers, Kept: kept}, err: err}
	}
}

func (s *Screen) hasSettled(msg settledMsg) tea.Cmd {
	if msg.to != s || msg.id != s.asked {
		return nil
	}
	if msg.err != nil {
		s.stage, s.trouble = askFolder, refusal(msg.err)
		return nil
	}
	s.settled = msg.done
	return func() tea.Msg { return msg.done }
}

// refusal says in this screen's words why a folder was not taken.
func refusal(err error) string {
	var foreign *workspace.ForeignError
	var nested *workspace.NestedError
	switch {
	case errors.As(err, &foreign):
		return foreign.Dir + " holds other things (" + foreign.Find + ") and is no workspace. Nothing was changed; name an empty folder or a new one."
	case errors.As(err, &nested):
		return nested.Dir + " lies in the workspace " + nested.Outer + " already. Name that one, or a folder outside of it."
	default:
		return err.Error()
	}
}
