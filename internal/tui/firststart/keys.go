package firststart

import (
	"charm.land/bubbles/v2/key"

	"github.com/cairn-learn/cairn/internal/tui/nav"
)

type keys struct {
	Take, Up, Down, Back key.Binding
}

func newKeys() keys {
	return keys{
		Take: nav.Bind("enter", "take it", "enter"),
		Up:   nav.Bind("k ↑", "up", "k", "up"),
		Down: nav.Bind("j ↓", "down", "j", "down"),
		Back: nav.Bind("esc", "question before", "esc"),
	}
}

// shown are the bindings that work at one stage.
type shown []key.Binding

// Keys returns the bindings that work now.
func (s *Screen) Keys() nav.Keys {
	k := s.keys
	quit := nav.Bind("ctrl+c", "quit", "ctrl+c")
	switch {
	case s.stage == settling:
		return shown{quit}
	case s.stage == fetching:
		k.Take.SetHelp("enter", "begin")
		return shown{k.Take, k.Down, k.Up, quit}
	case s.command != nil:
		k.Back.SetHelp("esc", "the list")
		return shown{k.Take, k.Back, quit}
	case s.stage == askFolder:
		k.Take.SetHelp("enter", "make it")
		return shown{k.Take, k.Back, quit}
	case s.stage == s.firstQuestion():
		return shown{k.Take, k.Down, k.Up, quit}
	default:
		return shown{k.Take, k.Down, k.Up, k.Back, quit}
	}
}

// Short is what the footer shows.
func (k shown) Short() []key.Binding { return k }

// Full is what the help page shows. Quit stands with the keys of every screen.
func (k shown) Full() []nav.Group {
	return []nav.Group{{Title: "First start", Bindings: k[:len(k)-1]}}
}
