package lesson

import (
	"fmt"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/component"
	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/lessons"
)

// quiz is the questions at the end of the lesson, and what was answered.
type quiz struct {
	questions []question
}

type question struct {
	lessons.Question
	ask         markdown.Text
	chosen      []bool
	done        bool
	first, last int // lines, in the whole text
}

// take returns a quiz with new renderings and the answers given so far.
func (q *quiz) take(loaded *lessons.Quiz, asks []markdown.Text) *quiz {
	next := &quiz{}
	for i, lq := range loaded.Questions {
		entry := question{Question: lq, ask: asks[i], chosen: make([]bool, len(lq.Answers))}
		if q != nil && i < len(q.questions) && len(q.questions[i].chosen) == len(entry.chosen) {
			entry.chosen, entry.done = q.questions[i].chosen, q.questions[i].done
		}
		next.questions = append(next.questions, entry)
	}
	return next
}

// lines draws the quiz and notes where each question stands, counted from
// offset.
func (q *quiz) lines(t *theme.Theme, width, offset int) []string {
	out := []string{t.Heading.Render("Questions"), ""}
	for i := range q.questions {
		entry := &q.questions[i]
		entry.first = offset + len(out)
		out = append(out, t.Muted.Render(fmt.Sprintf("Question %d of %d", i+1, len(q.questions))))
		out = append(out, entry.ask.Lines...)
		for n, answer := range entry.Answers {
			out = append(out, entry.answerLines(t, n, answer, width)...)
		}
		out = append(out, entry.verdict(t)...)
		entry.last = offset + len(out) - 1
		out = append(out, "")
	}
	return out
}

func (x *question) answerLines(t *theme.Theme, n int, answer lessons.Answer, width int) []string {
	mark, render := " ", t.Text.Render
	switch {
	case x.done && answer.Right:
		mark, render = t.Good.Render(theme.Pass), t.Good.Render
	case x.done && x.chosen[n]:
		mark, render = t.Bad.Render(theme.Fail), t.Bad.Render
	case x.chosen[n]:
		mark = t.Accent.Render(theme.Cursor)
	}
	var out []string
	for i, line := range component.Wrap(answer.Text, width-6) {
		if i == 0 {
			out = append(out, mark+" "+t.Accent.Render(fmt.Sprint(n+1))+"  "+render(line))
		} else {
			out = append(out, "     "+render(line))
		}
	}
	if x.done && (x.chosen[n] || answer.Right) {
		for _, line := range component.Wrap(answer.Because, width-6) {
			out = append(out, "     "+t.Muted.Render(line))
		}
	}
	return out
}

func (x *question) verdict(t *theme.Theme) []string {
	switch {
	case !x.done && x.Multiple:
		return []string{"", t.Muted.Render("More than one may be right: choose with the numbers, then enter.")}
	case !x.done:
		return []string{"", t.Muted.Render(fmt.Sprintf("Answer with 1 to %d.", len(x.Answers)))}
	case x.Correct(x.picked()...):
		return []string{"", t.Good.Render("Right.")}
	case x.Read != "":
		return []string{"", t.Bad.Render("Not quite.") + t.Muted.Render(" Read again: "+x.Read)}
	default:
		return []string{"", t.Bad.Render("Not quite.")}
	}
}

func (x *question) picked() []int {
	var out []int
	for i, on := range x.chosen {
		if on {
			out = append(out, i)
		}
	}
	return out
}

// inView returns the first question that is not answered and of which every
// answer is seen, or else any of it, or nil.
func (q *quiz) inView(top, height int) *question {
	if q == nil {
		return nil
	}
	var partly *question
	for i := range q.questions {
		x := &q.questions[i]
		if x.done || x.last < top || x.first >= top+height {
			continue
		}
		if x.first >= top && x.last < top+height {
			return x
		}
		if partly == nil {
			partly = x
		}
	}
	return partly
}

// pressQuiz answers the question in view and tells whether the key was taken.
func (s *Screen) pressQuiz(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	x := s.quiz.inView(s.text.Top(), s.text.Height())
	if x == nil {
		return nil, false
	}
	switch {
	case key.Matches(msg, s.keys.Answer):
		n := int(msg.String()[0] - '1')
		if n >= len(x.chosen) {
			return nil, true
		}
		x.chosen[n] = !x.chosen[n] || !x.Multiple
		x.done = !x.Multiple
	case key.Matches(msg, s.keys.Check) && x.Multiple && len(x.picked()) > 0:
		x.done = true
	default:
		return nil, false
	}
	s.assemble()
	return nil, true
}
