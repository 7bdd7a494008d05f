package lesson

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/adrg/xdg"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// search holds the matches of a text in the lines of the lesson.
type search struct {
	text    string
	matches []match
	current int
}

// match is a stretch of cells on a line.
type match struct{ line, from, to int }

// find collects the matches of text, whatever the case.
func (x *search) find(text string, lines []string) {
	x.text, x.matches = text, nil
	if text == "" {
		return
	}
	needle := strings.ToLower(text)
	for n, line := range lines {
		bare := strings.ToLower(ansi.Strip(line))
		for from := 0; ; {
			i := strings.Index(bare[from:], needle)
			if i < 0 {
				break
			}
			start := ansi.StringWidth(bare[:from+i])
			x.matches = append(x.matches, match{n, start, start + ansi.StringWidth(needle)})
			from += i + len(needle)
		}
	}
	x.current = min(x.current, max(len(x.matches)-1, 0))
}

// mark returns a line with its matches highlighted.
func (x *search) mark(t *theme.Theme, n int, line string) string {
	var ranges []lipgloss.Range
	for i, m := range x.matches {
		if m.line != n {
			continue
		}
		style := t.Match
		if i == x.current {
			style = t.MatchNow
		}
		ranges = append(ranges, lipgloss.NewRange(m.from, m.to, style))
	}
	if len(ranges) == 0 {
		return line
	}
	return lipgloss.StyleRanges(line, ranges...)
}

// look searches while the text is being typed, from the first line seen on.
func (s *Screen) look(text string) {
	s.search.find(text, s.text.Lines())
	for i, m := range s.search.matches {
		if m.line >= s.text.Top() {
			s.search.current = i
			s.text.Center(m.line)
			return
		}
	}
	if len(s.search.matches) > 0 {
		s.search.current = 0
		s.text.Center(s.search.matches[0].line)
	}
}

func (s *Screen) pressSearch(msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		s.prompt, s.search = nil, search{}
	case "enter":
		found := len(s.search.matches)
		s.prompt = nil
		s.remember()
		if found == 0 {
			s.search = search{}
			return nav.Go(nav.Notice{Text: "Not found."})
		}
	default:
		if s.prompt.Update(msg) {
			s.look(s.prompt.Value())
		}
	}
	return nil
}

func (s *Screen) toMatch(by int) {
	n := len(s.search.matches)
	if n == 0 {
		return
	}
	s.search.current = (s.search.current + by + n) % n
	s.text.Center(s.search.matches[s.search.current].line)
	s.remember()
}

// saveCode writes code to a file of the cache folder, for terminals that
// ignore the clipboard sequence, and says where.
func saveCode(lesson, source string) tea.Cmd {
	return func() tea.Msg {
		file, err := xdg.CacheFile(filepath.Join("cairn", "copied-"+path.Base(lesson)+".txt"))
		if err == nil {
			err = os.WriteFile(file, []byte(source), 0o600)
		}
		if err != nil {
			return nav.Notice{Text: "The code could not be written: " + err.Error(), Bad: true}
		}
		return nav.Notice{Text: "The code is in " + file}
	}
}
