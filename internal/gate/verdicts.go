package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader/report"
)

// starterGolden is the file with the feedback that the starter gets.
const starterGolden = "starter.feedback"

// starter requires that the starter compiles, runs, and fails at a check.
func (r *run) starter(res *Result, files map[string][]byte) {
	dir, ok := r.layOut(res, files)
	if !ok || !r.grade(res, dir, Seed, false) {
		return
	}
	rep := res.Report
	first := rep.FirstFailed()
	switch {
	case rep.Verdict == report.Broken:
		res.fault("the starter must compile, but: %s", summary(rep))
	case rep.Verdict == report.Passed:
		res.fault("the starter passes; there is nothing left to do")
	case first == nil:
		res.fault("the starter fails without a failed check: %s", summary(rep))
	default:
		r.compare(res, golden{name: starterGolden, dir: dir, check: *first})
	}
}

// passes requires that a right version passes every time.
func (r *run) passes(res *Result, files map[string][]byte, runs int, race bool) {
	dir, ok := r.layOut(res, files)
	if !ok {
		return
	}
	for i := range runs {
		if !r.grade(res, dir, 0, race) {
			return
		}
		if res.Report.Verdict != report.Passed {
			res.fault("run %d of %d came out as %s (seed %d): %s", i+1, runs, res.Report.Verdict, res.Report.Seed, summary(res.Report))
			return
		}
	}
}

// caught requires that a mutant compiles and fails first at the check it names,
// and otherwise only at checks that it lists.
func (r *run) caught(res *Result, m exercises.Mutant, files map[string][]byte) {
	dir, ok := r.layOut(res, files)
	if !ok {
		return
	}
	for range m.Tries {
		if !r.grade(res, dir, Seed, false) {
			return
		}
		if res.Report.Verdict != report.Passed {
			break
		}
	}
	rep := res.Report
	first := rep.FirstFailed()
	switch {
	case rep.Verdict == report.Broken:
		res.fault("%s: the mutant must compile, but: %s", m.File, summary(rep))
		return
	case rep.Verdict == report.Passed:
		res.fault("%s:1: the mutant passes; check %s does not catch it", m.File, m.Check)
		return
	case first == nil:
		res.fault("%s:1: the mutant fails without a failed check: %s", m.File, summary(rep))
		return
	case first.ID != m.Check:
		res.fault("%s:1: the first check to fail is %s, not %s: %s", m.File, first.ID, m.Check, saw(*first))
		return
	}
	for _, c := range rep.Checks {
		if c.Status == report.CheckFailed && c.ID != m.Check && !slices.Contains(m.Also, c.ID) {
			res.fault("%s:1: check %s fails too; list it under # also: (%s)", m.File, c.ID, saw(c))
		}
	}
	r.compare(res, golden{name: m.Golden(), dir: dir, check: *first, masks: m.Masks})
}

// summary says in one line what came out of a grade that should have passed.
func summary(rep *report.Report) string {
	if first := rep.FirstFailed(); first != nil && rep.Verdict != report.Broken {
		return fmt.Sprintf("check %s failed: %s", first.ID, joinSentence(saw(*first), rep.Reason))
	}
	text := rep.Reason
	for _, d := range rep.Diagnostics {
		text = joinSentence(text, fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Message))
	}
	return text
}

func saw(c report.Check) string {
	if c.Feedback == nil {
		return "no feedback"
	}
	return "did " + oneLine(c.Feedback.Did) + ", expected " + oneLine(c.Feedback.Expected) + ", saw " + oneLine(c.Feedback.Saw)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
