package workflow

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/rhysd/actionlint"
)

// ubuntu is the only kind of machine that is emulated.
var ubuntu = regexp.MustCompile(`^ubuntu-(latest|slim|[0-9]{2}\.[0-9]{2}(-arm)?)$`)

// Unsupported returns what in the file is not emulated, in the order of the file, as far as it can
// be told before anything runs.
func (w *Workflow) Unsupported() []*Unsupported {
	var all []*Unsupported
	add := func(pos *actionlint.Pos, format string, args ...any) {
		all = append(all, &Unsupported{Line: lineOf(pos), What: fmt.Sprintf(format, args...)})
	}
	for _, j := range w.Jobs() {
		if call := j.job.WorkflowCall; call != nil {
			add(j.job.Pos, "a job that calls another workflow (%s)", valueOf(call.Uses))
			continue
		}
		if c := j.job.Container; c != nil {
			add(c.Pos, "a job in a container (container)")
		}
		if s := j.job.Services; s != nil {
			add(s.Pos, "a service beside a job (services)")
		}
		if env := j.job.Env; env != nil && env.Expression != nil {
			add(env.Expression.Pos, "an env that an expression makes")
		}
		all = append(all, w.machinesOf(j)...)
		for _, s := range j.job.Steps {
			w.unsupportedStep(j, s, add)
		}
	}
	return all
}

// machinesOf names machines other than Ubuntu.
func (w *Workflow) machinesOf(j Job) []*Unsupported {
	combinations, err := j.combinations()
	var un *Unsupported
	if errors.As(err, &un) {
		return []*Unsupported{un}
	}
	runner := j.job.RunsOn
	if runner == nil {
		return nil // actionlint has said it
	}
	line := j.Line
	labels := runner.Labels
	if runner.LabelsExpr != nil {
		labels = append(labels, runner.LabelsExpr)
	}
	if runner.Group != nil {
		return []*Unsupported{{Line: line, What: "a group of runners of your own"}}
	}
	var all []*Unsupported
	for _, l := range labels {
		for _, c := range combinations {
			s := scope{contexts: map[string]any{"matrix": c}}
			v, err := s.value(l.Value)
			name := textOf(v)
			switch {
			case errors.As(err, &un) || err != nil:
				name = l.Value
			case ubuntu.MatchString(name):
				continue
			}
			all = append(all, &Unsupported{Line: lineOf(l.Pos), What: "a machine other than Ubuntu (" + name + ")"})
		}
	}
	return all
}

func (w *Workflow) unsupportedStep(j Job, s *actionlint.Step, add func(*actionlint.Pos, string, ...any)) {
	if s.Env != nil && s.Env.Expression != nil {
		add(s.Env.Expression.Pos, "an env that an expression makes")
	}
	switch exec := s.Exec.(type) {
	case *actionlint.ExecAction:
		ref := valueOf(exec.Uses)
		switch {
		case strings.HasPrefix(ref, "./"):
			add(s.Pos, "an action of the repository itself (%s)", ref)
		case strings.HasPrefix(ref, "docker://"):
			add(s.Pos, "a container as a step (%s)", ref)
		case isCheckout(s) && exec.Inputs["repository"] != nil:
			add(s.Pos, "a checkout of another repository")
		}
	case *actionlint.ExecRun:
		if shell := w.shell(j, exec); strings.Contains(shell, "${{") || len(shellCommand(shell)) == 0 {
			add(s.Pos, "the shell %q", shell)
		}
	}
}

// shell is what a step says of its shell, or the defaults of its job or of the workflow.
func (w *Workflow) shell(j Job, run *actionlint.ExecRun) string {
	if run.Shell != nil {
		return run.Shell.Value
	}
	for _, d := range []*actionlint.Defaults{j.job.Defaults, w.tree.Defaults} {
		if d != nil && d.Run != nil && d.Run.Shell != nil {
			return d.Run.Shell.Value
		}
	}
	return ""
}

// shellCommand is the command that GitHub starts for a shell, with {0} for the script's file. It
// is nil for a shell that is not emulated.
func shellCommand(shell string) []string {
	switch shell {
	case "":
		return []string{"bash", "-e", "{0}"}
	case "bash":
		return []string{"bash", "--noprofile", "--norc", "-eo", "pipefail", "{0}"}
	case "sh":
		return []string{"sh", "-e", "{0}"}
	}
	words := strings.Fields(shell)
	if len(words) < 2 || !strings.Contains(shell, "{0}") || strings.ContainsAny(shell, `"'\`) {
		return nil
	}
	if name := words[0]; name != "bash" && name != "sh" && name != "/bin/bash" && name != "/bin/sh" && name != "/usr/bin/bash" {
		return nil
	}
	return words
}
