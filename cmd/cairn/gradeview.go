package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/grader/report"
)

// gradeView shows a grade on its way: finished checks and complaints about the
// files on standard output as they come, what is going on now on standard error,
// where somebody is watching.
type gradeView struct {
	ctx    context.Context
	cancel func()    // ends the grade
	out    io.Writer // nil: only the report is wanted, or nobody reads any more
	err    error     // why nobody reads
	look   report.TextOptions
	status *statusLine

	checks     int    // that there are
	ended      int    // of them
	complained bool   // complaints have been shown
	token      string // lets GitHub read commands again; "" when it does
}

func (a *app) newGradeView(ctx context.Context, cancel func(), o gradeOptions) *gradeView {
	v := &gradeView{ctx: ctx, cancel: cancel, look: lookOf(a.out).text(), status: a.newStatusLine()}
	v.look.Evidence = report.Evidence(o.evidence)
	if !o.quiet() {
		v.out = a.out
	}
	if o.github || os.Getenv("GITHUB_ACTIONS") == "true" {
		v.suspend()
	}
	return v
}

// phases says what a phase does, in a learner's words.
var phases = map[report.PhaseName]string{
	report.PhaseSnapshot: "taking your files",
	report.PhaseBuild:    "building your program",
	report.PhaseServices: "waiting for the servers",
	report.PhaseApply:    "applying your SQL",
	report.PhaseParse:    "reading your files",
	report.PhaseStart:    "starting your program",
	report.PhaseExamine:  "examining",
}

func (v *gradeView) event(e grader.Event) {
	switch e.Kind {
	case grader.CheckListed:
		v.checks++
	case grader.PhaseStarted:
		v.status.show(phases[e.Phase])
	case grader.Progress:
		v.status.show(transferred(e.What, e.Done, e.Total))
	case grader.Complained:
		v.complaints(e.Diagnostics)
	case grader.Repeated:
		v.ended = 0
		v.print(func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "\n%s; once more from the start\n\n", e.What)
			return err
		})
	case grader.CheckStarted:
		v.status.show(fmt.Sprintf("%d of %d: %s", min(v.ended+1, v.checks), v.checks, e.Check.Title))
	case grader.CheckEnded:
		v.ended++
		if e.Check.Status != report.CheckBlocked { // those come together at the end
			v.print(func(w io.Writer) error { return report.WriteCheck(w, e.Check, v.look) })
		}
	}
}

// header names the exercise before the first check.
func (v *gradeView) header(id, title string) {
	v.print(func(w io.Writer) error {
		return report.WriteHeader(w, report.Report{Exercise: id, Title: title}, v.look)
	})
}

// complaints shows what the compiler said, as soon as it has.
func (v *gradeView) complaints(all []report.Diagnostic) {
	v.complained = true
	v.print(func(w io.Writer) error { return report.WriteDiagnostics(w, all, v.look) })
}

// findings shows what the report says beyond what was shown on the way.
func (v *gradeView) findings(rep report.Report) {
	v.print(func(w io.Writer) error { return report.WriteBlocked(w, rep, v.look) })
	if !v.complained {
		v.complaints(rep.Diagnostics)
	}
	v.print(func(w io.Writer) error { return report.WriteFindings(w, rep, v.look) })
}

// suspend makes GitHub take what follows for text: the program under examination
// may have printed something that looks like a command. The program cannot guess
// the word that ends this.
func (v *gradeView) suspend() {
	v.token = "cairn-" + rand.Text()
	v.print(func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "::stop-commands::%s\n", v.token)
		return err
	})
}

// resume ends what suspend began, also when the grade was broken off.
func (v *gradeView) resume() {
	if v.token == "" || v.out == nil {
		return
	}
	_, err := fmt.Fprintf(v.out, "::%s::\n", v.token)
	v.token = ""
	if v.err == nil {
		v.err = err
	}
}

// print writes to whoever reads. When they have gone, as head does after ten
// lines, the grade ends.
func (v *gradeView) print(write func(io.Writer) error) {
	if v.out == nil || v.ctx.Err() != nil {
		return
	}
	v.status.clear()
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
