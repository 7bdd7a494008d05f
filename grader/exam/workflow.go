package exam

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/grader/services"
	"github.com/cairn-learn/cairn/grader/workflow"
)

// repositorySpec is one repository that a workflow is tried on.
type repositorySpec struct {
	name string
	draw func(*rand.Rand) workflow.Repository
}

// Repository declares a repository on which the workflow is tried. It is drawn afresh in each
// grade, and no two share what they draw. The learner's files become part of it.
func (x *X) Repository(name string, draw func(*rand.Rand) workflow.Repository) {
	x.repositories = append(x.repositories, repositorySpec{name, draw})
}

func (x *X) checkRepositories() error {
	seen := map[string]bool{}
	for _, r := range x.repositories {
		switch {
		case x.kind != build.Workflow:
			return fmt.Errorf("repository %q: only a workflow is tried on repositories", r.name)
		case r.name == "" || seen[r.name]:
			return fmt.Errorf("repository %q is declared twice, or without a name", r.name)
		}
		seen[r.name] = true
	}
	return nil
}

// workflowRuns are the runs of a session: one of each repository, for each event that can make a
// difference, begun together by the first check that asks for one.
type workflowRuns struct {
	mu    sync.Mutex
	tree  *workflow.Workflow
	runs  map[string][]*workflowRun
	stop  context.CancelFunc
	ended sync.WaitGroup
}

type workflowRun struct {
	event  workflow.Event
	done   chan struct{}
	result *workflow.Result
	err    error
}

func (w *workflowRuns) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil {
		w.stop()
		w.ended.Wait()
	}
}

// Workflow returns the learner's workflow.
func (c *C) Workflow() *workflow.Workflow {
	w := &c.session.workflow
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.parsed(c.session)
}

// parsed reads the workflow once. It holds the lock.
func (w *workflowRuns) parsed(s *Session) *workflow.Workflow {
	if w.tree != nil {
		return w.tree
	}
	for name, data := range s.opts.Files {
		if path.Dir(name) == ".github/workflows" {
			w.tree, _ = workflow.Parse(name, data)
		}
	}
	if w.tree == nil {
		panic("there is no file in .github/workflows") // the exercise names one to edit, and the grade has read it
	}
	return w.tree
}

// RunWorkflow returns what became of the workflow on a repository: once for a pull request, and
// once more for a push where the workflow can tell the two apart. Each repository has a machine of
// its own. A workflow that says something that is not emulated fails the check. Where there is no
// engine, the grade comes out as ungraded; it does not return then.
func (c *C) RunWorkflow(repository string) []*workflow.Result {
	if un := c.Workflow().Unsupported(); len(un) > 0 {
		c.failUnsupported(un[0])
	}
	c.session.beginRuns()
	var all []*workflow.Result
	for _, r := range c.session.workflow.runs[repository] {
		select {
		case <-r.done:
		case <-c.ctx.Done():
			c.Fail(Finding{Saw: "the check ended before the workflow did"})
		}
		var un *workflow.Unsupported
		switch {
		case errors.As(r.err, &un):
			c.failUnsupported(un)
		case r.err != nil:
			c.trouble(r.err)
		}
		c.recordRun(r.result)
		all = append(all, r.result)
	}
	if all == nil {
		panic("no repository " + repository + " was declared")
	}
	return all
}

func (c *C) failUnsupported(un *workflow.Unsupported) {
	c.Fail(Finding{Did: "read what the workflow would run", Expected: "nothing but what the task names as emulated", Saw: un.Error()})
}

// recordRun puts the steps of a run into the evidence.
func (c *C) recordRun(r *workflow.Result) {
	for _, s := range r.Steps() {
		e := report.Entry{Kind: report.KindProgram, Actor: safe.Line(s.Job), Text: safe.Line(s.Name), Duration: s.Took, Result: string(s.Outcome), Failed: s.Conclusion != workflow.Success && s.Conclusion != workflow.Skipped}
		if s.Script != "" && s.Outcome != workflow.Skipped {
			e.Result += fmt.Sprintf(", exit status %d", s.Status)
		}
		if s.Conclusion != s.Outcome {
			e.Result += ", counted as " + string(s.Conclusion)
		}
		c.record(e, c.began)
	}
}

// beginRuns begins all runs, as many at once as there are processors.
func (s *Session) beginRuns() {
	w := &s.workflow
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.runs != nil {
		return
	}
	w.runs = map[string][]*workflowRun{}
	var ctx context.Context
	ctx, w.stop = context.WithCancel(s.ctx)
	tree := w.parsed(s)
	events := []workflow.Event{workflow.PullRequest}
	if tree.DependsOnEvent() {
		events = append(events, workflow.Push)
	}
	turn := make(chan struct{}, min(max(runtime.NumCPU(), 2), 6))
	for _, event := range events {
		for _, spec := range s.x.repositories {
			r := &workflowRun{event: event, done: make(chan struct{})}
			w.runs[spec.name] = append(w.runs[spec.name], r)
			repo := s.drawRepository(spec)
			w.ended.Go(func() {
				defer close(r.done)
				select {
				case turn <- struct{}{}:
					defer func() { <-turn }()
					r.result, r.err = s.runWorkflow(ctx, tree, repo, event)
				case <-ctx.Done():
					r.err = context.Cause(ctx)
				}
			})
		}
	}
}

func (s *Session) drawRepository(spec repositorySpec) workflow.Repository {
	repo := spec.draw(newRand(s.opts.Seed, "repository "+spec.name))
	for name, data := range s.opts.Files {
		if strings.HasPrefix(name, ".github/") {
			repo.Files[name] = data
		}
	}
	return repo
}

// runWorkflow runs the workflow on a machine of its own. A run may take half of the time of a check.
func (s *Session) runWorkflow(ctx context.Context, w *workflow.Workflow, repo workflow.Repository, event workflow.Event) (*workflow.Result, error) {
	if s.opts.Bench == nil {
		return nil, s.opts.BenchErr
	}
	limit := s.limits.Check / 2
	ctx, cancel := context.WithTimeout(ctx, limit+limit/2)
	defer cancel()
	m, err := s.opts.Bench.Machine(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Remove()
	began := time.Now()
	result, err := workflow.Run(ctx, w, repo, event, m, limit)
	if errors.Is(err, context.DeadlineExceeded) && time.Since(began) >= limit { // not even the machine answers
		return &workflow.Result{Event: event, Conclusion: workflow.Unfinished}, nil
	}
	return result, err
}

var _ workflow.Machine = (*services.Machine)(nil)
