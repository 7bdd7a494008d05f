package roadmap

import (
	"charm.land/bubbles/v2/key"

	"github.com/cairn-learn/cairn/internal/tui/nav"
)

type keys struct {
	Up, Down, PageUp, PageDown, First, Last key.Binding
	Next, Open, Read, Exercise, Find, Quit  key.Binding
	Path                                    key.Binding
}

func newKeys() keys {
	return keys{
		Up:       nav.Bind("k ↑", "up", "k", "up"),
		Down:     nav.Bind("j ↓", "down", "j", "down"),
		PageUp:   nav.Bind("pgup", "ten up", "pgup", "ctrl+u"),
		PageDown: nav.Bind("pgdn", "ten down", "pgdown", "ctrl+d"),
		First:    nav.Bind("g", "first stone", "g", "home"),
		Last:     nav.Bind("G", "last stone", "G", "end"),
		Next:     nav.Bind("n", "next", "n"),
		Open:     nav.Bind("enter", "open", "enter"),
		Read:     nav.Bind("r", "read", "r"),
		Exercise: nav.Bind("x", "exercise", "x"),
		Find:     nav.Bind("/", "find", "/"),
		Path:     nav.Bind("p", "path", "p"),
		Quit:     nav.Bind("q", "quit", "q"),
	}
}

// filterKeys are shown while the filter is open; the text takes all others.
type filterKeys struct{ Open, Move, Close key.Binding }

func newFilterKeys() filterKeys {
	return filterKeys{
		Open:  nav.Bind("enter", "open", "enter"),
		Move:  nav.Bind("↑↓", "choose", "up", "down"),
		Close: nav.Bind("esc", "all stones", "esc"),
	}
}

func (k filterKeys) Short() []key.Binding { return []key.Binding{k.Open, k.Move, k.Close} }

func (k filterKeys) Full() []nav.Group {
	return []nav.Group{{Title: "Find", Bindings: k.Short()}}
}

// Keys returns the bindings that work now.
func (s *Screen) Keys() nav.Keys {
	if s.filter != nil {
		return newFilterKeys()
	}
	return s.keys
}

// Short is what the footer shows.
func (k keys) Short() []key.Binding {
	return []key.Binding{k.Next, k.Open, k.Read, k.Exercise, k.Find, k.Path, k.Quit}
}

// Full is what the help page shows.
func (k keys) Full() []nav.Group {
	return []nav.Group{
		{Title: "The road", Bindings: []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.First, k.Last, k.Find, k.Path}},
		{Title: "A stone", Bindings: []key.Binding{k.Next, k.Open, k.Read, k.Exercise, k.Quit}},
	}
}
