package grader

import (
	"context"
	"errors"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/dockerfile"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/grader/services"
)

// readDockerfile reads the files that a builder reads first.
func readDockerfile(_ context.Context, s *build.Snapshot) error {
	if _, wrong := dockerfile.Parse("Dockerfile", s.Files["Dockerfile"]); len(wrong) > 0 {
		return &build.ParseError{What: "the Dockerfile cannot be read", Diagnostics: wrong}
	}
	if _, err := dockerfile.Context(s.Files); err != nil {
		return &build.ParseError{What: "the .dockerignore cannot be read", Diagnostics: []report.Diagnostic{
			{File: ".dockerignore", Message: safe.Line(err.Error())},
		}}
	}
	return nil
}

// prepareImages fetches what images of the exercise begin with.
func (g *Grader) prepareImages(ctx context.Context, e Exercise, progress func(services.Progress)) error {
	x, err := e.Declare()
	if err != nil || len(x.ImagesNeeded()) == 0 {
		return err
	}
	engine, err := g.engine(ctx)
	if err != nil {
		return err
	}
	defer engine.Close()
	return engine.Ensure(ctx, progress, x.ImagesNeeded()...)
}

var errNoDockerfile = errors.New("an image is built from a Dockerfile, and the exercise has the learner write none")
