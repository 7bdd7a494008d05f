// Package roadmap is the first screen: the road with its stones from top to
// bottom, what the chosen stone teaches, and what to do next.
package roadmap

import (
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/sahilm/fuzzy"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// Attempt is how far the learner is with one stone.
type Attempt struct {
	State  workspace.State
	Record workspace.Record
	Last   *report.Report // nil when never graded
}

// Load reads the learner's attempts by lesson id. It may take its time: the screen
// calls it from a command.
type Load func() (map[string]Attempt, error)

// Latest returns the id of the lesson that was read last, "" when none was. It
// is called from a command.
type Latest func() string

// Screen is the roadmap.
type Screen struct {
	road  *road.Road
	route *road.Route
	load  Load
	last  Latest
	now   func() time.Time
	theme *theme.Theme
	keys  keys

	sections []road.Section
	rows     []*road.Stone // of all sections

	attempts map[string]Attempt
	request  int // id of the last load; older results are dropped
	chosen   bool

	shown  []*road.Stone // what the list holds: all, or what the filter found
	cursor int           // index into shown
	list   component.Pane
	filter *component.Prompt

	rev  int
	memo struct{ list, detail component.Memo[drawn] }
}

// drawn identifies a drawing: the same values give the same lines.
type drawn struct {
	rev, width, height int
}

// New returns the roadmap of a road, for a learner who walks the path with an
// id. It begins at the stone of the latest lesson, unless that is done, else at
// the next one. The clock says which day it is.
func New(r *road.Road, path string, load Load, latest Latest, now func() time.Time, t *theme.Theme) *Screen {
	s := &Screen{road: r, load: load, last: latest, now: now, theme: t, keys: newKeys(), attempts: map[string]Attempt{}}
	s.take(path)
	s.keys.Path.SetEnabled(s.route.Path != nil)
	s.shown = s.rows
	s.cursor = s.index(s.next())
	return s
}

// take lays the road out along a path.
func (s *Screen) take(path string) {
	s.route = s.road.Route(path)
	s.sections, s.rows = s.route.Sections(), nil
	for _, section := range s.sections {
		s.rows = append(s.rows, section.Rows...)
	}
}

type loadedMsg struct {
	request  int
	attempts map[string]Attempt
	latest   string // only asked for once
	err      error
}

// Init reads the learner's attempts.
func (s *Screen) Init() tea.Cmd { return s.reload() }

func (s *Screen) reload() tea.Cmd {
	s.request++
	id, load, latest := s.request, s.load, s.last
	return func() tea.Msg {
		msg := loadedMsg{request: id}
		msg.attempts, msg.err = load()
		if latest != nil {
			msg.latest = latest()
		}
		return msg
	}
}

// SetTheme changes the look.
func (s *Screen) SetTheme(t *theme.Theme) tea.Cmd {
	s.theme = t
	s.rev++
	return nil
}

// Title is the title of the window.
func (s *Screen) Title() string { return "" }

// Typing tells whether the filter has the keyboard.
func (s *Screen) Typing() bool { return s.filter != nil }

// Busy is false: nothing here runs long.
func (s *Screen) Busy() bool { return false }

// Close has nothing to stop.
func (s *Screen) Close() {}

// Update takes a message.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case loadedMsg:
		return s.loaded(msg)
	case nav.StateChanged, nav.WorkspaceOpened:
		return s.reload()
	case nav.PathChosen:
		s.walk(msg.Path)
	case tea.KeyPressMsg:
		s.rev++
		if s.filter != nil {
			return s.pressFilter(msg)
		}
		return s.press(msg)
	case tea.PasteMsg:
		if s.filter != nil && s.filter.Update(msg) {
			s.rev++
			s.find()
		}
	}
	return nil
}

func (s *Screen) loaded(msg loadedMsg) tea.Cmd {
	if msg.request != s.request {
		return nil
	}
	s.rev++
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	s.attempts = msg.attempts
	s.resume(msg.latest)
	if !s.chosen && s.filter == nil {
		s.cursor = s.index(s.next())
	}
	return nil
}

// resume puts the choice where the learner was, when the program begins.
func (s *Screen) resume(lesson string) {
	s.last = nil
	if lesson == "" || s.chosen || s.filter != nil {
		return
	}
	stone, err := s.road.Find(lesson)
	if err != nil || s.state(stone).Done() {
		return // a lesson of another version of the course, or one that is behind
	}
	s.cursor, s.chosen = s.index(stone), true
}

