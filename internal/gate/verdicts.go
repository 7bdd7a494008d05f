package gate

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/grader/report"
)

// starterGolden is the file with the feedback that the starter gets.
const starterGolden = "starter.feedback"

// starter requires that the starter compiles, runs, and fails at a check.
func (r *run) starter(res *Result, files map[string][]byte) {
	dir, ok := r.layOut(res, files)
	if !ok {
		return
	}
	r.again(res, r.looks(), func() bool {
		if !r.grade(res, dir, Seed, false) {
			return false
		}
		rep := res.Report
		first := rep.FirstFailed()
		switch {
		case rep.Verdict == report.Broken:
			res.fault("the starter must compile, but: %s", summary(rep))
			return false
		case rep.Verdict == report.Passed:
			res.fault("the starter passes; there is nothing left to do")
		case first == nil:
			res.fault("the starter fails without a failed check: %s", summary(rep))
		default:
			r.compare(res, golden{name: starterGolden, dir: dir, check: *first})
		}
		return true
	})
}

// looks is how many grades a wrong version gets to come out as it should. Where
// chance has no part in the exam the first one counts. Elsewhere a busy machine
// can end a wait too early or too late, and an examiner that blames nobody without
// proof then says less than it could.
func (r *run) looks() int {
	if r.chancy || len(r.e.Services()) > 0 {
		return 3
	}
	return 1
}

// again tries something until it leaves no fault, looks times at most. What other
// tries left becomes a note, so that chance is seen. Where fn returns false,
// another try would be of no use. With Update there is one try only: what is
// written is written.
func (r *run) again(res *Result, looks int, fn func() bool) {
	if r.options.Update {
		looks = 1
	}
	var earlier []string
	for i := range looks {
		res.Faults = nil
		if more := fn(); !more || len(res.Faults) == 0 || i == looks-1 {
			break
		}
		for _, f := range res.Faults {
			earlier = append(earlier, fmt.Sprintf("grade %d came out otherwise: %s", res.Runs, f))
		}
	}
	res.Notes = append(res.Notes, earlier...)
}

// passes requires that a right version passes every time.
func (r *run) passes(res *Result, files map[string][]byte, runs int, race bool) {
	dir, ok := r.layOut(res, files)
	if !ok {
		return
	}
	// The first one builds. Many go on in two lanes: else all other items would be done long
	// before, and the cores idle.
	if !r.passesOnce(res, dir, 1, runs, race) {
		return
	}
	lanes := make([]Result, 1)
	if runs >= 10 {
		lanes = make([]Result, 2)
	}
	var side sync.WaitGroup
	for lane := range lanes {
		side.Go(func() {
			for n := 2 + lane; n <= runs && r.passesOnce(&lanes[lane], dir, n, runs, race); n += len(lanes) {
			}
		})
	}
	side.Wait()
	for _, lane := range lanes {
		res.Runs += lane.Runs
		res.Faults = append(res.Faults, lane.Faults...)
		res.Ungraded = res.Ungraded || lane.Ungraded
		if lane.Report != nil && res.Report.Verdict == report.Passed {
			res.Report = lane.Report
		}
	}
}

// passesOnce is the nth grade of so many. It returns false when no more are wanted.
func (r *run) passesOnce(res *Result, dir string, n, runs int, race bool) bool {
	if !r.grade(res, dir, 0, race) {
		return false
	}
	if res.Report.Verdict != report.Passed {
		res.fault("run %d of %d came out as %s (seed %d): %s", n, runs, res.Report.Verdict, res.Report.Seed, summary(res.Report))
		return false
	}
	return true
}

// caught requires that a mutant compiles and fails first at the check it names,
// and otherwise only at checks that it lists.
func (r *run) caught(res *Result, m exercises.Mutant, files map[string][]byte) {
	dir, ok := r.layOut(res, files)
	if !ok {
		return
	}
	r.again(res, max(r.looks(), m.Tries), func() bool {
		return r.grade(res, dir, Seed, false) && r.caughtOnce(res, m, dir)
	})
}

// caughtOnce judges one grade of a mutant. It returns false when another grade
// would be of no use.
func (r *run) caughtOnce(res *Result, m exercises.Mutant, dir string) bool {
	rep := res.Report
	first := rep.FirstFailed()
	switch {
	case rep.Verdict == report.Broken:
		res.fault("%s: the mutant must compile, but: %s", m.File, summary(rep))
		return false
	case rep.Verdict == report.Passed:
		res.fault("%s:1: the mutant passes; check %s does not catch it", m.File, m.Check)
		return true
	case first == nil:
		res.fault("%s:1: the mutant fails without a failed check: %s", m.File, summary(rep))
		return true
	case first.ID != m.Check:
		res.fault("%s:1: the first check to fail is %s, not %s: %s", m.File, first.ID, m.Check, saw(*first))
		return true
	}
	for _, c := range rep.Checks {
		if c.Status == report.CheckFailed && c.ID != m.Check && !slices.Contains(m.Also, c.ID) {
			res.fault("%s:1: check %s fails too; list it under # also: (%s)", m.File, c.ID, saw(c))
		}
	}
	r.compare(res, golden{name: m.Golden(), dir: dir, check: *first, masks: m.Masks})
	return true
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
