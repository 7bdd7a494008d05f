// Package component holds the parts that screens are made of. None of them
// does I/O, and all of them draw into a width and height that they are given.
package component

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// Pane is a block of lines that scrolls.
type Pane struct {
	lines  []string
	top    int
	height int
}

// SetLines replaces the content and keeps the position as far as it exists.
func (p *Pane) SetLines(lines []string) {
	p.lines = lines
	p.clamp()
}

// SetHeight sets how many lines are seen.
func (p *Pane) SetHeight(height int) {
	p.height = max(height, 0)
	p.clamp()
}

// Lines returns the content.
func (p *Pane) Lines() []string { return p.lines }

// Top returns the number of the first line seen.
func (p *Pane) Top() int { return p.top }

// Height returns how many lines are seen.
func (p *Pane) Height() int { return p.height }

// ScrollTo puts a line at the top, as far as the content allows.
func (p *Pane) ScrollTo(line int) {
	p.top = line
	p.clamp()
}

// Scroll moves by a number of lines, down when it is positive.
func (p *Pane) Scroll(by int) { p.ScrollTo(p.top + by) }

// Reveal scrolls as little as possible so that a line is seen.
func (p *Pane) Reveal(line int) {
	switch {
	case line < p.top:
		p.ScrollTo(line)
	case line >= p.top+p.height:
		p.ScrollTo(line - p.height + 1)
	}
}

// Center leaves a line that is seen where it is, and puts another into the
// upper half.
func (p *Pane) Center(line int) {
	if line < p.top || line >= p.top+p.height {
		p.ScrollTo(line - p.height/3)
	}
}

// More tells whether lines are hidden below.
func (p *Pane) More() bool { return p.top+p.height < len(p.lines) }

// Percent returns how much of the content has been seen, 100 at the end.
func (p *Pane) Percent() int {
	if len(p.lines) <= p.height {
		return 100
	}
	return 100 * (p.top + p.height) / len(p.lines)
}

// Visible returns the lines that are seen.
func (p *Pane) Visible() []string {
	end := min(p.top+p.height, len(p.lines))
	if p.top >= end {
		return nil
	}
	return p.lines[p.top:end]
}

func (p *Pane) clamp() {
	p.top = max(min(p.top, len(p.lines)-p.height), 0)
}

// Fit cuts or pads a line to exactly width cells.
func Fit(line string, width int) string {
	if width <= 0 {
		return ""
	}
	w := ansi.StringWidth(line)
	if w > width {
		line = ansi.Truncate(line, width, theme.Ellipsis)
		w = ansi.StringWidth(line)
	}
	return line + strings.Repeat(" ", width-w)
}

// Box fits lines into width by height cells.
func Box(lines []string, width, height int) []string {
	out := make([]string, height)
	for i := range out {
		if i < len(lines) {
			out[i] = Fit(lines[i], width)
		} else {
			out[i] = strings.Repeat(" ", max(width, 0))
		}
	}
	return out
}

// Beside joins columns of equally many lines, with a divider between them.
func Beside(divider string, columns ...[]string) []string {
	var out []string
	for i := range columns[0] {
		var b strings.Builder
		for j, c := range columns {
			if j > 0 {
				b.WriteString(divider)
			}
			b.WriteString(c[i])
		}
		out = append(out, b.String())
	}
	return out
}

// Wrap breaks text into lines of at most width cells, at blanks where it can.
func Wrap(text string, width int) []string {
	if width <= 0 {
		return nil
	}
	text = strings.ReplaceAll(text, "\t", "    ")
	return strings.Split(ansi.Wrap(text, width, ""), "\n")
}

// Rule draws a line across width cells with a title in it.
func Rule(t *theme.Theme, title string, width int) string {
	if title == "" {
		return t.Border.Render(strings.Repeat(theme.Line, max(width, 0)))
	}
	title = ansi.Truncate(title, max(width-4, 1), theme.Ellipsis)
	rest := width - 4 - ansi.StringWidth(title)
	return t.Border.Render(theme.Line+theme.Line+" ") + t.Strong.Render(title) + " " + t.Border.Render(strings.Repeat(theme.Line, max(rest, 0)))
}

// Memo keeps what was drawn last and draws again only when its key changes.
type Memo[K comparable] struct {
	key   K
	valid bool
	lines []string
}

// Get returns the lines for a key, from build when the key is not the last one.
func (m *Memo[K]) Get(key K, build func() []string) []string {
	if !m.valid || m.key != key {
		m.key, m.lines, m.valid = key, build(), true
	}
	return m.lines
}
