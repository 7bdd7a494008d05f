package exam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/workflow"
)

// shownLines is how many of a step's last lines are shown.
const shownLines = 8

// last is the end of what a step printed.
func last(s *workflow.StepResult) string {
	lines := strings.Split(strings.TrimSpace(s.Output), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return "It printed nothing."
	}
	lines = lines[max(0, len(lines)-shownLines):]
	return "The end of what it printed:\n    " + strings.Join(lines, "\n    ")
}

// at names a step and where it stands.
func at(s *workflow.StepResult) string {
	return fmt.Sprintf("the step %q (line %d)", s.Name, s.Line)
}

func did(r *workflow.Result, repository string) string {
	return fmt.Sprintf("ran the workflow as for a %s of a repository %s", r.Event.Name, repository)
}

// unfinished fails the check for a run that was not over in time.
func unfinished(c *exam.C, r *workflow.Result, repository string) {
	f := exam.Finding{
		Did: did(r, repository), Expected: "an end within a minute and a half",
		Saw: "the run was still at work, and was ended",
	}
	if s := r.Failed(); s != nil {
		f.Saw = at(s) + " was still at work, and was ended"
		f.Detail = last(s)
	}
	c.Fail(f)
}

func green(c *exam.C) {
	const repository = "in which nothing is wrong"
	for _, r := range c.RunWorkflow("good") {
		switch r.Conclusion {
		case workflow.Success:
		case workflow.Unfinished:
			unfinished(c, r, repository)
		case workflow.Skipped:
			c.Fail(exam.Finding{Did: did(r, repository), Expected: "a green run", Saw: "every job was skipped: none of their conditions was true"})
		default:
			c.Fail(redFinding(c, r, repository))
		}
	}
}

// redFinding says why a run is red that should be green.
func redFinding(c *exam.C, r *workflow.Result, repository string) exam.Finding {
	f := exam.Finding{Did: did(r, repository), Expected: "a green run", Saw: "a red one"}
	s := r.Failed()
	if s == nil {
		return f
	}
	f.Saw = fmt.Sprintf("%s ended with exit status %d", at(s), s.Status)
	f.Detail = last(s)
	jobs := c.Workflow().Jobs()
	job := jobs[slices.IndexFunc(jobs, func(j workflow.Job) bool { return s.Job == j.ID || strings.HasPrefix(s.Job, j.ID+" (") })]
	switch {
	case !job.ChecksOut():
		f.Saw += fmt.Sprintf(". No step of the job %s has fetched the repository: each job begins on an empty machine", job.ID)
	case s.Status == 127:
		f.Saw += ": a command was not found. What a job installs is not there for the next one, and nothing can be installed here"
	case strings.Contains(s.Output, "reading file://"):
		f.Saw += ": it wanted a module that the repository does not require, and nothing can be installed here. Each gate can be had with what comes with Go"
	case network.MatchString(s.Output):
		f.Saw += ": it wanted to reach the network, and there is none here. Each gate can be had with what comes with Go"
	case s.Status == 137:
		f.Saw += ": it was killed, most likely for its memory"
	}
	return f
}

var network = regexp.MustCompile(`(?i)could not resolve|no such host|network is unreachable|temporary failure in name resolution|dial tcp`)

// badRepository is a repository with a defect, and the gate that has to notice.
type badRepository struct {
	defect     defect
	id, title  string
	repository string // "in which a test fails"
	gate       string // what notices: "go vet"
	noticed    *regexp.Regexp
	why, read  string
}

var bad = []badRepository{
	{
		failingTest, "tests", "is red when a test fails", "in which a test fails", "go test", regexp.MustCompile(`\bgo\s+test\b`),
		"A red test that nobody is shown is a comment.", "a-status-is-all-there-is",
	},
	{
		dataRace, "race", "is red for a data race", "in which two goroutines use one variable without a lock", "go test with the race detector", regexp.MustCompile(`\bgo\s+test\b[^\n|;&]*\s-race\b|GOFLAGS[^\n]*-race`),
		"Without the detector the test of a race is green, on a quiet machine, for months. In production it is a wrong total once a week.", "five-gates",
	},
	{
		unformatted, "format", "is red for a file that is not formatted", "in which one file is not as gofmt would have it", "gofmt", regexp.MustCompile(`\bgofmt\b|\bgo\s+fmt\b`),
		"Where the pipeline does not hold the form, every later change carries somebody's reformatting, and the one line that matters is not seen.", "five-gates",
	},
	{
		vetError, "vet", "is red for what go vet finds", "in which go vet finds a mistake", "go vet", regexp.MustCompile(`\bgo\s+vet\b|-vet=all\b`),
		"go test runs a few of vet's analyses and leaves out the rest: a struct tag that no decoder reads, a value that is assigned to itself.", "five-gates",
	},
	{
		untidy, "tidy", "is red for a module that is not tidy", "whose go.mod is not what go mod tidy would make of it", "go mod tidy", regexp.MustCompile(`\bgo\s+mod\s+tidy\b`),
		"The next person's go mod tidy then changes lines that have nothing to do with their change, and a module that nothing uses is still downloaded, scanned and attacked.", "five-gates",
	},
}

func (b badRepository) examine(c *exam.C) {
	for _, r := range c.RunWorkflow(string(b.defect)) {
		switch r.Conclusion {
		case workflow.Failure:
		case workflow.Unfinished:
			unfinished(c, r, b.repository)
		default:
			saw, detail := b.cause(r)
			c.Fail(exam.Finding{Did: did(r, b.repository), Expected: "a red run", Saw: saw, Detail: detail})
		}
	}
}
