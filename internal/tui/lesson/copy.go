package lesson

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/nav"
)

// codeInView is the first block of code of which a line is seen, or nil.
func (s *Screen) codeInView() *markdown.Code {
	top, end := s.text.Top(), s.text.Top()+s.text.Height()
	for i, c := range s.code {
		if c.Last >= top && c.First < end {
			return &s.code[i]
		}
	}
	return nil
}

func (s *Screen) copyCode(toFile bool) tea.Cmd {
	c := s.codeInView()
	if c == nil {
		return nav.Go(nav.Notice{Text: "No code is in view to copy."})
	}
	if toFile {
		return saveCode(s.Stone.Lesson.ID, c.Source)
	}
	n := strings.Count(strings.TrimRight(c.Source, "\n"), "\n") + 1
	said := fmt.Sprintf("Copied %d lines. If your terminal does not take them, Y writes them to a file.", n)
	return tea.Batch(tea.SetClipboard(c.Source), nav.Go(nav.Notice{Text: said}))
}
