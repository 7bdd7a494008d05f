package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Annotation is a remark at a place of the learner's files, as CI systems show it
// beside a change.
type Annotation struct {
	Error   bool   // else it is a notice
	File    string // relative to the exercise's folder; "" when it is about no file
	Line    int    // from 1; 0 when it is not known
	Col     int    // from 1, in bytes; 0 when it is not known
	Title   string
	Message string // may have several lines
}

// Annotations are the remarks of a report: complaints about the files at their
// places, and failed checks at the place that a trace names, or else at edit, the
// file that the learner edits. There is always at least one.
func (r *Report) Annotations(edit string) []Annotation {
	name := r.Exercise
	if r.Verdict == Ungraded {
		return []Annotation{{Error: true, Title: name + ": not graded", Message: lines(r.Reason, r.Next)}}
	}
	var all []Annotation
	for _, d := range r.Diagnostics {
		all = append(all, Annotation{Error: true, File: d.File, Line: d.Line, Col: d.Col, Title: name + ": " + string(r.Verdict), Message: strings.TrimRight(d.Message+"\n"+d.Help, "\n")})
	}
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Status == CheckFailed {
			all = append(all, r.annotation(c, edit))
		}
	}
	switch {
	case r.Verdict == Passed:
		all = append(all, Annotation{Title: name + ": passed", Message: r.counts()})
	case r.Verdict == Limit || len(all) == 0:
		all = append(all, Annotation{Error: true, File: edit, Line: 1, Title: name + ": " + string(r.Verdict), Message: lines(r.Reason, r.Next)})
	}
	return all
}

func (r *Report) annotation(c *Check, edit string) Annotation {
	a := Annotation{Error: true, File: edit, Line: 1, Title: r.Exercise + ": " + c.Title}
	if c.Feedback == nil {
		return a
	}
	if file, line := r.frame(c.Feedback.Detail); file != "" {
		a.File, a.Line = file, line
	}
	f := *c.Feedback
	f.Detail = ""
	a.Message = strings.TrimRight(f.Text(200), "\n")
	return a
}

var frameForm = regexp.MustCompile(`(?m)^\s+([a-z]+)/(\S+\.go):(\d+)\b`)

// frame finds the first place in a trace that is in the learner's own files.
func (r *Report) frame(trace string) (file string, line int) {
	for _, m := range frameForm.FindAllStringSubmatch(trace, -1) {
		if n, err := strconv.Atoi(m[3]); err == nil && m[1] == r.Exercise && !strings.HasPrefix(m[2], "program/") {
			return m[2], n
		}
	}
	return "", 0
}

func lines(texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, sentence(t))
		}
	}
	return strings.Join(kept, "\n")
}

var (
	commandData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// WriteAnnotations writes workflow commands of GitHub Actions, one a line. No
// text in an annotation can begin a command of its own.
func WriteAnnotations(w io.Writer, all []Annotation) error {
	var b bytes.Buffer
	for _, a := range all {
		command := "notice"
		if a.Error {
			command = "error"
		}
		var properties []string
		add := func(name, value string) {
			if value != "" {
				properties = append(properties, name+"="+commandProperty.Replace(showable(value)))
			}
		}
		add("file", a.File)
		add("line", known(a.Line))
		add("col", known(a.Col))
		add("title", strings.ReplaceAll(a.Title, "\n", " "))
		fmt.Fprintf(&b, "::%s %s::%s\n", command, strings.Join(properties, ","), commandData.Replace(showable(a.Message)))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// known is a number that counts from 1, "" when it is not known.
func known(n int) string {
	if n < 1 {
		return ""
	}
	return strconv.Itoa(n)
}
