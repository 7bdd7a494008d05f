package lesson

import (
	"fmt"

	"github.com/cairn-learn/cairn/internal/tui/component"
)

// questionLines stand at the end of a lesson that has questions. They are
// asked on a screen of their own.
func (s *Screen) questionLines() []string {
	t := s.Theme
	said := fmt.Sprintf("%d questions on what you have just read, each answer explained.", s.questions)
	if s.questions == 1 {
		said = "One question on what you have just read, its answers explained."
	}
	out := []string{t.Heading.Render("Questions"), ""}
	out = append(out, component.Wrap(said, s.measure)...)
	out = append(out, "", t.Accent.Render("enter")+" answers them.")
	if s.Stone.Exercise != nil {
		out = append(out, t.Accent.Render("x")+" goes straight to the exercise.")
	}
	return append(out, "")
}

// atQuestions tells whether the end with the questions is in view.
func (s *Screen) atQuestions() bool {
	if s.questions == 0 || len(s.starts) == 0 {
		return false
	}
	first := s.starts[len(s.starts)-1]
	return first < s.text.Top()+s.text.Height()
}
