package component

import (
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// Prompt is one line that asks for a text.
type Prompt struct {
	label string
	text  []rune
	at    int // the cursor, before text[at]
}

// NewPrompt returns a prompt with a label and the text to begin with.
func NewPrompt(label, text string) *Prompt {
	p := &Prompt{label: label, text: []rune(text)}
	p.at = len(p.text)
	return p
}

// Value returns the text.
func (p *Prompt) Value() string { return string(p.text) }

// Update takes a key press or a paste, and tells whether the text changed.
func (p *Prompt) Update(msg tea.Msg) bool {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		return p.insert(msg.Content)
	case tea.KeyPressMsg:
		return p.press(msg)
	}
	return false
}

func (p *Prompt) press(msg tea.KeyPressMsg) bool {
	switch msg.String() {
	case "left", "ctrl+b":
		p.at = max(p.at-1, 0)
	case "right", "ctrl+f":
		p.at = min(p.at+1, len(p.text))
	case "home", "ctrl+a":
		p.at = 0
	case "end", "ctrl+e":
		p.at = len(p.text)
	case "backspace", "ctrl+h":
		return p.cut(p.at-1, p.at)
	case "delete", "ctrl+d":
		return p.cut(p.at, p.at+1)
	case "ctrl+u":
		return p.cut(0, p.at)
	case "ctrl+k":
		return p.cut(p.at, len(p.text))
	case "ctrl+w":
		return p.cut(p.wordStart(), p.at)
	default:
		return p.insert(msg.Text)
	}
	return false
}

// insert puts text at the cursor, without line ends and other controls.
func (p *Prompt) insert(text string) bool {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return false
	}
	added := []rune(text)
	p.text = append(p.text[:p.at:p.at], append(added, p.text[p.at:]...)...)
	p.at += len(added)
	return true
}

func (p *Prompt) cut(from, to int) bool {
	from, to = max(from, 0), min(to, len(p.text))
	if from >= to {
		return false
	}
	p.text = append(p.text[:from:from], p.text[to:]...)
	p.at = from
	return true
}

func (p *Prompt) wordStart() int {
	i := p.at
	for i > 0 && unicode.IsSpace(p.text[i-1]) {
		i--
	}
	for i > 0 && !unicode.IsSpace(p.text[i-1]) {
		i--
	}
	return i
}

// View draws the line, and says at which column the cursor stands. Of a text
// that is too long, the part around the cursor is seen.
func (p *Prompt) View(t *theme.Theme, width int) (string, int) {
	label := " " + p.label + " "
	room := max(width-ansi.StringWidth(label)-1, 1)
	text, before := string(p.text), ansi.StringWidth(string(p.text[:p.at]))
	if skip := before - room; skip > 0 {
		text = ansi.TruncateLeft(text, skip, "")
		before -= skip
	}
	return Fit(t.Accent.Render(label)+ansi.Truncate(text, room, ""), width), ansi.StringWidth(label) + before
}
