package tui

import (
	"charm.land/bubbles/v2/key"

	"github.com/cairn-learn/cairn/internal/tui/nav"
)

// globalKeys work on every screen. Only quit and suspend work while a text is
// being typed.
type globalKeys struct {
	Help    key.Binding
	Doctor  key.Binding
	Suspend key.Binding
	Quit    key.Binding
}

func newGlobalKeys() globalKeys {
	return globalKeys{
		Help:    nav.Bind("?", "help", "?"),
		Doctor:  nav.Bind("D", "doctor: is this machine fit?", "D"),
		Suspend: nav.Bind("ctrl+z", "suspend (fg comes back)", "ctrl+z"),
		Quit:    nav.Bind("ctrl+c", "quit", "ctrl+c"),
	}
}

func (k globalKeys) group() nav.Group {
	return nav.Group{Title: "Everywhere", Bindings: []key.Binding{k.Help, k.Doctor, k.Suspend, k.Quit}}
}

// helpKeys work while the help is open.
type helpKeys struct {
	Close, Up, Down key.Binding
}

func newHelpKeys() helpKeys {
	return helpKeys{
		Close: nav.Bind("esc", "close", "esc", "?", "q", "enter"),
		Up:    nav.Bind("k", "up", "k", "up"),
		Down:  nav.Bind("j", "down", "j", "down"),
	}
}

func (k helpKeys) short() []key.Binding { return []key.Binding{k.Close, k.Down, k.Up} }

// promptKeys work while the workspace's folder is asked for.
type promptKeys struct {
	Accept, Cancel key.Binding
}

func newPromptKeys() promptKeys {
	return promptKeys{
		Accept: nav.Bind("enter", "make it", "enter"),
		Cancel: nav.Bind("esc", "not now", "esc"),
	}
}
