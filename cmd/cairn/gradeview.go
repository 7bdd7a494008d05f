package main

import (
	"context"
	"fmt"
	"io"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
)

// gradeView shows a grade on its way: finished checks on standard output, what
// is going on now on standard error, where somebody is watching.
type gradeView struct {
	ctx    context.Context
	cancel func()    // ends the grade
	out    io.Writer // nil: only the report is wanted, or nobody reads any more
	err    error     // why nobody reads
	look   report.TextOptions
	status *statusLine
}

func (a *app) newGradeView(ctx context.Context, cancel func(), quiet bool) *gradeView {
	v := &gradeView{ctx: ctx, cancel: cancel, look: lookOf(a.out).text(), status: a.newStatusLine()}
	if !quiet {
		v.out = a.out
	}
	return v
}

// phases says what a phase does, in a learner's words.
var phases = map[report.PhaseName]string{
	report.PhaseSnapshot: "taking your files",
	report.PhaseBuild:    "building your program",
	report.PhaseServices: "waiting for the servers",
	report.PhaseStart:    "starting your program",
	report.PhaseExamine:  "examining",
}

func (v *gradeView) event(e grader.Event) {
	switch e.Kind {
	case grader.PhaseStarted:
		v.status.show(phases[e.Phase])
	case grader.Progress:
		v.status.show(transferred(e.What, e.Done, e.Total))
	case grader.CheckStarted:
		v.status.show("examining: " + e.Check.Title)
	case grader.CheckEnded:
		v.status.clear()
		v.print(func(w io.Writer) error { return report.WriteCheck(w, e.Check, v.look) })
	case grader.Finished:
		v.status.clear()
	}
}

// header names the exercise before the first check.
func (v *gradeView) header(id, title string) {
	v.print(func(w io.Writer) error {
		return report.WriteHeader(w, report.Report{Exercise: id, Title: title}, v.look)
	})
}

// print writes to whoever reads. When they have gone, as head does after ten
// lines, the grade ends.
func (v *gradeView) print(write func(io.Writer) error) {
	if v.out == nil || v.ctx.Err() != nil {
		return
	}
	if v.err = write(v.out); v.err != nil {
		v.out = nil
		v.cancel()
	}
}

func transferred(what string, done, total int64) string {
	if total <= 0 {
		return what
	}
	return fmt.Sprintf("%s: %d of %d MB", what, done>>20, total>>20)
}
