package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// The form of JUnit's XML as Ant wrote it first and CI systems read it. It keeps
// to what both published schemas of it allow: what the stricter one wants is
// always there, and nothing is there that it does not know.
type (
	junitSuites struct {
		XMLName xml.Name   `xml:"testsuites"`
		Suite   junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Package    string          `xml:"package,attr"`
		ID         int             `xml:"id,attr"`
		Name       string          `xml:"name,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Hostname   string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        string          `xml:"system-out"`
		Err        string          `xml:"system-err"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Skipped *junitSkipped `xml:"skipped"`
		Error   *junitFailure `xml:"error"`
		Failure *junitFailure `xml:"failure"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as JUnit XML: one test suite, the exercise, with a
// test case for each check. A failed check is a failure with its feedback and, as
// the options ask, its evidence; one that did not run is skipped. What no check
// tells is a test case of its own: a program that does not compile is a failure of
// "builds", SQL that PostgreSQL refuses one of "is applied", a grade that was not made
// an error of "is graded". Characters that XML does not know become U+FFFD. The only errors are those of w.
func WriteJUnit(w io.Writer, r Report, o TextOptions) error {
	o.Color, o.ASCII = false, false
	s := junitSuite{
		Package: "cairn", Name: showable(r.Exercise), Hostname: "localhost", Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"),
		Time: seconds(r.took()), Out: showable(r.Log), Err: showable(r.Reason),
	}
	for _, p := range [][2]string{{"title", r.Title}, {"verdict", string(r.Verdict)}, {"seed", fmt.Sprint(r.Seed)},
		{"cairn", r.Cairn}, {"content", r.Content}, {"code", r.Code}} {
		s.Properties = append(s.Properties, junitProperty{p[0], showable(p[1])})
	}
	for _, c := range r.Checks {
		s.add(r.junitCase(c, o))
	}
	if extra, ok := r.junitVerdict(o); ok {
		s.add(extra)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Suite: s}); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Skipped != nil:
		s.Skipped++
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	}
	s.Cases = append(s.Cases, c)
}

func (r *Report) junitCase(c Check, o TextOptions) junitCase {
	out := junitCase{Name: showable(c.Title), Class: showable(r.Exercise + "." + c.ID), Time: seconds(c.Duration)}
	switch c.Status {
	case CheckBlocked:
		out.Skipped = &junitSkipped{Message: "did not run"}
		if by := r.root(&c); by != nil && by.Status == CheckFailed {
			out.Skipped.Message = showable("did not run, because “" + by.Title + "” failed")
		}
	case CheckFailed:
		var text bytes.Buffer
		_ = WriteFeedback(&text, c, o) // a buffer takes everything
		out.Failure = &junitFailure{Type: "failed", Message: "failed", Text: text.String()}
		if c.Feedback != nil {
			out.Failure.Message = showable(c.Feedback.Saw)
		}
	}
	return out
}

// junitVerdict is the test case for what no check tells, if there is such a thing.
func (r *Report) junitVerdict(o TextOptions) (junitCase, bool) {
	if r.Verdict == Passed || r.Verdict != Ungraded && r.FirstFailed() != nil {
		return junitCase{}, false
	}
	var text bytes.Buffer
	_ = WriteDiagnostics(&text, r.Diagnostics, o)
	if r.Next != "" {
		text.WriteString(sentence(showable(r.Next)) + "\n")
	}
	f := &junitFailure{Type: string(r.Verdict), Message: showable(r.Reason), Text: text.String()}
	out := junitCase{Name: "builds", Class: showable(r.Exercise) + ".build", Time: seconds(r.phase(PhaseBuild))}
	if took := r.phase(PhaseApply); took > 0 {
		out.Name, out.Class, out.Time = "is applied", showable(r.Exercise)+".apply", seconds(took)
	}
	switch {
	case r.Verdict == Ungraded:
		out.Name, out.Class, out.Error = "is graded", showable(r.Exercise)+".grade", f
		return out, true
	case len(r.Checks) > 0:
		out.Name, out.Class = "keeps its limits", showable(r.Exercise)+".limits"
		if r.Verdict == Failed {
			out.Name, out.Class = "is free of data races", showable(r.Exercise)+".races"
		}
	}
	out.Failure = f
	return out, true
}

// phase is how long a phase took.
func (r *Report) phase(name PhaseName) time.Duration {
	for _, p := range r.Phases {
		if p.Name == name {
			return p.Duration
		}
	}
	return 0
}

// seconds is a time as JUnit gives it, to the millisecond.
func seconds(d time.Duration) string {
	return strings.TrimPrefix(fmt.Sprintf("%.3f", d.Seconds()), "-")
}
