package lessons_test

import (
	"testing"

	"github.com/cairn-learn/cairn/lessons"
)

func TestQuestionHash(t *testing.T) {
	question := func() lessons.Question {
		return lessons.Question{ID: "q", Ask: "Which?", Answers: []lessons.Answer{{Text: "this", Right: true}, {Text: "that"}}, Read: "sql/a#b"}
	}
	was := question().Hash()
	same := question()
	same.Read, same.Answers[1].Because = "", "told better"
	if same.Hash() != was || len(was) != 64 {
		t.Errorf("what surrounds the question changes its hash %q", was)
	}
	for name, change := range map[string]func(*lessons.Question){
		"ask":   func(q *lessons.Question) { q.Ask += "?" },
		"kind":  func(q *lessons.Question) { q.Multiple = true },
		"text":  func(q *lessons.Question) { q.Answers[1].Text = "those" },
		"right": func(q *lessons.Question) { q.Answers[1].Right = true },
		"order": func(q *lessons.Question) { q.Answers[0], q.Answers[1] = q.Answers[1], q.Answers[0] },
	} {
		q := question()
		if change(&q); q.Hash() == was {
			t.Errorf("another %s has the same hash", name)
		}
	}
}
