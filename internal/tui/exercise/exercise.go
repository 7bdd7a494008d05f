// Package exercise is the screen to work on an exercise: its task, its checks
// as they come in, and the evidence behind each of them.
package exercise

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// Grader examines submissions. *grader.Grader is one.
type Grader interface {
	Grade(ctx context.Context, s grader.Submission, events func(grader.Event)) (grader.Report, error)
	Prepare(ctx context.Context, e grader.Exercise) error
}

// Options are what an exercise screen needs.
type Options struct {
	Road      *road.Road
	Stone     *road.Stone          // with an exercise
	Workspace *workspace.Workspace // nil: the learner is asked for one
	Grader    Grader
	Editor    func() (editor.Editor, error)
	Renderer  *markdown.Renderer
	Theme     *theme.Theme
}

// The panes, in the order of tab.
type pane int

const (
	checksPane pane = iota
	evidencePane
	taskPane
)

// What the evidence pane shows.
type page int

const (
	evidencePage page = iota
	logPage
	hintPage
)

// Screen shows one exercise. Row 0 of its list is the result of the whole
// grade, the rows below are the checks.
type Screen struct {
	Options
	ctx   context.Context
	close context.CancelFunc
	keys  keys

	width, height int
	request       int // id of the last loading; older results are dropped

	checks   []report.Check
	running  map[string]bool
	report   *report.Report
	run      *run // nil when none is under way; results of another are dropped
	prepared preparation
	watching *watching // nil when saves are not graded

	row       int  // chosen row of the list
	follow    bool // the choice goes to the first failed check by itself
	focus     pane
	page      page
	hideTask  bool // on a wide window
	taskAlone bool // on a narrow one, where it takes the whole width

	task, evidence, list component.Pane
	hintText             []string
	wanted               textSize // what the text was last asked for
	hints                int      // rungs shown
	asking               bool
	choosing             []report.World // which of them to look at is asked

	rev  int
	memo struct{ checks, evidence, task component.Memo[drawn] }
}

type drawn struct {
	rev, width, height, top int
}

// preparation says how far the services and dependencies are, before the
// learner presses the key.
type preparation struct {
	done bool
	err  error
}

// New returns the screen of an exercise.
func New(ctx context.Context, o Options) *Screen {
	s := &Screen{Options: o, keys: newKeys(o.Stone.Exercise.Services()), running: map[string]bool{}, taskAlone: true, follow: true}
	s.ctx, s.close = context.WithCancel(ctx)
	return s
}

// to is part of every message that a screen sends itself: a screen that was
// left may still get answers, and another must not take them for its own.
type to struct{ screen *Screen }

func (t to) addressee() *Screen { return t.screen }

// textSize is what task and hints are rendered for.
type textSize struct {
	task, hint int
	theme      theme.Name
}

// loadedMsg brings what the workspace and the exam say.
type loadedMsg struct {
	to
	request int
	checks  []report.Check
	report  *report.Report
	made    []string
	hints   int // seen in earlier runs
	err     error
}

// textMsg brings the task and the hints, rendered.
type textMsg struct {
	to
	size       textSize
	task, hint []string
	err        error
}

// preparedMsg says that a grade would find everything warm, or what is missing.
type preparedMsg struct {
	to
	err error
}

// Init reads the workspace, begins the exercise when it was not begun, and
// prepares for the first grade.
func (s *Screen) Init() tea.Cmd {
	cmds := []tea.Cmd{s.load(), s.prepare()}
	if s.Workspace == nil {
		cmds = append(cmds, nav.Go(nav.NeedWorkspace{}))
	}
	return tea.Batch(cmds...)
}

func (s *Screen) load() tea.Cmd {
	s.request++
	id, ws, stone := s.request, s.Workspace, s.Stone
	return func() tea.Msg {
		msg := loadedMsg{to: to{s}, request: id}
		msg.checks, msg.err = listed(stone.Exercise.Spec())
		if ws == nil {
			return msg
		}
		made, err := ws.Start(stone.Exercise)
		msg.made = made
		msg.err = errors.Join(msg.err, err)
		msg.hints = ws.HintsSeen(stone.Exercise.ID)
		last, err := ws.LastReport(stone.Exercise.ID)
		msg.report, msg.err = last, errors.Join(msg.err, err)
		return msg
	}
}

// listed asks the exam for its checks, so that they are seen before the first
// grade.
func listed(e grader.Exercise) ([]report.Check, error) {
	if e.Exam == nil {
		return nil, nil // the grader says what is wrong
	}
	x, err := e.Declare()
	if err != nil {
		return nil, fmt.Errorf("read the exam of %s: %w", e.ID, err)
	}
	var checks []report.Check
	for _, c := range x.Listed() {
		checks = append(checks, report.Check{ID: c[0], Title: c[1]})
	}
	return checks, nil
}

func (s *Screen) prepare() tea.Cmd {
	ctx, g, e := s.ctx, s.Grader, s.Stone.Exercise
	return func() tea.Msg {
		return preparedMsg{to: to{s}, err: g.Prepare(ctx, e.Spec())}
	}
}

