package exam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// listOf matches placeholders one after the other, each alone or in parentheses
// and with a cast, as they stand in an IN or VALUES that was made to measure.
var listOf = regexp.MustCompile(`\(?\s*\$\d+(\s*::\s*\w+)?\s*\)?(\s*,\s*\(?\s*\$\d+(\s*::\s*\w+)?\s*\)?)*`)

// placeholders makes each list of placeholders in a text one.
func placeholders(sql string) string {
	return listOf.ReplaceAllString(strings.Join(strings.Fields(sql), " "), "$$n")
}

// compareTexts reads pages of the same length from two projects.
func compareTexts(c *exam.C) {
	var texts [2][]string
	var seen [2][]wire.Statement
	var pages [2]string
	for i := range texts {
		p := newProject(c, shape{issues: 12, labels: [2]int{1, 3}, comments: [2]int{1, 4}, assigned: 100})
		pages[i] = p.path("?limit=10&state=open")
		r, statements := measure(c, pages[i])
		open := p.in("open")
		p.wants(r, open[:min(10, len(open))])
		seen[i] = statements
		for _, s := range statements {
			texts[i] = append(texts[i], placeholders(s.SQL))
		}
	}
	for i, text := range texts[1] {
		if slices.Contains(texts[0], text) {
			continue
		}
		f := exam.Finding{
			Did:      fmt.Sprintf("GET %s, and then the same of another project", pages[0]),
			Expected: "the second page is read with the texts of the first; what differs is sent as parameters",
			Saw:      "a text that the first page did not have",
			Detail:   "It was:\n    " + strings.Join(strings.Fields(seen[1][i].SQL), " "),
		}
		if len(seen[1][i].Params) == 0 {
			f.Saw += ", without any parameter. The values had been written into it: harmless with numbers out of the same database, and a way in for a stranger with anything else"
		} else if slices.ContainsFunc(texts[0], func(t string) bool { return shapeOf(t) == shapeOf(text) }) {
			f.Saw += ": the two differ by numbers alone. A value had been written into it, beside those that were sent as parameters"
		}
		c.Fail(f)
	}
}

// stuckBecause says where the requests of a crowd waited.
func stuckBecause(c *exam.C, f exam.Finding) exam.Finding {
	sessions, busy := map[int]bool{}, 0
	for _, s := range c.Statements() {
		sessions[s.Session] = true
		if s.Duration > crowdTime/2 {
			busy++
		}
	}
	if busy > 0 {
		f.Saw += fmt.Sprintf("; %d statements took longer than %s in PostgreSQL", busy, crowdTime/2)
		return f
	}
	f.Saw += ". PostgreSQL had answered at once whatever it was asked: the requests waited for each other inside the program. One that keeps a connection, in a transaction or with rows that are not read to the end, and wants a second one from the pool, waits until another gives one back; when all do so, none does"
	return f
}
