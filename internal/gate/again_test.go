package gate

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
)

// scripted answers with one report after another, the last one for ever.
type scripted []report.Report

func (s *scripted) Grade(context.Context, grader.Submission, func(grader.Event)) (grader.Report, error) {
	now := (*s)[0]
	if len(*s) > 1 {
		*s = (*s)[1:]
	}
	return now, nil
}

// TestAgain lets a mutant pass once before it is caught. Where chance has a part
// in the exam that is a note, elsewhere a fault.
func TestAgain(t *testing.T) {
	feedback := report.Feedback{Did: "GET /lower", Expected: "cairn", Saw: "Cairn", Why: "it is what was asked"}
	check := report.Check{ID: "lower", Title: "answers in lower case", Status: report.CheckFailed, Feedback: &feedback}
	caught := report.Report{Verdict: report.Failed, Checks: []report.Check{check}}
	passed := report.Report{Verdict: report.Passed, Checks: []report.Check{{ID: "lower", Status: report.CheckPassed}}}

	dir := laidOut(t)
	golden := filepath.Join(dir, "letters", "mutants", "quiet.feedback")
	if err := os.WriteFile(golden, []byte(Feedback(check)), 0o644); err != nil {
		t.Fatal(err)
	}
	e, spec := load(t, dir)
	for name, c := range map[string]struct {
		chance        bool
		grades        scripted
		faults, notes int
		runs          int
	}{
		"chance, caught at once":   {true, scripted{caught}, 0, 0, 1},
		"chance, caught at last":   {true, scripted{passed, passed, caught}, 0, 2, 3},
		"chance, never caught":     {true, scripted{passed}, 1, 2, 3},
		"no chance, passed before": {false, scripted{passed, caught}, 1, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Exam = func(x *exam.X) {
				var opts []exam.Option
				if c.chance {
					opts = append(opts, exam.Parallel())
				}
				x.Check("lower", "answers in lower case", func(*exam.C) {}, opts...)
			}
			results, err := verify(t.Context(), &c.grades, e, spec, Options{Only: regexp.MustCompile("^mutant quiet$")})
			if err != nil || len(results) != 1 {
				t.Fatalf("%d results, %v", len(results), err)
			}
			r := results[0]
			if len(r.Faults) != c.faults || len(r.Notes) != c.notes || r.Runs != c.runs {
				t.Errorf("%d faults, %d notes, %d grades; want %d, %d, %d\n%s", len(r.Faults), len(r.Notes), r.Runs, c.faults, c.notes, c.runs,
					strings.Join(append(r.Faults, r.Notes...), "\n"))
			}
		})
	}
}
