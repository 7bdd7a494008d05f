package tui

import (
	"context"

	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/lessons"
)

// memory is the store as screens use it. Its methods wait for the disk, so they
// are called from commands.
type memory struct {
	ctx   context.Context
	store progress.Store
}

// answered keeps the answers given to a question, by index.
func (m memory) answered(lesson string, q lessons.Question, chosen []int, right bool) error {
	return m.store.SaveAnswer(m.ctx, progress.QuizAnswer{Lesson: lesson, Question: q.ID, Asked: q.Hash(), Chosen: chosen, Correct: right})
}

// Read says that the learner came to the end of a lesson.
func (m memory) Read(lesson string) error {
	return m.store.SaveRead(m.ctx, progress.LessonRead{Lesson: lesson})
}

// Place returns the section a lesson was left at. A store that can't be read
// says so when something is saved; here there is just no place.
func (m memory) Place(lesson string) (section string, ok bool) {
	p, ok, err := m.store.Place(m.ctx, lesson)
	return p.Heading, ok && err == nil
}

// SavePlace keeps the section that the learner is at.
func (m memory) SavePlace(lesson, section string) error {
	return m.store.SavePlace(m.ctx, progress.Place{Lesson: lesson, Screen: "lesson", Heading: section})
}

// latest returns the lesson that was read last, "" when there is none.
func (m memory) latest() string {
	p, _, err := m.store.Place(m.ctx, "")
	if err != nil {
		return ""
	}
	return p.Lesson
}
