package workflow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rhysd/actionlint"
)

// jobRun is one job at work, in one combination of its matrix.
type jobRun struct {
	*run
	j      Job
	matrix map[string]any
	result JobResult

	vars   map[string]string // of the workflow, the job, and what steps have added
	paths  []string          // what steps have added, the last one first
	steps  map[string]any    // by id in lower case
	failed bool
}

// run1 runs the steps and adds the job's outputs.
func (r *jobRun) run1(ctx context.Context, outputs map[string]any) error {
	r.vars, r.steps = map[string]string{}, map[string]any{}
	s := r.jobScope(r.j, r.matrix)
	s.status = nil
	for _, env := range []*actionlint.Env{r.w.tree.Env, r.j.job.Env} {
		if err := addEnv(r.vars, env, s); err != nil {
			return err
		}
	}
	if err := r.m.fresh(ctx, r.modules); err != nil {
		return err
	}
	for _, step := range r.j.job.Steps {
		if err := r.step(ctx, step); err != nil {
			return at(err, lineOf(step.Pos))
		}
		if r.result.Conclusion == Unfinished {
			return nil
		}
	}
	r.result.Conclusion = Success
	if r.failed {
		r.result.Conclusion = Failure
	}
	var err error
	if r.result.Forgiven, err = yes(r.j.job.ContinueOnError, s); err != nil {
		return at(err, r.j.Line)
	}
	for name, o := range r.j.job.Outputs {
		text, err := r.scope(nil).interpolate(valueOf(o.Value))
		if err != nil {
			return at(err, r.j.Line)
		}
		outputs[strings.ToLower(name)] = text
	}
	return nil
}

func yes(b *actionlint.Bool, s scope) (bool, error) {
	if b == nil || b.Expression == nil {
		return b != nil && b.Value, nil
	}
	v, err := s.value(b.Expression.Value)
	return truthy(v), err
}

// scope is what expressions of a step see.
func (r *jobRun) scope(env map[string]string) scope {
	vars := maps.Clone(r.vars)
	maps.Copy(vars, env)
	s := r.jobScope(r.j, r.matrix)
	s.contexts["env"] = contextOf(vars)
	s.contexts["steps"] = r.steps
	s.contexts["runner"] = map[string]any{"os": "Linux", "arch": "X64", "temp": r.m.temp(), "name": "cairn", "environment": "github-hosted", "debug": ""}
	status := "success"
	if r.failed {
		status = "failure"
	}
	s.contexts["job"] = map[string]any{"status": status}
	s.status = func(name string) bool {
		switch name {
		case "success":
			return !r.failed
		case "failure":
			return r.failed
		}
		return name == "always"
	}
	return s
}

// step runs one step, or skips it.
func (r *jobRun) step(ctx context.Context, step *actionlint.Step) error {
	began := time.Now()
	result := StepResult{Job: r.result.Label, Line: lineOf(step.Pos), Outcome: Success}
	env := map[string]string{}
	if err := addEnv(env, step.Env, r.scope(nil)); err != nil {
		return err
	}
	s := r.scope(env)
	runs, err := s.condition(valueOf(step.If))
	if err != nil {
		return err
	}
	var outputs map[string]any
	switch exec := step.Exec.(type) {
	case *actionlint.ExecAction:
		result.Name = "Run " + valueOf(exec.Uses)
		if runs && isCheckout(step) {
			err = r.checkout(ctx, exec, s)
		}
	case *actionlint.ExecRun:
		result.Name, result.Script = "Run "+firstLine(valueOf(exec.Run)), valueOf(exec.Run)
		if runs {
			outputs, err = r.script(ctx, exec, env, s, &result)
		}
	}
	if err != nil {
		return err
	}
	if step.Name != nil {
		if result.Name, err = s.interpolate(step.Name.Value); err != nil {
			return err
		}
	}
	if !runs {
		result.Outcome = Skipped
	}
	result.Took = time.Since(began)
	return r.ended(step, result, outputs, s)
}

