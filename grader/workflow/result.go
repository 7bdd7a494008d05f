package workflow

import (
	"slices"
	"time"
)

// Conclusion is how a step, a job or a run has ended.
type Conclusion string

// The conclusions. A run is Unfinished when a step of it was still at work at the end of its time.
const (
	Success    Conclusion = "success"
	Failure    Conclusion = "failure"
	Skipped    Conclusion = "skipped"
	Unfinished Conclusion = "unfinished"
)

// Result is what became of one run of a workflow.
type Result struct {
	Event      Event
	Conclusion Conclusion // Failure is what people call red
	Jobs       []JobResult
}

// JobResult is one job, or one combination of its matrix.
type JobResult struct {
	ID, Label  string // "test", "test (1.26)"
	Line       int
	Conclusion Conclusion
	Forgiven   bool // it failed, and continue-on-error keeps that from the run
	Steps      []StepResult
}

// StepResult is one step.
type StepResult struct {
	Job        string // label of its job
	Name       string // "Run go vet ./...", as GitHub names it
	Line       int
	Script     string   // with expressions replaced, unless it was skipped; "" for an action
	Shell      []string // how it was run
	Outcome    Conclusion
	Conclusion Conclusion // Success in place of Failure with continue-on-error
	Status     int        // exit status of the script
	Output     string     // the end of what it printed, as it came
	Took       time.Duration
}

// Steps returns the steps of all jobs in the order in which they ran.
func (r *Result) Steps() []StepResult {
	var all []StepResult
	for _, j := range r.Jobs {
		all = append(all, j.Steps...)
	}
	return all
}

// Failed returns the first step that failed and whose failure counted; nil when none did.
func (r *Result) Failed() *StepResult {
	all := r.Steps()
	i := slices.IndexFunc(all, func(s StepResult) bool { return s.Conclusion == Failure || s.Conclusion == Unfinished })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// Forgiven returns the first step that failed without anybody noticing: continue-on-error stands
// at the step or at its job. It is nil when there is none.
func (r *Result) Forgiven() *StepResult {
	for _, j := range r.Jobs {
		for i, s := range j.Steps {
			if s.Outcome == Failure && (s.Conclusion == Success || j.Forgiven) {
				return &j.Steps[i]
			}
		}
	}
	return nil
}
