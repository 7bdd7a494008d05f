package exam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

const (
	few, many     = 10, 1000
	maxStatements = 8
	spareRows     = 10
	// patience is for a page that takes thousands of statements on a busy
	// machine: it ends with a count, and not with a time.
	patience = 40 * time.Second
)

// uncounted are verbs of statements that the task does not count.
var uncounted = strings.Fields("BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE SET RESET SHOW DISCARD DEALLOCATE PREPARE CLOSE")

// counted is the statements that count: without those that only frame others, and
// without a client's own sign of life, which is a comment.
func counted(all []wire.Statement) []wire.Statement {
	return slices.DeleteFunc(slices.Clone(all), func(s wire.Statement) bool {
		verb := s.Verb()
		return verb == "" || slices.Contains(uncounted, verb)
	})
}

// measure reads a page and returns the statements that it took, too.
func measure(c *exam.C, path string) (*exam.Response, []wire.Statement) {
	before := len(c.Statements())
	r, err := c.Client("client").Try("GET", path, nil, exam.Timeout(patience))
	all := c.Statements()
	seen := counted(all[min(before, len(all)):])
	if err != nil {
		f := exam.Finding{Did: "GET " + path, Expected: "the page, read with at most 8 statements", Saw: fmt.Sprintf("no answer within %s, after %d statements", patience, len(seen))}
		if len(seen) > maxStatements {
			f = repeatedBecause(f, seen)
		}
		c.Fail(f)
	}
	return r, seen
}

func countStatements(c *exam.C) {
	p := newProject(c, shape{issues: many, labels: [2]int{1, 3}, comments: [2]int{1, 4}, assigned: 60})
	// Both pages show something of every kind, so that no statement can be left out.
	r, small := measure(c, p.path(fmt.Sprintf("?limit=%d", few)))
	p.wants(r, p.issues[:few])
	r, large := measure(c, p.path(fmt.Sprintf("?limit=%d", many)))
	f := exam.Finding{
		Did:      fmt.Sprintf("GET %s, and the same with limit=%d", p.path(fmt.Sprintf("?limit=%d", few)), many),
		Expected: fmt.Sprintf("the same number of statements for %d issues and for %d, and at most %d", few, many, maxStatements),
		Saw:      fmt.Sprintf("%d statements for %d issues, %d for %d", len(small), few, len(large), many),
	}
	if len(large) != len(small) || len(large) > maxStatements {
		c.Fail(repeatedBecause(f, large))
	}
	p.wants(r, p.issues)
}

var (
	intoTable = regexp.MustCompile(`(?is)\b(?:from|join)\s+(?:only\s+|lateral\s+)?"?([a-z_]+)"?`)
	numbers   = regexp.MustCompile(`\b\d+\b`)
)

// shapeOf is a text without its numbers and with its lists of placeholders made one.
func shapeOf(sql string) string { return numbers.ReplaceAllString(placeholders(sql), "0") }

