package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// group is the checks that did not run because of one other.
type group struct {
	by     *Check // nil when the report does not have it
	checks []*Check
}

// blocked groups the checks that did not run by the one that failed, however
// many others that did not run are in between.
func (r *Report) blocked() []group {
	var groups []group
	at := map[string]int{}
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Status != CheckBlocked {
			continue
		}
		by := r.root(c)
		id := ""
		if by != nil {
			id = by.ID
		}
		n, ok := at[id]
		if !ok {
			n = len(groups)
			at[id] = n
			groups = append(groups, group{by: by})
		}
		groups[n].checks = append(groups[n].checks, c)
	}
	return groups
}

// root is the check that ran and because of which c did not, or nil.
func (r *Report) root(c *Check) *Check {
	for range r.Checks { // a circle ends here
		if c = r.Check(c.BlockedBy); c == nil || c.Status != CheckBlocked {
			return c
		}
	}
	return nil
}

// counts says how the checks went: "22 of 22 checks", or "1 of 22 passed,
// 1 failed, 20 not run".
func (r *Report) counts() string {
	passed, total := r.Count()
	if passed == total {
		return fmt.Sprintf("%d of %d checks", passed, total)
	}
	failed := 0
	for _, c := range r.Checks {
		if c.Status == CheckFailed {
			failed++
		}
	}
	text := fmt.Sprintf("%d of %d passed", passed, total)
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	if rest := total - passed - failed; rest > 0 {
		text += fmt.Sprintf(", %d not run", rest)
	}
	return text
}

func (p *page) verdict(r Report) {
	_, total := r.Count()
	p.blank()
	style := red
	switch r.Verdict {
	case Passed:
		style = green
	case Ungraded:
		style = yellow
	}
	verdict, reason := string(r.Verdict), r.Reason
	if len(r.Diagnostics) > 0 && r.Diagnostics[0].Message == reason {
		reason = ""
	}
	text := ""
	switch {
	case total > 0:
		text = " · " + r.counts()
		if took := r.took(); took > 0 && !p.o.NoTimes {
			text += " · " + Took(took)
		}
		if r.Seed != 0 {
			text += fmt.Sprintf(" · seed %d", r.Seed)
		}
	case reason != "":
		text, reason = ": "+reason, ""
	}
	for i, line := range wrap(p.safe(verdict+text), p.width) {
		if rest, ok := strings.CutPrefix(line, verdict); i == 0 && ok {
			line = p.style(bold, p.style(style, verdict)) + rest
		}
		p.line("", line)
	}
	if reason != "" {
		p.wrapped("", sentence(reason), 0)
	}
	if r.Next != "" {
		p.wrapped("", sentence(r.Next), 0)
	}
}

// sentence ends a text with a full stop, and begins it with a capital unless it
// begins with a name.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if word, _, _ := strings.Cut(text, " "); !strings.ContainsAny(word, "./$_") {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// took is the time of all phases together.
func (r *Report) took() time.Duration {
	var sum time.Duration
	for _, p := range r.Phases {
		sum += p.Duration
	}
	return sum
}
