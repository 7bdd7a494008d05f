package grader

import (
	"context"
	"errors"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// end closes the report with the verdict that an error of a phase means.
func (r *run) end(err error) {
	var refused *build.RefusedError
	var compile *build.CompileError
	var apply *build.ApplyError
	var parse *build.ParseError
	var limit *build.LimitError
	var own *build.TroubleError
	var unavailable *services.Unavailable
	rep := &r.report
	switch {
	case errors.As(err, &refused):
		rep.Verdict, rep.Diagnostics = report.Broken, refused.Diagnostics
		rep.Reason = "the submission holds something that is not allowed here"
		if len(refused.Diagnostics) > 0 {
			rep.Reason = refused.Diagnostics[0].Message
		}
	case errors.As(err, &compile):
		rep.Verdict, rep.Diagnostics, rep.Reason = report.Broken, compile.Diagnostics, "the program does not compile"
		if r.s.Exercise.Kind == build.Tests {
			rep.Reason = "the tests do not compile"
		}
	case errors.As(err, &apply):
		rep.Verdict, rep.Diagnostics, rep.Reason = report.Broken, apply.Diagnostics, "PostgreSQL did not take the file as it is, so nothing of it was applied"
	case errors.As(err, &parse):
		rep.Verdict, rep.Diagnostics, rep.Reason = report.Broken, parse.Diagnostics, parse.What
	case errors.As(err, &limit):
		rep.Verdict, rep.Reason = report.Limit, limit.Error()
	case errors.As(err, &own):
		rep.Verdict, rep.Reason, rep.Next = report.Ungraded, own.What, own.Do
	case errors.As(err, &unavailable):
		rep.Verdict, rep.Reason, rep.Next = report.Ungraded, unavailable.What, unavailable.Do
	case errors.Is(err, context.Canceled):
		rep.Verdict, rep.Reason, rep.Next = report.Ungraded, "the grade was cancelled", "grade again"
	default:
		rep.Verdict, rep.Reason, rep.Next = report.Ungraded, err.Error(), "run cairn doctor, then grade again"
	}
}