func (s *Screen) press(msg tea.KeyPressMsg) tea.Cmd {
	k := s.keys
	switch {
	case key.Matches(msg, k.Up):
		s.move(-1)
	case key.Matches(msg, k.Down):
		s.move(1)
	case key.Matches(msg, k.PageUp):
		s.move(-10)
	case key.Matches(msg, k.PageDown):
		s.move(10)
	case key.Matches(msg, k.First):
		s.move(-len(s.shown))
	case key.Matches(msg, k.Last):
		s.move(len(s.shown))
	case key.Matches(msg, k.Find):
		s.filter = component.NewPrompt("find", "")
	case key.Matches(msg, k.Next):
		return s.begin(s.next())
	case key.Matches(msg, k.Open):
		return s.begin(s.selected())
	case key.Matches(msg, k.Read):
		return s.read(s.selected())
	case key.Matches(msg, k.Exercise):
		return s.exercise(s.selected())
	case key.Matches(msg, k.Path):
		return nav.Go(nav.OpenPaths{})
	case key.Matches(msg, k.Quit):
		return nav.Go(nav.Back{})
	}
	return nil
}

func (s *Screen) pressFilter(msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		chosen := s.selected()
		s.filter, s.shown = nil, s.rows
		s.cursor = s.index(chosen)
	case "enter":
		chosen := s.selected()
		s.filter, s.shown = nil, s.rows
		s.cursor = s.index(chosen)
		return s.begin(chosen)
	case "up", "ctrl+p":
		s.move(-1)
	case "down", "ctrl+n":
		s.move(1)
	default:
		if s.filter.Update(msg) {
			s.find()
		}
	}
	return nil
}

// find fills the list with what the filter matches, the best first.
func (s *Screen) find() {
	all := s.rows
	s.cursor = 0
	s.chosen = true
	if s.filter.Value() == "" {
		s.shown = all
		return
	}
	s.shown = nil
	for i := range all {
		if strings.Contains(strings.ToLower(haystack(all).String(i)), strings.ToLower(s.filter.Value())) {
			s.shown = append(s.shown, all[i])
		}
	}
	if len(s.shown) > 0 {
		return // who typed a word means it; letters in order are for typos
	}
	for _, m := range fuzzy.FindFrom(s.filter.Value(), haystack(all)) {
		s.shown = append(s.shown, all[m.Index])
	}
}

// haystack is what the filter searches: the names a learner may have in mind.
type haystack []*road.Stone

func (h haystack) Len() int { return len(h) }

func (h haystack) String(i int) string {
	l := h[i].Lesson
	return fmt.Sprintf("%s %s %s %s", l.Stone, l.Title, l.ID, l.Exercise)
}

func (s *Screen) move(by int) {
	s.chosen = true
	s.cursor = max(min(s.cursor+by, len(s.shown)-1), 0)
}

func (s *Screen) selected() *road.Stone {
	if s.cursor < 0 || s.cursor >= len(s.shown) {
		return nil
	}
	return s.shown[s.cursor]
}

func (s *Screen) index(stone *road.Stone) int {
	for i, other := range s.shown {
		if other == stone {
			return i
		}
	}
	return 0
}

// state of a stone, also before the attempts have been read.
func (s *Screen) state(stone *road.Stone) workspace.State {
	if a, ok := s.attempts[stone.Lesson.ID]; ok && a.State != "" {
		return a.State
	}
	if !stone.Lesson.Written {
		return workspace.Unwritten
	}
	return workspace.Open
}

// walk takes another path.
func (s *Screen) walk(path string) {
	s.rev++
	s.take(path)
	if s.filter == nil {
		s.shown = s.rows
		s.cursor = s.index(s.next())
	}
}

// next is the stone to go on with along the path. Nil when everything written is
// done.
func (s *Screen) next() *road.Stone {
	return s.route.Next(s.begun, func(stone *road.Stone) bool { return s.state(stone) == workspace.Open })
}

func (s *Screen) begun(stone *road.Stone) bool {
	state := s.state(stone)
	return state == workspace.Started || state == workspace.Failed
}

// begin does with a stone what comes next: reading it, or its exercise when
// that has been started.
func (s *Screen) begin(stone *road.Stone) tea.Cmd {
	if stone == nil {
		return nav.Go(nav.Notice{Text: "Everything that is written is done. Choose a stone to read it again."})
	}
	switch s.state(stone) {
	case workspace.Started, workspace.Failed:
		return s.exercise(stone)
	default:
		return s.read(stone)
	}
}

func (s *Screen) read(stone *road.Stone) tea.Cmd {
	switch {
	case stone == nil:
		return nil
	case !stone.Lesson.Written:
		return nav.Go(nav.Notice{Text: stone.Lesson.Stone + " " + stone.Lesson.Title + " is not written yet."})
	default:
		return nav.Go(nav.OpenLesson{Stone: stone})
	}
}

func (s *Screen) exercise(stone *road.Stone) tea.Cmd {
	switch {
	case stone == nil:
		return nil
	case stone.Exercise == nil:
		return nav.Go(nav.Notice{Text: stone.Lesson.Stone + " " + stone.Lesson.Title + " has no exercise yet."})
	default:
		return nav.Go(nav.OpenExercise{Stone: stone})
	}
}
