package lesson

import (
	"charm.land/bubbles/v2/key"

	"github.com/cairn-learn/cairn/internal/tui/nav"
)

type keys struct {
	Down, Up, PageDown, PageUp, HalfDown, HalfUp, Top, End key.Binding
	NextHeading, PrevHeading                               key.Binding
	Find, NextMatch, PrevMatch                             key.Binding
	Copy, Save, Exercise, Quiz, Go, Back                   key.Binding
}

func newKeys(exercise, quiz bool) keys {
	k := keys{
		Down:        nav.Bind("j ↓", "down", "j", "down"),
		Up:          nav.Bind("k ↑", "up", "k", "up"),
		PageDown:    nav.Bind("space", "page down", "space", "pgdown", "ctrl+f"),
		PageUp:      nav.Bind("b", "page up", "b", "pgup", "ctrl+b"),
		HalfDown:    nav.Bind("d", "half a page down", "d", "ctrl+d"),
		HalfUp:      nav.Bind("u", "half a page up", "u", "ctrl+u"),
		Top:         nav.Bind("g", "beginning", "g", "home"),
		End:         nav.Bind("G", "end", "G", "end"),
		NextHeading: nav.Bind("]", "next heading", "]", "tab"),
		PrevHeading: nav.Bind("[", "heading before", "[", "shift+tab"),
		Find:        nav.Bind("/", "search", "/"),
		NextMatch:   nav.Bind("n", "next match", "n"),
		PrevMatch:   nav.Bind("N", "match before", "N"),
		Copy:        nav.Bind("y", "copy code", "y"),
		Save:        nav.Bind("Y", "code to a file", "Y"),
		Exercise:    nav.Bind("x", "exercise", "x"),
		Quiz:        nav.Bind("a", "questions", "a"),
		Go:          nav.Bind("enter", "questions at the end, else exercise", "enter"),
		Back:        nav.Bind("q", "back", "q", "esc"),
	}
	k.Exercise.SetEnabled(exercise)
	k.Quiz.SetEnabled(quiz)
	k.Go.SetEnabled(exercise || quiz)
	return k
}

// searchKeys are shown while a text to search for is typed.
type searchKeys struct{ Go, Close key.Binding }

func (k searchKeys) Short() []key.Binding { return []key.Binding{k.Go, k.Close} }

func (k searchKeys) Full() []nav.Group {
	return []nav.Group{{Title: "Search", Bindings: k.Short()}}
}

// Keys returns the bindings that work now.
func (s *Screen) Keys() nav.Keys {
	if s.prompt != nil {
		return searchKeys{Go: nav.Bind("enter", "keep the matches", "enter"), Close: nav.Bind("esc", "close", "esc")}
	}
	return s.keys
}

// Short is what the footer shows.
func (k keys) Short() []key.Binding {
	return []key.Binding{k.PageDown, k.Quiz, k.Exercise, k.Find, k.Back, k.NextHeading, k.Copy}
}

// Full is what the help page shows.
func (k keys) Full() []nav.Group {
	return []nav.Group{
		{Title: "Read", Bindings: []key.Binding{k.Down, k.Up, k.PageDown, k.PageUp, k.HalfDown, k.HalfUp, k.Top, k.End, k.NextHeading, k.PrevHeading}},
		{Title: "Do", Bindings: []key.Binding{k.Find, k.NextMatch, k.PrevMatch, k.Copy, k.Save, k.Quiz, k.Exercise, k.Go, k.Back}},
	}
}
