package workflow

import (
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/rhysd/actionlint"
)

// run is one run of a workflow.
type run struct {
	w        *Workflow
	repo     Repository
	event    Event
	m        machine
	files    []byte // the repository, as an archive
	modules  []byte
	deadline time.Time
	jobs     map[string]needed // by id in lower case: those that are done
	result   *Result
}

// needed is what later jobs can know of one.
type needed struct {
	result  Conclusion
	outputs map[string]any
	failed  bool // it, or one that it needs
}

// Run runs a workflow as for an event of a repository, job by job and step by step, on a machine
// of its own. Limit is for all steps together; a run that takes longer is Unfinished. Errors are
// *Unsupported, the context's, or of the machine.
func Run(ctx context.Context, w *Workflow, repo Repository, event Event, m Machine, limit time.Duration) (*Result, error) {
	return runOn(ctx, w, repo, event, machine{Machine: m, home: Home, scratch: Scratch, warm: Warm}, limit)
}

func runOn(ctx context.Context, w *Workflow, repo Repository, event Event, m machine, limit time.Duration) (*Result, error) {
	if un := w.Unsupported(); len(un) > 0 {
		return nil, un[0]
	}
	m.workspace = path.Join(m.home, "work", repo.Name, repo.Name)
	r := &run{w: w, repo: repo, event: event, m: m, deadline: time.Now().Add(limit), jobs: map[string]needed{}, result: &Result{Event: event}}
	var err error
	if r.files, err = archive("", repo.Files); err != nil {
		return nil, err
	}
	if r.modules, err = archive("modules", repo.Modules); err != nil {
		return nil, err
	}
	order, err := w.order()
	if err != nil {
		return nil, err
	}
	for _, j := range order {
		if err := r.job(ctx, j); err != nil {
			return nil, err
		}
		if r.result.Conclusion == Unfinished {
			return r.result, nil
		}
	}
	r.conclude()
	return r.result, nil
}

// order is the jobs, each after those that it needs, and otherwise as in the file.
func (w *Workflow) order() ([]Job, error) {
	left := w.Jobs()
	done := map[string]bool{}
	var order []Job
	for len(left) > 0 {
		i := slices.IndexFunc(left, func(j Job) bool {
			return !slices.ContainsFunc(j.job.Needs, func(s *actionlint.String) bool { return !done[strings.ToLower(s.Value)] })
		})
		if i < 0 {
			return nil, errors.New("jobs need each other, or one that does not exist")
		}
		done[strings.ToLower(left[i].ID)] = true
		order = append(order, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return order, nil
}

// conclude sums up: one failure that counts makes a run red.
func (r *run) conclude() {
	r.result.Conclusion = Skipped
	for _, j := range r.result.Jobs {
		switch {
		case j.Conclusion == Failure && !j.Forgiven:
			r.result.Conclusion = Failure
			return
		case j.Conclusion != Skipped:
			r.result.Conclusion = Success
		}
	}
}

// job runs one job in each combination of its matrix.
func (r *run) job(ctx context.Context, j Job) error {
	combinations, err := j.combinations()
	if err != nil {
		return err
	}
	all := needed{result: Skipped, outputs: map[string]any{}}
	for _, n := range j.job.Needs {
		all.failed = all.failed || r.jobs[strings.ToLower(n.Value)].failed
	}
	starts, err := r.jobScope(j, nil).condition(valueOf(j.job.If))
	if err != nil {
		return at(err, j.Line)
	}
	if !starts {
		r.result.Jobs = append(r.result.Jobs, JobResult{ID: j.ID, Label: j.ID, Line: j.Line, Conclusion: Skipped})
		combinations = nil
	}
	for _, values := range combinations {
		one := &jobRun{run: r, j: j, matrix: values, result: JobResult{ID: j.ID, Label: label(j, values), Line: j.Line}}
		if err := one.run1(ctx, all.outputs); err != nil {
			return err
		}
		r.result.Jobs = append(r.result.Jobs, one.result)
		switch {
		case one.result.Conclusion == Unfinished:
			r.result.Conclusion = Unfinished
			return nil
		case one.result.Conclusion == Failure && !one.result.Forgiven:
			all.result, all.failed = Failure, true
		case all.result != Failure:
			all.result = Success
		}
	}
	r.jobs[strings.ToLower(j.ID)] = all
	return nil
}

func label(j Job, values map[string]any) string {
	if len(values) == 0 {
		return j.ID
	}
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		texts = append(texts, textOf(values[key]))
	}
	return j.ID + " (" + strings.Join(texts, ", ") + ")"
}

// jobScope is what expressions of a job see outside its steps.
func (r *run) jobScope(j Job, matrix map[string]any) scope {
	needs := map[string]any{}
	ok, failed := true, false
	for _, n := range j.job.Needs {
		id := strings.ToLower(n.Value)
		before := r.jobs[id]
		needs[id] = map[string]any{"result": string(before.result), "outputs": before.outputs}
		ok = ok && before.result == Success
		failed = failed || before.failed
	}
	s := scope{contexts: map[string]any{
		"github": r.github(j), "needs": needs, "vars": map[string]any{}, "inputs": map[string]any{}, "secrets": map[string]any{},
	}}
	if matrix != nil {
		s = s.with("matrix", matrix).with("strategy", map[string]any{"job-total": float64(1), "job-index": float64(0)})
	}
	s.status = func(name string) bool {
		switch name {
		case "success":
			return ok
		case "failure":
			return failed
		}
		return name == "always"
	}
	return s
}

// at gives an Unsupported without a line one.
func at(err error, line int) error {
	var un *Unsupported
	if errors.As(err, &un) && un.Line == 0 {
		return &Unsupported{Line: line, What: un.What}
	}
	return err
}
