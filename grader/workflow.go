package grader

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/workflow"
)

// parseWorkflow reads the learner's workflow. One that is no YAML is a *build.ParseError.
func parseWorkflow(_ context.Context, s *build.Snapshot) error {
	if len(s.Own) == 0 {
		return errors.New("the exercise names no workflow to edit")
	}
	for name, data := range s.Own {
		if w, faults := workflow.Parse(name, data); w == nil {
			return &build.ParseError{What: fmt.Sprintf("GitHub cannot read %s, and so runs nothing", name), Diagnostics: faults}
		}
	}
	return nil
}
