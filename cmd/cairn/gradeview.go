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
	out    io.Writer // nil: only the report is wanted
	look   report.TextOptions
	status *statusLine
}

func (a *app) newGradeView(ctx context.Context, quiet bool) *gradeView {
	v := &gradeView{ctx: ctx, look: lookOf(a.out).text(), status: a.newStatusLine()}
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
		v.status.show(progress(e.What, e.Done, e.Total))
	case grader.CheckStarted:
		v.status.show("examining: " + e.Check.Title)
	case grader.CheckEnded:
		v.status.clear()
		if v.out != nil && v.ctx.Err() == nil {
			_ = report.WriteCheck(v.out, e.Check, v.look)
		}
	case grader.Finished:
		v.status.clear()
	}
}

// header names the exercise before the first check.
func (v *gradeView) header(id, title string) {
	if v.out != nil {
		_ = report.WriteHeader(v.out, report.Report{Exercise: id, Title: title}, v.look)
	}
}

func progress(what string, done, total int64) string {
	if total <= 0 {
		return what
	}
	return fmt.Sprintf("%s: %d of %d MB", what, done>>20, total>>20)
}
