package lesson

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// View draws the screen.
func (s *Screen) View(width, height int) (string, *tea.Cursor) {
	t := s.Theme
	head := s.headLine(width)
	rule := t.Border.Render(strings.Repeat(theme.Line, width))
	rows := height - 2
	s.text.SetHeight(rows)
	var cursor *tea.Cursor
	if s.prompt != nil {
		line, at := s.prompt.View(t, width)
		head, cursor = line, tea.NewCursor(at, 0)
	}
	key := drawn{s.rev, width, rows, s.text.Top()}
	lines := s.memo.Get(key, func() []string { return s.drawText(width, rows) })
	return head + "\n" + rule + "\n" + strings.Join(lines, "\n"), cursor
}

func (s *Screen) headLine(width int) string {
	t := s.Theme
	left := " " + t.Heading.Render(s.Title())
	if i := s.sectionAt(s.text.Top()); i > 0 && i < len(s.sections) {
		left += t.Muted.Render(" " + theme.Dot + " " + s.sections[i].heading.Text)
	}
	right := ""
	if s.whole { // of a part, nobody can tell
		right = fmt.Sprintf("%d%% ", s.text.Percent())
	}
	if n := len(s.search.matches); n > 0 {
		right = fmt.Sprintf("%q %d of %d   n N   %s", s.search.text, s.search.current+1, n, right)
	}
	return component.Fit(left, width-len([]rune(right))-1) + " " + t.Muted.Render(right)
}

func (s *Screen) drawText(width, rows int) []string {
	t := s.Theme
	if len(s.sections) == 0 {
		return component.Box(s.emptyLines(width), width, rows)
	}
	var lines []string
	for i, line := range s.text.Visible() {
		lines = append(lines, " "+s.search.mark(t, s.text.Top()+i, line))
	}
	if !s.wideNow {
		return component.Box(lines, width, rows)
	}
	side := component.Box(s.drawHeadings(rows), headingsSide, rows)
	return component.Beside(t.Border.Render(theme.Bar), side, component.Box(lines, width-headingsSide-1, rows))
}

func (s *Screen) emptyLines(width int) []string {
	if s.loadErr == nil {
		return nil
	}
	return append([]string{""}, component.Wrap(" "+s.loadErr.Error(), width-2)...)
}

// drawHeadings lists the headings with the current one marked.
func (s *Screen) drawHeadings(rows int) []string {
	t := s.Theme
	now := s.sectionAt(s.text.Top())
	var lines []string
	at := 0
	add := func(i, level int, text string) {
		mark, render := "  ", t.Muted.Render
		if i == now {
			at = len(lines)
			mark, render = t.Accent.Render(theme.Cursor)+" ", t.Strong.Render
		}
		text = strings.Repeat("  ", max(level-2, 0)) + text
		lines = append(lines, " "+mark+render(text))
	}
	for i, section := range s.sections {
		if section.heading.Text != "" && section.heading.Level <= 3 {
			add(i, section.heading.Level, section.heading.Text)
		}
	}
	if s.questions > 0 {
		add(len(s.sections), 2, "Questions")
	}
	if at >= rows {
		lines = lines[at-rows+1:]
	}
	return lines
}
