// Package workflow reads a workflow of GitHub Actions, says what it asks for, and runs its jobs
// and steps in the way that GitHub documents.
//
// The file is parsed and linted by actionlint. What a workflow does is found out by running its
// scripts, never by reading them: a Machine, for example a container, is given each step's script
// with the shell and the flags that GitHub would use, and the exit status decides. What cannot be
// had without GitHub is either taken as done, like actions, or named by Unsupported before
// anything runs.
package workflow

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// Workflow is a file that could be read. It is read-only and safe for concurrent use.
type Workflow struct {
	Name   string // of the file, slash-separated
	source []byte
	lines  []string
	tree   *actionlint.Workflow
}

// Job is one entry of jobs.
type Job struct {
	ID   string // as it is written
	Line int
	job  *actionlint.Job
}

// notYAML begins what actionlint says of a file that is no YAML at all.
const notYAML = "could not parse as YAML: "

// Parse reads a workflow. A file that is no YAML comes back as diagnostics, and no workflow; all
// else that is wrong with it is Lint's to say.
func Parse(name string, data []byte) (*Workflow, []report.Diagnostic) {
	tree, complaints := actionlint.Parse(data)
	w := &Workflow{Name: name, source: data, lines: strings.Split(string(data), "\n"), tree: tree}
	if tree != nil {
		return w, nil
	}
	var all []report.Diagnostic
	for _, c := range complaints {
		message := strings.TrimPrefix(c.Message, notYAML)
		c.Line = max(c.Line, 1) // the parser has no number for the first line
		d := report.Diagnostic{File: name, Line: c.Line, Col: c.Column, Message: "this is no YAML: " + safe.Line(message), Help: yamlHelp(w.Line(c.Line), message)}
		d.Source = safe.Line(w.Line(c.Line))
		all = append(all, d)
	}
	return nil, all
}

// yamlHelp says in one sentence what is mostly behind a complaint about YAML.
func yamlHelp(line, message string) string {
	switch {
	case strings.Contains(line, "\t"):
		return "YAML is indented with spaces; there is a tab in this line."
	case strings.Contains(message, "mapping values are not allowed"):
		return "A colon with a space after it makes a key: put a text that holds one into quotes, or the script of a step under run: |."
	case strings.Contains(message, "did not find expected"):
		return "A parser of YAML often notices late: compare the indentation of this line and of the ones before it."
	case strings.Contains(message, "found character that cannot start any token"):
		return "A value that begins with @, ` or % has to be put into quotes."
	}
	return "A parser of YAML often notices late: look at the lines before this one too."
}

// Line returns a line of the file, counted from 1; "" when there is none.
func (w *Workflow) Line(n int) string {
	if n < 1 || n > len(w.lines) {
		return ""
	}
	return strings.TrimRight(w.lines[n-1], "\r")
}

// Jobs returns the jobs in the order of the file.
func (w *Workflow) Jobs() []Job {
	var all []Job
	for _, j := range slices.SortedFunc(maps.Values(w.tree.Jobs), func(a, b *actionlint.Job) int { return cmp.Compare(lineOf(a.Pos), lineOf(b.Pos)) }) {
		if j.ID != nil {
			all = append(all, Job{ID: j.ID.Value, Line: lineOf(j.Pos), job: j})
		}
	}
	return all
}

// Scripts returns the scripts of a job's run steps, in order.
func (j Job) Scripts() []string {
	var all []string
	for _, s := range j.job.Steps {
		if run, ok := s.Exec.(*actionlint.ExecRun); ok && run.Run != nil {
			all = append(all, run.Run.Value)
		}
	}
	return all
}

func lineOf(p *actionlint.Pos) int {
	if p == nil {
		return 0
	}
	return p.Line
}

func valueOf(s *actionlint.String) string {
	if s == nil {
		return ""
	}
	return s.Value
}

// Complaint is one thing that actionlint has found.
type Complaint struct {
	Line, Col int
	Rule      string // "expression", "syntax-check", "job-needs"
	Message   string
}

// Untrusted tells whether the complaint is about text of somebody else's that becomes part of a script.
func (c Complaint) Untrusted() bool { return strings.Contains(c.Message, "potentially untrusted") }

// Lint returns what actionlint finds, in the order of the file. The programs that actionlint
// calls where they are installed, shellcheck and pyflakes, are left out: they are not everywhere.
func (w *Workflow) Lint() ([]Complaint, error) {
	l, err := actionlint.NewLinter(discard{}, &actionlint.LinterOptions{WorkingDir: "/"})
	if err != nil {
		return nil, err
	}
	found, err := l.Lint(w.Name, w.source, nil)
	var all []Complaint
	for _, e := range found {
		all = append(all, Complaint{Line: e.Line, Col: e.Column, Rule: e.Kind, Message: safe.Line(e.Message)})
	}
	return all, err
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
