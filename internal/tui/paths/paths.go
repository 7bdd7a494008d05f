// Package paths is the screen on which a learner takes another path through the
// road.
package paths

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/lessons"
)

// Chosen says that the learner takes a path.
type Chosen struct{ Path *lessons.Path }

// Screen lists the paths.
type Screen struct {
	paths  []*lessons.Path
	choice *component.Choice
	theme  *theme.Theme
	keys   keys
	body   component.Pane
}

// New returns the screen. It begins at the path of the route.
func New(r *road.Road, route *road.Route, t *theme.Theme) *Screen {
	var items []component.Item
	at := 0
	for i, p := range r.Course.Paths {
		if p == route.Path {
			at = i
		}
		items = append(items, component.Item{Name: p.Title, Says: p.Summary})
	}
	return &Screen{paths: r.Course.Paths, choice: component.NewChoice(items, at), theme: t, keys: newKeys()}
}

// Init has nothing to begin.
func (s *Screen) Init() tea.Cmd { return nil }

// SetTheme changes the look.
func (s *Screen) SetTheme(t *theme.Theme) tea.Cmd {
	s.theme = t
	return nil
}

// Title is the title of the window.
func (s *Screen) Title() string { return "Paths" }

// Typing is false: nothing is typed here.
func (s *Screen) Typing() bool { return false }

// Busy is false: nothing here runs long.
func (s *Screen) Busy() bool { return false }

// Close has nothing to stop.
func (s *Screen) Close() {}

// Update takes a message.
func (s *Screen) Update(msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil
	}
	switch {
	case key.Matches(press, s.keys.Up):
		s.choice.Move(-1)
	case key.Matches(press, s.keys.Down):
		s.choice.Move(1)
	case key.Matches(press, s.keys.Take):
		return nav.Go(Chosen{Path: s.paths[s.choice.At()]})
	case key.Matches(press, s.keys.Back):
		return nav.Go(nav.Back{})
	}
	return nil
}

// View draws the screen.
func (s *Screen) View(width, height int) (string, *tea.Cursor) {
	t := s.theme
	lines, from, to := s.choice.Lines(t, min(width, 100))
	lines = append(lines, "")
	for _, line := range component.Wrap("The path decides what comes next. What you have done stays done on every path.", min(width, 100)-2) {
		lines = append(lines, " "+t.Muted.Render(line))
	}
	s.body.SetHeight(height - 3)
	s.body.SetLines(lines)
	s.body.Reveal(to)
	s.body.Reveal(from)
	head := []string{
		component.Fit(" "+t.Heading.Render("Paths")+t.Muted.Render(" "+theme.Dot+" ways through the road"), width),
		component.Fit(component.Rule(t, "Which path do you want to walk?", width), width),
		component.Fit("", width),
	}
	return strings.Join(append(head, component.Box(s.body.Visible(), width, height-3)...), "\n"), nil
}

type keys struct {
	Take, Up, Down, Back key.Binding
}

func newKeys() keys {
	return keys{
		Take: nav.Bind("enter", "take it", "enter"),
		Up:   nav.Bind("k ↑", "up", "k", "up"),
		Down: nav.Bind("j ↓", "down", "j", "down"),
		Back: nav.Bind("q", "back", "q", "esc"),
	}
}

// Keys returns the bindings.
func (s *Screen) Keys() nav.Keys { return s.keys }

// Short is what the footer shows.
func (k keys) Short() []key.Binding { return []key.Binding{k.Take, k.Down, k.Up, k.Back} }

// Full is what the help page shows.
func (k keys) Full() []nav.Group {
	return []nav.Group{{Title: "Paths", Bindings: k.Short()}}
}
