// Package diagnosis is the screen that says whether this machine has what cairn
// needs, and for each thing that is missing the one thing to do.
package diagnosis

import (
	"context"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// Examine looks at the machine. It is called from a command and may take long.
type Examine func(context.Context) []doctor.Result

// Screen shows the results of one examination.
type Screen struct {
	ctx     context.Context
	close   context.CancelFunc
	examine Examine
	theme   *theme.Theme
	keys    keys

	request int // id of the last examination; older results are dropped
	running bool
	results []doctor.Result

	body component.Pane
	rev  int
	memo component.Memo[drawn]
}

type drawn struct{ rev, width, height int }

// New returns the screen; Init begins to examine.
func New(ctx context.Context, examine Examine, t *theme.Theme) *Screen {
	s := &Screen{examine: examine, theme: t, keys: newKeys()}
	s.ctx, s.close = context.WithCancel(ctx)
	return s
}

type examinedMsg struct {
	to      *Screen
	request int
	results []doctor.Result
}

// Init begins to examine.
func (s *Screen) Init() tea.Cmd { return s.again() }

func (s *Screen) again() tea.Cmd {
	s.request++
	s.running = true
	id, ctx, examine := s.request, s.ctx, s.examine
	return func() tea.Msg {
		return examinedMsg{to: s, request: id, results: examine(ctx)}
	}
}

// SetTheme changes the look.
func (s *Screen) SetTheme(t *theme.Theme) tea.Cmd {
	s.theme = t
	s.rev++
	return nil
}

// Title is the title of the window.
func (s *Screen) Title() string { return "Doctor" }

// Typing is false: nothing is typed here.
func (s *Screen) Typing() bool { return false }

// Busy tells whether the machine is being examined.
func (s *Screen) Busy() bool { return s.running }

// Close stops the examination.
func (s *Screen) Close() { s.close() }

// Update takes a message.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case examinedMsg:
		if msg.to == s && msg.request == s.request {
			s.running, s.results = false, msg.results
			s.rev++
		}
	case tea.KeyPressMsg:
		s.rev++
		return s.press(msg)
	}
	return nil
}

func (s *Screen) press(msg tea.KeyPressMsg) tea.Cmd {
	page := max(s.body.Height()-2, 1)
	switch {
	case key.Matches(msg, s.keys.Again) && !s.running:
		return s.again()
	case key.Matches(msg, s.keys.Down):
		s.body.Scroll(1)
	case key.Matches(msg, s.keys.Up):
		s.body.Scroll(-1)
	case key.Matches(msg, s.keys.PageDown):
		s.body.Scroll(page)
	case key.Matches(msg, s.keys.PageUp):
		s.body.Scroll(-page)
	case key.Matches(msg, s.keys.Back):
		return nav.Go(nav.Back{})
	}
	return nil
}

// View draws the screen.
func (s *Screen) View(width, height int) (string, *tea.Cursor) {
	t := s.theme
	rows := height - 2
	lines := s.memo.Get(drawn{s.rev, width, height}, func() []string {
		s.body.SetHeight(rows)
		s.body.SetLines(Lines(t, s.results, width))
		return component.Box(s.body.Visible(), width, rows)
	})
	status := s.status()
	head := component.Fit(" "+t.Heading.Render("Doctor")+t.Muted.Render(" "+theme.Dot+" what cairn needs on this machine"), width)
	rule := component.Fit(component.Rule(t, status, width), width)
	return head + "\n" + rule + "\n" + strings.Join(lines, "\n"), nil
}

func (s *Screen) status() string {
	if s.running {
		return "checking" + theme.Ellipsis
	}
	return Summary(s.results)
}

// Summary says in a few words how an examination came out.
func Summary(results []doctor.Result) string {
	faults, warnings := 0, 0
	for _, r := range results {
		switch r.Status {
		case doctor.Fault:
			faults++
		case doctor.Warn:
			warnings++
		}
	}
	switch {
	case faults == 1:
		return "1 fault"
	case faults > 1:
		return fmt.Sprintf("%d faults", faults)
	case warnings > 0:
		return "cairn can work; something could be better"
	default:
		return "cairn has all it needs"
	}
}

// nameWidth is the room for the name of a check.
const nameWidth = 12

// Lines draws results: what is there, and below it what to do.
func Lines(t *theme.Theme, results []doctor.Result, width int) []string {
	var out []string
	room := max(width-nameWidth-5, 20)
	for _, r := range results {
		sign := t.Good.Render(theme.Pass)
		switch r.Status {
		case doctor.Warn:
			sign = t.Warn.Render("!")
		case doctor.Fault:
			sign = t.Bad.Render(theme.Fail)
		}
		lead := " " + sign + " " + t.Strong.Render(component.Fit(r.Title, nameWidth)) + " "
		for i, line := range component.Wrap(r.Saw, room) {
			if i > 0 {
				lead = strings.Repeat(" ", nameWidth+4)
			}
			out = append(out, lead+line)
		}
		if r.Do == "" {
			continue
		}
		for i, line := range component.Wrap(r.Do, room-2) {
			mark := "  "
			if i == 0 {
				mark = t.Accent.Render(theme.Arrow) + " "
			}
			out = append(out, strings.Repeat(" ", nameWidth+4)+mark+t.Strong.Render(line))
		}
	}
	return out
}

type keys struct {
	Again, Down, Up, PageDown, PageUp, Back key.Binding
}

func newKeys() keys {
	return keys{
		Again:    nav.Bind("r", "check again", "r", "enter"),
		Down:     nav.Bind("j ↓", "down", "j", "down"),
		Up:       nav.Bind("k ↑", "up", "k", "up"),
		PageDown: nav.Bind("space", "page down", "space", "pgdown", "ctrl+d"),
		PageUp:   nav.Bind("b", "page up", "b", "pgup", "ctrl+u"),
		Back:     nav.Bind("q", "back", "q", "esc"),
	}
}

// Keys returns the bindings.
func (s *Screen) Keys() nav.Keys { return s.keys }

// Short is what the footer shows.
func (k keys) Short() []key.Binding { return []key.Binding{k.Again, k.Down, k.Up, k.PageDown, k.Back} }

// Full is what the help page shows.
func (k keys) Full() []nav.Group {
	return []nav.Group{{Title: "Doctor", Bindings: []key.Binding{k.Again, k.Down, k.Up, k.PageDown, k.PageUp, k.Back}}}
}