// repeatedBecause says which statement was run again and again, and how.
func repeatedBecause(f exam.Finding, seen []wire.Statement) exam.Finding {
	groups := map[string][]wire.Statement{}
	most := ""
	for _, s := range seen {
		shape := shapeOf(s.SQL)
		groups[shape] = append(groups[shape], s)
		if most == "" || len(groups[shape]) > len(groups[most]) {
			most = shape
		}
	}
	same := groups[most]
	if len(same) < 2 {
		return f
	}
	rows := 0
	for _, s := range same {
		rows += max(0, s.Rows)
	}
	f.Detail = "The first of them:\n    " + strings.Join(strings.Fields(same[0].SQL), " ")
	if same[0].Verb() == "FETCH" {
		f.Saw += fmt.Sprintf(". %d of them are FETCH: a cursor was read in pieces of a fixed size, and each piece is a statement", len(same))
		f.Read = lesson + "what-does-not-help"
		return f
	}
	table := "one table"
	if m := intoTable.FindStringSubmatch(same[0].SQL); m != nil {
		table = strings.ToLower(m[1])
	}
	f.Saw += fmt.Sprintf(". One of them, which reads %s, was run %d times", table, len(same))
	sessions, pipelined := howRun(same)
	switch {
	case rows/len(same) > 15:
		f.Saw += fmt.Sprintf(", each time for another part of the page and with some %d rows. Parts of a fixed size are fewer trips, but their number still grows with the page", rows/len(same)/10*10)
		f.Read = lesson + "what-does-not-help"
	case pipelined:
		f.Saw += ", sent together in a batch. That saves the trips; PostgreSQL still has to run every single one"
		f.Read = lesson + "what-does-not-help"
	case sessions > 1:
		f.Saw += ", over several connections side by side. Goroutines make the waiting shorter, not the work less, and one page now takes all connections of the pool"
		f.Read = lesson + "what-does-not-help"
	case table == "people":
		f.Saw += ", each time for one person. Such a call often hides: in a method that loads what is not there yet, or that the encoder calls"
		f.Read = lesson + "the-loop-that-nobody-wrote"
	default:
		f.Saw += ", one after the other, each time for one issue"
	}
	return f
}

// howRun tells over how many sessions the statements went, and whether most of
// them were sent before the one before them in their session was answered.
func howRun(same []wire.Statement) (sessions int, pipelined bool) {
	last := map[int]wire.Statement{}
	early := 0
	for _, s := range same {
		if before, ok := last[s.Session]; ok && s.Start.Before(before.End()) {
			early++
		}
		last[s.Session] = s
	}
	return len(last), early > len(same)/2
}

// countRows has pages on which each issue has many labels and far more comments
// than are shown. The table holds those of other projects, too.
func countRows(c *exam.C) {
	p := newProject(c, shape{issues: 20, labels: [2]int{18, 22}, comments: [2]int{30, 40}, assigned: 60})
	r, seen := measure(c, p.path(""))
	rows, worst := 0, wire.Statement{}
	for _, s := range seen {
		rows += max(0, s.Rows)
		if s.Rows > worst.Rows || worst.SQL == "" {
			worst = s
		}
	}
	bound := things(p.issues) + spareRows
	if rows > bound {
		f := exam.Finding{
			Expected: fmt.Sprintf("at most %d rows: the page shows %d things", bound, bound-spareRows),
			Saw:      fmt.Sprintf("%d rows", rows),
			Did:      r.Did() + fmt.Sprintf(", of %d issues with some 20 labels and some 35 comments each", len(p.issues)),
		}
		c.Fail(p.rowsBecause(f, worst))
	}
	p.wants(r, p.issues)
}

// rowsBecause says what the rows of the largest result were.
func (p *project) rowsBecause(f exam.Finding, s wire.Statement) exam.Finding {
	db := p.c.DB()
	comments, labels, pairs, few := 0, 0, 0, 0
	for _, it := range p.issues {
		comments += len(it.comments)
		labels += len(it.labels)
		pairs += len(it.comments) * len(it.labels)
		few += len(it.latest()) * len(it.labels)
	}
	f.Detail = "It was the answer to:\n    " + strings.Join(strings.Fields(s.SQL), " ")
	switch {
	case s.Rows == pairs || s.Rows == few:
		f.Saw += fmt.Sprintf(", %d of them from one statement: each label of an issue together with each of its comments. Two lists that have only the issue in common multiply when they are joined", s.Rows)
	case s.Rows == comments:
		f.Saw += fmt.Sprintf(", %d of them from one statement: all comments of these issues, of which the page shows three each", s.Rows)
		f.Read = lesson + "a-limit-counts-rows"
	case int64(s.Rows) == db.Int(`select count(*) from comments`) || int64(s.Rows) == db.Int(`select count(*) from issue_labels`):
		f.Saw += fmt.Sprintf(", %d of them from one statement: that is the whole table, with all other projects in it", s.Rows)
		f.Read = lesson + "what-does-not-help"
	default:
		f.Saw += fmt.Sprintf(", %d of them from one statement", s.Rows)
	}
	return f
}
