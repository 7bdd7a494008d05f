package quiz

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
	rows := height - 3 // head, rule, and the line that says how it went
	s.body.SetHeight(rows)
	reveal := 0
	lines := s.memo.Get(drawn{s.rev, width, height}, func() []string {
		var all []string
		all, reveal = s.lines(width)
		s.body.SetLines(all)
		if x := s.current(); reveal > 0 && (x == nil || !x.done) {
			s.body.Reveal(reveal)
		}
		return component.Box(s.body.Visible(), width, rows)
	})
	rule := t.Border.Render(strings.Repeat(theme.Line, width))
	return s.headLine(width) + "\n" + rule + "\n" + strings.Join(lines, "\n") + "\n" + component.Fit(" "+s.verdict(), width), nil
}

func (s *Screen) headLine(width int) string {
	t := s.Theme
	left := " " + t.Heading.Render(s.Stone.Lesson.Stone+" "+s.Stone.Lesson.Title) + t.Muted.Render(" "+theme.Dot+" Questions")
	right := ""
	if s.current() != nil {
		right = fmt.Sprintf("%d of %d ", s.at+1, len(s.questions))
	}
	return component.Fit(left, width-len(right)-1) + " " + t.Muted.Render(right)
}

// lines are the whole text, and the line that must be seen; 0 for none.
func (s *Screen) lines(width int) ([]string, int) {
	switch {
	case s.loadErr != nil:
		return append([]string{""}, component.Wrap(" "+s.loadErr.Error(), width-2)...), 0
	case len(s.questions) == 0:
		return nil, 0
	case s.current() == nil:
		return s.endLines()
	default:
		return s.questionLines(s.current())
	}
}

// questionLines are a question with its answers. The line that must be seen is
// that of the cursor, and after the answer the end of what is said about it.
func (s *Screen) questionLines(x *question) (out []string, reveal int) {
	out = append(out, "")
	for _, line := range trim(x.ask) {
		out = append(out, " "+line)
	}
	out = append(out, "")
	for n := range x.Answers {
		out = append(out, s.answerLines(x, n)...)
		if n == s.cursor && !x.done {
			reveal = len(out) - 1
		}
		if x.done {
			for _, line := range x.because[n] {
				out = append(out, strings.Repeat(" ", indent+1)+s.Theme.Muted.Render(line))
			}
			if x.chosen[n] && reveal == 0 {
				reveal = len(out) - 1
			}
			out = append(out, "")
		}
	}
	return out, reveal
}

func (s *Screen) answerLines(x *question, n int) []string {
	t := s.Theme
	mark, letter := " ", t.Accent
	switch {
	case x.done && x.Answers[n].Right:
		mark, letter = t.Good.Render(theme.Pass), t.Good
	case x.done && x.chosen[n]:
		mark, letter = t.Bad.Render(theme.Fail), t.Bad
	case !x.done && n == s.cursor:
		mark = t.Accent.Render(theme.Cursor)
	}
	taken := " "
	if x.chosen[n] {
		taken = t.Strong.Render(theme.Done)
	}
	lead := fmt.Sprintf(" %s %s %s ", mark, taken, letter.Render(string(rune('a'+n))))
	var out []string
	for i, line := range x.answers[n] {
		if i > 0 {
			lead = strings.Repeat(" ", indent+1)
		}
		out = append(out, lead+line)
	}
	return out
}

// verdict is the line above the footer: what to do, or how it went.
func (s *Screen) verdict() string {
	t := s.Theme
	x := s.current()
	switch {
	case len(s.questions) == 0 || x == nil:
		return ""
	case !x.done && x.Multiple:
		return t.Muted.Render("More than one may be right: choose with the letters, then enter.")
	case !x.done:
		return t.Muted.Render(fmt.Sprintf("Answer with a letter from a to %c, or with the arrows and enter.", 'a'+len(x.Answers)-1))
	}
	word := t.Bad.Render(theme.Fail + " Not quite.")
	if x.right() {
		word = t.Good.Render(theme.Pass + " Right.")
	}
	if s.body.More() {
		word += t.Muted.Render("  More below: space.")
	}
	return word
}

func (s *Screen) endLines() (out []string, reveal int) {
	t := s.Theme
	score := fmt.Sprintf("%d of %d right", s.score(), len(s.questions))
	out = []string{"", " " + t.Strong.Render(score), ""}
	for i := range s.questions {
		x := &s.questions[i]
		mark := t.Muted.Render(theme.Pending)
		switch {
		case x.done && x.right():
			mark = t.Good.Render(theme.Pass)
		case x.done:
			mark = t.Bad.Render(theme.Fail)
		}
		first := ""
		if ask := trim(x.ask); len(ask) > 0 {
			first = ask[0]
		}
		out = append(out, " "+mark+" "+first)
	}
	out = append(out, "")
	for i, e := range s.entries() {
		mark, text := " ", t.Text.Render(e.text)
		if i == s.cursor {
			mark, text, reveal = t.Accent.Render(theme.Cursor), t.Selected.Render(e.text), len(out)
		}
		out = append(out, " "+mark+" "+text)
	}
	return out, reveal
}
