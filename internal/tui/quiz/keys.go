package quiz

import (
	"fmt"

	"charm.land/bubbles/v2/key"

	"github.com/cairn-learn/cairn/internal/tui/nav"
)

type keys struct {
	Letter, Up, Down, Choose, Check key.Binding
	Next, Prev, PageDown, PageUp    key.Binding
	Exercise, Back                  key.Binding
}

func newKeys() keys {
	return keys{
		Letter:   nav.Bind("a-h", "answer", "a", "b", "c", "d", "e", "f", "g", "h"),
		Up:       nav.Bind("k ↑", "answer above", "k", "up"),
		Down:     nav.Bind("j ↓", "answer below", "j", "down"),
		Choose:   nav.Bind("space", "choose", "space"),
		Check:    nav.Bind("enter", "answer", "enter"),
		Next:     nav.Bind("enter", "go on", "enter", "right", "n"),
		Prev:     nav.Bind("p ←", "question before", "p", "left"),
		PageDown: nav.Bind("space", "page down", "pgdown", "space", "ctrl+d"),
		PageUp:   nav.Bind("pgup", "page up", "pgup", "ctrl+u"),
		Exercise: nav.Bind("x", "exercise", "x"),
		Back:     nav.Bind("q", "back", "q", "esc"),
	}
}

// stage are the keys that work now; the help page shows the same groups
// always.
type stage struct {
	keys
	short []key.Binding
}

// Keys returns the bindings that work now.
func (s *Screen) Keys() nav.Keys {
	k := s.keys
	x := s.current()
	k.Prev.SetEnabled(s.at > 0)
	if x != nil {
		k.Letter.SetHelp(fmt.Sprintf("a-%c", 'a'+len(x.Answers)-1), k.Letter.Help().Desc)
	}
	switch {
	case x == nil:
		return stage{k, []key.Binding{nav.Bind("enter", "go there", "enter"), nav.Bind("j ↓", "down", "j"), nav.Bind("k ↑", "up", "k"), k.Prev, k.Back}}
	case x.done:
		return stage{k, []key.Binding{k.Next, k.Prev, k.PageDown, k.Back}}
	case x.Multiple:
		return stage{k, []key.Binding{nav.Bind(k.Letter.Help().Key, "choose several", "a"), nav.Bind("enter", "check", "enter"), k.Down, k.Back, k.Prev}}
	default:
		return stage{k, []key.Binding{k.Letter, k.Down, k.Check, k.Back, k.Prev}}
	}
}

// Short is what the footer shows.
func (k stage) Short() []key.Binding { return k.short }

// Full is what the help page shows.
func (k stage) Full() []nav.Group {
	return []nav.Group{
		{Title: "Answer", Bindings: []key.Binding{k.Letter, k.Down, k.Up, k.Choose, k.Check}},
		{Title: "Go on", Bindings: []key.Binding{k.Next, k.Prev, k.PageDown, k.PageUp, k.Back}},
	}
}