// SetTheme changes the look.
func (s *Screen) SetTheme(t *theme.Theme) tea.Cmd {
	s.Theme = t
	s.rev++
	return s.renderText()
}

// Title is the title of the window.
func (s *Screen) Title() string { return s.Stone.Lesson.Stone + " " + s.Stone.Exercise.Title }

// Typing tells whether the next key answers a question.
func (s *Screen) Typing() bool { return s.asking || s.choosing != nil }

// Busy tells whether a grade runs.
func (s *Screen) Busy() bool { return s.run != nil }

// Close stops what runs.
func (s *Screen) Close() {
	if s.run != nil {
		s.run.cancel()
	}
	s.close()
}

// Update takes a message.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	if m, ok := msg.(interface{ addressee() *Screen }); ok && m.addressee() != s {
		return nil
	}
	s.rev++
	return tea.Batch(s.update(msg), s.renderText())
}

func (s *Screen) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case nav.WorkspaceOpened:
		s.Workspace = msg.Workspace
		return s.load()
	case loadedMsg:
		return s.loaded(msg)
	case textMsg:
		return s.rendered(msg)
	case preparedMsg:
		s.prepared = preparation{done: true, err: msg.err}
	case eventsMsg:
		return s.took(msg)
	case gradedMsg:
		return s.graded(msg)
	case editorMsg:
		return s.openEditor(msg)
	case editedMsg:
		return s.edited(msg)
	case watchingMsg:
		return s.watches(msg)
	case savedMsg:
		return s.saved(msg)
	case shellMsg:
		return s.openShell(msg)
	case leftShellMsg:
		return s.leftShell(msg)
	case tea.KeyPressMsg:
		return s.press(msg)
	}
	return nil
}

func (s *Screen) loaded(msg loadedMsg) tea.Cmd {
	if msg.request != s.request {
		return nil
	}
	if s.run == nil {
		s.checks = msg.checks
		if msg.report != nil {
			s.take(msg.report)
		}
	}
	s.hints = max(s.hints, min(msg.hints, len(s.Stone.Exercise.Hints)))
	var cmds []tea.Cmd
	if len(msg.made) > 0 {
		said := fmt.Sprintf("Began: e opens %s in %s", strings.Join(s.Stone.Exercise.Edit, ", "), s.folder())
		cmds = append(cmds, nav.Go(nav.Notice{Text: said}), nav.Go(nav.StateChanged{}))
	}
	if msg.err != nil {
		cmds = append(cmds, nav.Fail(msg.err))
	}
	return tea.Batch(cmds...)
}

// renderText returns the command that renders task and hints for the widths
// and the theme they are shown with, nil when they are.
func (s *Screen) renderText() tea.Cmd {
	size := textSize{s.textWidth(), s.evidenceWidth(), s.Theme.Name}
	if s.width == 0 || size == s.wanted {
		return nil
	}
	s.wanted = size
	r, t, e := s.Renderer, s.Theme, s.Stone.Exercise
	return func() tea.Msg {
		msg := textMsg{to: to{s}, size: size}
		text, err := r.Document(e.Task, size.task, t)
		msg.task, msg.err = text.Lines, err
		for i, rung := range e.Hints {
			lines, err := r.Document(rung, size.hint, t)
			msg.err = errors.Join(msg.err, err)
			head := t.Heading.Render(fmt.Sprintf("Hint %d of %d", i+1, len(e.Hints)))
			msg.hint = append(msg.hint, strings.Join(append([]string{head, ""}, lines.Lines...), "\n"))
		}
		return msg
	}
}

func (s *Screen) rendered(msg textMsg) tea.Cmd {
	if msg.size != s.wanted {
		return nil
	}
	s.hintText = msg.hint
	s.task.SetLines(msg.task)
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	return nil
}

// take shows a report as the last result.
func (s *Screen) take(r *report.Report) {
	s.report = r
	if len(r.Checks) > 0 {
		s.checks = append([]report.Check(nil), r.Checks...)
	} else {
		for i, c := range s.checks {
			s.checks[i] = report.Check{ID: c.ID, Title: c.Title}
		}
	}
	clear(s.running)
	s.taskAlone = false
	if s.follow {
		s.chooseFailed()
	}
}

// passed tells whether the last grade did.
func (s *Screen) passed() bool {
	return s.run == nil && s.report != nil && s.report.Verdict == report.Passed
}

// chooseFailed puts the choice on the first failed check, else on the result.
func (s *Screen) chooseFailed() {
	row := 0
	for i, c := range s.checks {
		if c.Status == report.CheckFailed {
			row = i + 1
			break
		}
	}
	if s.row != row {
		s.row = row
		s.evidence.ScrollTo(0)
	}
}

// chosen returns the check that the choice is on, nil on the result.
func (s *Screen) chosen() *report.Check {
	if s.row < 1 || s.row > len(s.checks) {
		return nil
	}
	return &s.checks[s.row-1]
}
