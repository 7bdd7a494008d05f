package theme

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/workspace"
)

// The signs the screens use. Meaning never hangs on colour alone.
const (
	Done      = "●"
	Started   = "◐"
	Open      = "○"
	Failing   = "✗" // a stone whose last attempt failed
	Unwritten = "·"
	Pass      = "✓"
	Fail      = "✗"
	Running   = "▸"
	Pending   = "○"
	Blocked   = "⊘"
	Cursor    = "▸"
	Bar       = "│"
	Line      = "─"
	Arrow     = "→"
	Dot       = "·"
	Ellipsis  = "…"
)

// ascii holds the replacement of each sign for terminals without Unicode. Each
// is as wide as what it replaces, so that a finished frame keeps its columns.
var ascii = map[string]string{
	Done: "*", Started: "+", Open: "o", Fail: "x", Pass: "v", Running: ">", Blocked: "-",
	Bar: "|", Line: "-", Arrow: ">", Dot: ".", Ellipsis: "~",
	"┬": "+", "┴": "+", "├": "+", "┤": "+", "┼": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+",
	"╭": "+", "╮": "+", "╰": "+", "╯": "+", "═": "=", "║": "|", "▶": ">", "◀": "<", "←": "<", "↑": "^", "↓": "v",
	"▼": "v", "▲": "^", "■": "#", "█": "#", "░": ".", "▒": ":", "▌": "|", "•": "*", "×": "x", "–": "-", "—": "-",
	"‘": "'", "’": "'", "“": "\"", "”": "\"", "›": ">", "≤": "<", "≥": ">", "≠": "#", "µ": "u", "\u00a0": " ",
}

// ASCII returns a finished frame with every character outside ASCII replaced
// by one of the same width, "?" where there is no likeness. Escape sequences
// stay as they are.
func ASCII(frame string) string {
	var b strings.Builder
	b.Grow(len(frame))
	var state byte
	for len(frame) > 0 {
		seq, width, n, next := ansi.DecodeSequence(frame, state, nil)
		switch {
		case width == 0, width == 1 && n == 1:
			b.WriteString(seq)
		default:
			if as, ok := ascii[seq]; ok {
				b.WriteString(as)
			} else {
				b.WriteString(strings.Repeat("?", width))
			}
		}
		state, frame = next, frame[n:]
	}
	return b.String()
}

// StateGlyph returns the sign of a stone's state and the style that goes with it.
func (t *Theme) StateGlyph(state workspace.State) string {
	switch state {
	case workspace.Passed, workspace.Read:
		return t.Good.Render(Done)
	case workspace.Failed:
		return t.Bad.Render(Failing)
	case workspace.Started:
		return t.Warn.Render(Started)
	case workspace.Unwritten:
		return t.Muted.Render(Unwritten)
	default:
		return t.Text.Render(Open)
	}
}
