package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cairn-learn/cairn/grader/report"
)

// golden is a failed check whose feedback stands, or will stand, in a file.
type golden struct {
	name  string // of the file, relative to the exercise's folder
	dir   string // of the graded version
	check report.Check
	masks []*regexp.Regexp
}

func (g golden) text() string {
	text := Feedback(g.check)
	for _, m := range g.masks {
		text = m.ReplaceAllString(text, "‹varies›")
	}
	return text
}

// compare holds a failed check's feedback to its golden file, or writes it.
func (r *run) compare(res *Result, g golden) {
	defer r.checkFeedback(res, g.check)
	got := g.text()
	want, err := r.e.Golden(g.name)
	if err != nil {
		res.fault("%s", err)
		return
	}
	file := filepath.Join("exercises", r.e.ID, filepath.FromSlash(g.name))
	switch {
	case string(want) == got:
	case r.options.Update:
		r.update(res, g, got)
	case want == nil:
		res.fault("%s:1: there is no golden feedback yet; read it, then write it with -update:\n%s", file, got)
	default:
		res.fault("%s:1: the feedback has changed; read it, then write it with -update:\n%s", file, udiff.Unified("golden", "now", string(want), got))
	}
}

// update writes a golden file, if a second grade says the same.
func (r *run) update(res *Result, g golden, text string) {
	if !r.grade(res, g.dir, Seed, false) {
		return
	}
	if again := res.Report.FirstFailed(); again != nil {
		g.check = *again
	}
	if now := g.text(); now != text {
		res.fault("%s: two grades with the same seed say different things; name what differs in the mutant with # mask: <regular expression>:\n%s", g.name, udiff.Unified("first", "second", text, now))
		return
	}
	file := filepath.Join(r.options.Dir, r.e.ID, filepath.FromSlash(g.name))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		res.fault("write the golden feedback: %s", err)
		return
	}
	res.Updated = true
}

// checkFeedback requires of feedback what a learner needs: every part of it,
// and a link that leads somewhere.
func (r *run) checkFeedback(res *Result, c report.Check) {
	if c.Feedback == nil {
		res.fault("check %s fails without feedback", c.ID)
		return
	}
	for part, text := range map[string]string{"did": c.Feedback.Did, "expected": c.Feedback.Expected, "saw": c.Feedback.Saw, "why": c.Feedback.Why} {
		if strings.TrimSpace(text) == "" {
			res.fault("check %s fails without saying %q", c.ID, part)
		}
	}
	if r.options.Course != nil && c.Feedback.Read != "" {
		if _, _, err := r.options.Course.Resolve(c.Feedback.Read); err != nil {
			res.fault("check %s: %s", c.ID, err)
		}
	}
}

// Feedback is the form of a golden file: what a learner is told by a failed
// check, with everything masked that differs from one grade to the next.
func Feedback(c report.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "check: %s\ntitle: %s\n", c.ID, c.Title)
	if c.Feedback == nil {
		return b.String()
	}
	for _, part := range []struct{ name, text string }{
		{"did", c.Feedback.Did}, {"expected", c.Feedback.Expected}, {"saw", c.Feedback.Saw},
		{"why", c.Feedback.Why}, {"read", c.Feedback.Read}, {"detail", c.Feedback.Detail},
	} {
		text := strings.TrimSpace(part.text)
		if text == "" {
			continue
		}
		if part.name == "detail" {
			text = stack(text)
		}
		text = Mask(text)
		if strings.Contains(text, "\n") {
			text = "\n    " + strings.ReplaceAll(text, "\n", "\n    ")
		} else {
			text = " " + text
		}
		fmt.Fprintf(&b, "%s:%s\n", part.name, text)
	}
	return b.String()
}

// masks replace what differs between two grades of the same code with the same
// seed. Their order matters: times of day before durations.
var masks = []struct {
	form *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\b\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?`), "‹time›"},
	{regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT`), "‹time›"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|ms|m?s)\b`), "‹duration›"},
	{regexp.MustCompile(`\b(127\.0\.0\.1|localhost|\[::1\]):\d+`), "$1:‹port›"},
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "‹uuid›"},
	{regexp.MustCompile(`\b0x[0-9a-f]+\b`), "‹address›"},
	{regexp.MustCompile(`(/[a-z]+/)\d+\b`), "$1‹id›"},
	{regexp.MustCompile(`("id": ?)\d+\b`), "$1‹id›"},
	{regexp.MustCompile(`\bgoroutine \d+\b`), "goroutine ‹n›"},
	{regexp.MustCompile(`\b(pid|PID|process) \d+\b`), "$1 ‹n›"},
	{regexp.MustCompile(`(/tmp|/var/tmp|/private/var)/\S+`), "‹path›"},
}

// Mask replaces times, ports, ids and addresses in a text by their names.
func Mask(text string) string {
	for _, m := range masks {
		text = m.form.ReplaceAllString(text, m.with)
	}
	return text
}

var dump = regexp.MustCompile(`(?m)^goroutine \d+ \[`)

// stack leaves of a dump of goroutines what stands before the first one: the
// rest differs with every grade.
func stack(detail string) string {
	at := dump.FindStringIndex(detail)
	if at == nil {
		return detail
	}
	return strings.TrimSpace(detail[:at[0]] + "‹goroutines›")
}
