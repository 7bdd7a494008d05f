package exam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }

// because says why there is more than one order, as far as the wire tells.
func (a attempt) because(f exam.Finding) exam.Finding {
	seen := a.c.Statements()
	carried := slices.ContainsFunc(seen, func(s wire.Statement) bool { return slices.Contains(s.Params, a.key) })
	switch {
	case !carried:
		f.Saw += ". No statement of your program brought the key to PostgreSQL"
	case lookedFirst(seen, a.key):
		f.Saw += ". Each of them looked for the key and found none, before any of them had written it. Nothing in the database refuses a key that is there already"
	}
	return f
}

// lookedFirst tells whether two sessions read the key without an answer before
// either wrote it.
func lookedFirst(seen []wire.Statement, key string) bool {
	readers := map[int]bool{}
	for _, s := range seen {
		if s.Verb() == "SELECT" && s.Rows == 0 && slices.Contains(s.Params, key) {
			readers[s.Session] = true
		}
	}
	return len(readers) > 1
}

// because500 says which error of PostgreSQL a 5xx stands for.
func because500(f exam.Finding, c *exam.C) exam.Finding {
	for _, s := range slices.Backward(c.Statements()) {
		if s.Err == nil {
			continue
		}
		switch s.Err.Code {
		case "23505":
			f.Saw += fmt.Sprintf(". PostgreSQL had answered 23505 (%s), and your code passed that on as a failure. It is the news that somebody was here first", s.Err.Message)
		case "25P02":
			f.Saw += ". After a first error your code went on in the same transaction (25P02). A transaction that has failed can only be rolled back"
		case "40001", "40P01", "55P03", "57014":
			f.Saw += fmt.Sprintf(". PostgreSQL had answered %s (%s), and your code passed that on to the caller", s.Err.Code, s.Err.Message)
		default:
			f.Saw += fmt.Sprintf(". PostgreSQL had answered %s (%s) to: %s", s.Err.Code, s.Err.Message, oneLine(s.SQL))
		}
		return f
	}
	return f
}

// because500Again says why the key of a failure is answered with a 5xx once more.
// before is how many statements the check had seen until then.
func (a attempt) because500Again(f exam.Finding, r *exam.Response, before int) exam.Finding {
	seen := a.c.Statements()
	for _, s := range seen[min(before, len(seen)):] {
		switch {
		case s.Err != nil:
			return because500(f, a.c)
		case a.names(s) && slices.Contains(s.FirstRow, fmt.Sprint(r.Status)):
			f.Saw += fmt.Sprintf(". The failure was kept: under the key PostgreSQL found a %d, which is the answer to it from now on", r.Status)
			return f
		}
	}
	f.Saw += ". This time PostgreSQL refused nothing: your code failed at what the first try had left under the key"
	return f
}

// ignored names the error of PostgreSQL after which the program went on.
func ignored(c *exam.C) string {
	for _, s := range slices.Backward(c.Statements()) {
		if s.Err != nil {
			return fmt.Sprintf(". PostgreSQL had answered %s to: %s. Nobody looked at that", s.Err.Code, oneLine(s.SQL))
		}
	}
	return ". An error of PostgreSQL was not looked at"
}

// unanswered is the SQL that PostgreSQL was still busy with, the oldest, and
// lastUnanswered the newest.
func unanswered(seen []wire.Statement) string {
	for _, s := range seen {
		if s.Pending || s.Lost {
			return oneLine(s.SQL)
		}
	}
	return ""
}

func lastUnanswered(seen []wire.Statement) string {
	for _, s := range slices.Backward(seen) {
		if s.Pending || s.Lost {
			return oneLine(s.SQL)
		}
	}
	return ""
}
