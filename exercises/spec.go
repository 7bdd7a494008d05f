package exercises

import (
	"go/parser"
	"go/token"
	"strconv"

	"maps"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/services"
)

// Spec is the exercise as the grader needs it. Its Exam is nil when the
// exercise is not in the registry; the grader says so.
func (e *Exercise) Spec() grader.Exercise {
	spec := grader.Exercise{
		ID:       e.ID,
		Title:    e.Title,
		Content:  e.Content,
		Edit:     e.Edit,
		Given:    maps.Clone(e.given),
		GoMod:    e.gomod,
		GoSum:    e.gosum,
		Exam:     exams[e.ID],
		Versions: e.versions,
		Kind:     e.Kind,
		Limits: grader.Limits{
			Build:  e.Limits.Build,
			Limits: exam.Limits{Start: e.Limits.Start, Check: e.Limits.Check, Exam: e.Limits.Exam},
		},
	}
	if pg := e.Postgres; pg != nil {
		spec.Fixture = &services.Fixture{Name: e.ID, SQL: pg.Fixture, Extensions: pg.Extensions, MinVersion: pg.Version}
	}
	if e.Redis != nil {
		spec.Redis = &services.RedisFixture{Name: e.ID, MinVersion: e.Redis.Version}
	}
	if e.Kind.Compiled() || e.Kind == build.Tests {
		spec.Packages = e.imports()
	}
	return spec
}

// imports returns the packages that the starter imports, which a learner's
// program will most likely need. A starter that cannot be read has none; the
// gate says what is wrong with it.
func (e *Exercise) imports() []string {
	starter, err := e.Starter()
	if err != nil {
		return nil
	}
	var paths []string
	for _, name := range e.Edit {
		file, err := parser.ParseFile(token.NewFileSet(), name, starter[name], parser.ImportsOnly)
		if err != nil {
			continue
		}
		for _, spec := range file.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err == nil && p != Module+"/"+e.ID { // tests import what they test, which is no module's
				paths = append(paths, p)
			}
		}
	}
	return paths
}