// ended counts a step.
func (r *jobRun) ended(step *actionlint.Step, result StepResult, outputs map[string]any, s scope) error {
	result.Conclusion = result.Outcome
	if result.Outcome == Failure {
		forgiven, err := yes(step.ContinueOnError, s)
		if err != nil {
			return err
		}
		if forgiven {
			result.Conclusion = Success
		} else {
			r.failed = true
		}
	}
	if step.ID != nil {
		if outputs == nil {
			outputs = map[string]any{}
		}
		r.steps[strings.ToLower(step.ID.Value)] = map[string]any{"outputs": outputs, "outcome": string(result.Outcome), "conclusion": string(result.Conclusion)}
	}
	r.result.Steps = append(r.result.Steps, result)
	if result.Outcome == Unfinished {
		r.result.Conclusion = Unfinished
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

func (r *jobRun) checkout(ctx context.Context, action *actionlint.ExecAction, s scope) error {
	folder := ""
	if input := action.Inputs["path"]; input != nil {
		var err error
		if folder, err = s.interpolate(valueOf(input.Value)); err != nil {
			return err
		}
	}
	return r.m.checkout(ctx, folder, r.files, r.repo)
}

// script runs a run step and takes what it hands on.
func (r *jobRun) script(ctx context.Context, exec *actionlint.ExecRun, env map[string]string, s scope, result *StepResult) (map[string]any, error) {
	text, err := s.interpolate(valueOf(exec.Run))
	if err != nil {
		return nil, err
	}
	dir, err := s.interpolate(r.workingDirectory(exec))
	if err != nil {
		return nil, err
	}
	result.Script, result.Shell = text, shellCommand(r.w.shell(r.j, exec))
	command := make([]string, len(result.Shell))
	for i, word := range result.Shell {
		command[i] = strings.ReplaceAll(word, "{0}", r.m.temp()+"/script.sh")
	}
	limit := time.Until(r.deadline)
	if limit <= 0 {
		result.Outcome = Unfinished
		return nil, nil
	}
	began := time.Now()
	o, err := r.m.run(ctx, script{text: text, command: command, env: environ(r.environment(env)), dir: r.within(dir), limit: limit})
	if err != nil {
		return nil, err
	}
	result.Status, result.Output = o.status, string(o.log)
	switch {
	case o.status != 0 && time.Since(began) >= limit:
		result.Outcome = Unfinished
		return nil, nil
	case o.status != 0:
		result.Outcome = Failure
	}
	outputs, fault := r.take(o)
	if fault != nil {
		result.Outcome = Failure
		result.Output += "\n" + fault.Error()
	}
	return outputs, nil
}

func (r *jobRun) workingDirectory(exec *actionlint.ExecRun) string {
	if exec.WorkingDirectory != nil {
		return exec.WorkingDirectory.Value
	}
	for _, d := range []*actionlint.Defaults{r.j.job.Defaults, r.w.tree.Defaults} {
		if d != nil && d.Run != nil && d.Run.WorkingDirectory != nil {
			return d.Run.WorkingDirectory.Value
		}
	}
	return ""
}

// environment is the variables of one step: GitHub's, over those of the step, over those that
// steps have added, over those of the job and of the workflow.
func (r *jobRun) environment(env map[string]string) map[string]string {
	given := r.given(r.j)
	vars := maps.Clone(given)
	maps.Copy(vars, r.vars)
	maps.Copy(vars, env)
	for name, value := range given {
		if own(name) {
			vars[name] = value
		}
	}
	if len(r.paths) > 0 {
		vars["PATH"] = strings.Join(r.paths, ":") + ":" + vars["PATH"]
	}
	return vars
}

// take reads what a script has written for later steps. The error is a line that GitHub does not
// understand either.
func (r *jobRun) take(o outcome) (map[string]any, error) {
	vars, err := parseCommands("env", o.env)
	if err != nil {
		return nil, err
	}
	for name, value := range vars {
		if strings.EqualFold(name, "NODE_OPTIONS") {
			return nil, fmt.Errorf("can't store %s output parameter using '$GITHUB_ENV' command", name)
		}
		if !own(name) {
			r.vars[name] = value
		}
	}
	for line := range strings.Lines(string(o.path)) {
		if line = strings.TrimSpace(line); line != "" {
			r.paths = slices.Insert(r.paths, 0, line)
		}
	}
	values, err := parseCommands("output", o.output)
	outputs := map[string]any{}
	for name, value := range values {
		outputs[strings.ToLower(name)] = value
	}
	return outputs, err
}

// parseCommands reads lines of the forms name=value and name<<END … END.
func parseCommands(file string, data []byte) (map[string]string, error) {
	values := map[string]string{}
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if line == "" {
			continue
		}
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case equals > 0 && (heredoc < 0 || equals < heredoc):
			values[line[:equals]] = line[equals+1:]
		case heredoc > 0:
			end := slices.Index(lines[i+1:], line[heredoc+2:])
			if end < 0 || line[heredoc+2:] == "" {
				return values, fmt.Errorf("unable to process file command '%s' successfully: the delimiter %q is missing", file, line[heredoc+2:])
			}
			values[line[:heredoc]] = strings.Join(lines[i+1:i+1+end], "\n")
			i += 1 + end
		default:
			return values, fmt.Errorf("unable to process file command '%s' successfully: invalid format %q", file, line)
		}
	}
	return values, nil
}
