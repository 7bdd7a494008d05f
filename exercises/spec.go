package exercises

import (
	"maps"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/services"
)

// Spec is the exercise as the grader needs it. Its Exam is nil when the
// exercise is not in the registry; the grader says so.
func (e *Exercise) Spec() grader.Exercise {
	spec := grader.Exercise{
		ID:      e.ID,
		Title:   e.Title,
		Content: e.Content,
		Edit:    e.Edit,
		Given:   maps.Clone(e.given),
		GoMod:   e.gomod,
		GoSum:   e.gosum,
		Exam:    exams[e.ID],
		Limits: grader.Limits{
			Build:  e.Limits.Build,
			Limits: exam.Limits{Start: e.Limits.Start, Check: e.Limits.Check, Exam: e.Limits.Exam},
		},
	}
	if pg := e.Postgres; pg != nil {
		spec.Fixture = &services.Fixture{Name: e.ID, SQL: pg.Fixture, Extensions: pg.Extensions, MinVersion: pg.Version}
	}
	return spec
}
