package lesson

import (
	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/markdown"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/lessons"
)

// render returns the command that renders the lesson for the current measure
// and theme: the first sections at once, then all.
func (s *Screen) render() tea.Cmd {
	if s.measure == 0 {
		return nil
	}
	s.request++
	j := job{to: s, request: s.request, lesson: s.Stone.Lesson, with: s.Renderer, width: s.measure, theme: s.Theme}
	if !s.restored {
		j.progress = s.Progress
	}
	if len(s.sections) == 0 {
		return j.first
	}
	return j.all
}

// job is one rendering of the lesson: everything that a command needs to know.
type job struct {
	to       *Screen
	request  int
	lesson   *lessons.Lesson
	with     *markdown.Renderer
	width    int
	theme    *theme.Theme
	progress Progress // to ask for the place; nil when it is not needed
}

// first renders the sections that fill a screen.
func (j job) first() tea.Msg {
	sections, err := j.lesson.Sections()
	if err != nil {
		return renderedMsg{to: j.to, request: j.request, err: err}
	}
	msg := j.render(sections[:min(firstScreen, len(sections))])
	msg.part = true
	return msg
}

// all renders every section and counts the questions. A lesson without a readable quiz can
// still be read.
func (j job) all() tea.Msg {
	sections, err := j.lesson.Sections()
	if err != nil {
		return renderedMsg{to: j.to, request: j.request, err: err}
	}
	msg := j.render(sections)
	q, err := j.lesson.Quiz()
	if err != nil || msg.err != nil {
		return msg
	}
	msg.questions = len(q.Questions)
	return msg
}

func (j job) render(sections []lessons.Section) renderedMsg {
	msg := renderedMsg{to: j.to, request: j.request}
	if j.progress != nil {
		msg.section, msg.kept = j.progress.Place(j.lesson.ID)
	}
	for _, section := range sections {
		text, err := j.with.Render(section.Source, j.width, j.theme)
		if err != nil {
			msg.err = err
			return msg
		}
		msg.sections = append(msg.sections, rendered{heading: section.Heading, text: text})
	}
	return msg
}
