package exam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/workflow"
)

// cause says why a run is green that should be red.
func (b badRepository) cause(r *workflow.Result) (saw, detail string) {
	if s := r.Forgiven(); s != nil {
		forgives := "continue-on-error of the step has it count as passed"
		if s.Conclusion != workflow.Success {
			forgives = "continue-on-error of the job " + s.Job + " keeps that from the run"
		}
		return fmt.Sprintf("a green run: %s ended with exit status %d, and %s", at(s), s.Status, forgives), last(s)
	}
	steps := r.Steps()
	i := slices.IndexFunc(steps, func(s workflow.StepResult) bool {
		return s.Outcome != workflow.Skipped && b.noticed.MatchString(s.Script)
	})
	if i < 0 {
		return b.nothing(r)
	}
	s := &steps[i]
	saw = fmt.Sprintf("a green run: %s ended with exit status 0", at(s))
	if hidden := hides(s, b.noticed); hidden != "" {
		return saw + ". " + hidden, last(s)
	}
	switch {
	case b.defect == unformatted && strings.Contains(s.Output, ".go") && regexp.MustCompile(`gofmt\s+(-\w+\s+)*-\w*l`).MatchString(s.Script):
		return saw + ". gofmt -l lists the files, and to list something is no failure for it: somebody has to look at the list", last(s)
	case b.defect == unformatted && writes.MatchString(s.Script):
		return saw + ". It has formatted the file, in a copy that is thrown away after the run, and nothing has looked whether that changed anything", last(s)
	case b.defect == untidy && !strings.Contains(s.Script, "-diff"):
		return saw + ". It has put go.mod in order, in a copy that is thrown away after the run, and nothing has looked whether that changed anything", last(s)
	case onePackage.MatchString(s.Script):
		return saw + ". It has looked at the package of one folder, and the defect is in another", last(s)
	}
	return saw, last(s)
}

var (
	writes     = regexp.MustCompile(`\bgofmt\s+(-\w+\s+)*-\w*w|\bgo\s+fmt\b`)
	onePackage = regexp.MustCompile(`(?m)\bgo\s+(test|vet)(\s+-\S+)*\s*(\.?\s*)$`)
	swallows   = regexp.MustCompile(`\|\|\s*([^\s;]+)`)
	pipe       = regexp.MustCompile(`[^|]\|&?\s*([^|\s]+)`)
	verifies   = regexp.MustCompile(`\bgo\s+mod\s+verify\b`)
	carriesOn  = regexp.MustCompile(`(?m)^\s*set\s+\+e\b|^\s*set\s+\+o\s+errexit`)
)

// hides says what keeps the status of a gate from being that of its step, "" when nothing does
// that can be told from the script.
func hides(s *workflow.StepResult, gate *regexp.Regexp) string {
	command := ""
	for text := range strings.Lines(s.Script) {
		if gate.MatchString(text) {
			command = strings.TrimSpace(text[gate.FindStringIndex(text)[0]:])
			break
		}
	}
	flags := strings.Join(s.Shell, " ")
	switch m := swallows.FindStringSubmatch(command); {
	case m != nil:
		return "After || comes what is done when the gate fails, and the status is then that of " + m[1]
	case carriesOn.MatchString(s.Script):
		return "set +e has the script go on after a failure, and the status is that of its last command"
	case pipe.MatchString(command) && !strings.Contains(flags, "pipefail") && !strings.Contains(s.Script, "pipefail"):
		return fmt.Sprintf("GitHub runs it with %s, and there the status of a pipe is that of its last command: %s", flags, pipe.FindStringSubmatch(command)[1])
	case strings.HasSuffix(command, "&") && !strings.HasSuffix(command, "&&"):
		return "& puts the gate into the background, and nobody waits for its status"
	case !strings.Contains(flags, "-e") && !strings.Contains(s.Script, "set -e"):
		return fmt.Sprintf("GitHub runs it with %s, without -e: the status is that of the last command", flags)
	}
	return ""
}

// nothing says why no step has noticed.
func (b badRepository) nothing(r *workflow.Result) (saw, detail string) {
	note := ""
	if b.defect == untidy && r.Event == workflow.PullRequest {
		note = ". The pull request is a draft"
	}
	for _, s := range r.Steps() {
		if s.Outcome == workflow.Skipped && b.noticed.MatchString(s.Script+" "+s.Name) {
			return fmt.Sprintf("a green run: %s would have noticed, and was skipped, because its if was not true%s", at(&s), note), ""
		}
	}
	for _, j := range r.Jobs {
		if j.Conclusion == workflow.Skipped {
			return fmt.Sprintf("a green run. The job %s (line %d) was skipped, because its if, or that of a job that it needs, was not true, and no other runs %s%s", j.ID, j.Line, b.gate, note), ""
		}
	}
	if b.defect == dataRace {
		for _, s := range r.Steps() {
			if bad[0].noticed.MatchString(s.Script) {
				return fmt.Sprintf("a green run: %s has run the tests without the race detector, and they pass", at(&s)), last(&s)
			}
		}
	}
	if i := slices.IndexFunc(r.Steps(), func(s workflow.StepResult) bool { return verifies.MatchString(s.Script) }); i >= 0 && b.defect == untidy {
		return fmt.Sprintf("a green run: no step runs go mod tidy. go mod verify, in %s, looks whether the modules that were downloaded are those of go.sum, and not what go.mod requires", at(&r.Steps()[i])), ""
	}
	var ran []string
	for _, s := range r.Steps() {
		if s.Script != "" && s.Outcome != workflow.Skipped {
			ran = append(ran, fmt.Sprintf("    line %d: %s", s.Line, s.Name))
		}
	}
	return "a green run: no step runs " + b.gate, "The steps that have run:\n" + strings.Join(ran, "\n")
}
