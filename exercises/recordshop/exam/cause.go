package exam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }

// around is the part of a statement near a text in it.
func around(sql, text string) string {
	const before, most = 90, 220
	sql = oneLine(sql)
	if i := strings.Index(strings.ToLower(sql), strings.ToLower(oneLine(text))); i > before {
		sql = "… " + strings.ToValidUTF8(sql[i-before:], "")
	}
	if len(sql) > most {
		sql = strings.ToValidUTF8(sql[:most], "") + " …"
	}
	return sql
}

// refusedBecause says why an answer was not the one that was due, as far as
// PostgreSQL's errors on the wire tell.
func refusedBecause(f exam.Finding, seen []wire.Statement) exam.Finding {
	for i, s := range seen {
		if s.Err != nil {
			return complaint(f, s, slices.ContainsFunc(seen[:i], readSearch))
		}
	}
	switch {
	case strings.HasPrefix(f.Saw, "400"):
		f.Saw += ". Your program refused it itself: PostgreSQL had nothing against it"
		if len(seen) == 0 {
			f.Saw = strings.TrimSuffix(f.Saw, ": PostgreSQL had nothing against it") + ", and asked PostgreSQL nothing"
		}
	case strings.HasPrefix(f.Saw, "5") && len(seen) == 0:
		f.Saw += ". No statement had reached PostgreSQL: the driver or your own code gave up before"
	}
	return f
}

// readSearch tells whether a statement has read a search out of the table.
func readSearch(s wire.Statement) bool {
	return s.Err == nil && s.Verb() == "SELECT" && s.Rows > 0 && strings.Contains(strings.ToLower(s.SQL), "from searches")
}

// complaint adds what PostgreSQL said, and what that means. Stored tells whether
// the program had read a search from the table before.
func complaint(f exam.Finding, s wire.Statement, stored bool) exam.Finding {
	near := regexp.MustCompile(`"([^"]+)"`).FindStringSubmatch(s.Err.Message)
	at := ""
	if near != nil {
		at = near[1]
	}
	f.Saw += fmt.Sprintf(". PostgreSQL had answered %s (%s) to: %s", s.Err.Code, s.Err.Message, around(s.SQL, at))
	if code := s.Err.Code; stored && (code == "42601" || code == "42703") {
		f.Saw += ". It came out of the table: what the SELECT from searches had just read back was joined to this statement"
		f.Read = lesson + "the-second-time"
		return f
	}
	switch s.Err.Code {
	case "42601":
		f.Saw += ". What the caller had sent was read as SQL"
	case "42703":
		f.Saw += ". What the caller had sent was taken for the name of a column"
		f.Read = lesson + "what-cannot-be-bound"
	case "22P02", "22003":
		f.Saw += ". The text went to PostgreSQL unread; that it was bound keeps it harmless and makes no number of it"
		f.Read = lesson + "numbers-without-quotes"
	case "22021", "22P05":
		f.Saw += ". It was bound, and it still is no text for PostgreSQL"
	case "22025", "22019":
		f.Saw += ". A backslash means something in LIKE: it takes the meaning from what follows"
		f.Read = lesson + "bound-and-still-a-pattern"
	}
	return f
}

// altered says what was done to a text that came back as another.
func altered(got, want string) string {
	switch {
	case got == want:
		return ""
	case strings.Contains(got, "&#") || strings.Contains(got, "&amp;amp;") || strings.Contains(got, "&lt;"):
		return ". The text was made fit for HTML before it was stored. That belongs where HTML is written, and has nothing to do with SQL"
	case strings.ReplaceAll(want, "'", "''") == got:
		return ". Each apostrophe has become two: the text was escaped and bound as well, so that the escaping was stored"
	case strings.ReplaceAll(want, "'", "") == got:
		return ". The apostrophes are gone: they were taken out of the text"
	case strings.ReplaceAll(want, `\`, `\\`) == got:
		return ". Each backslash has become two: the text was escaped and bound as well, so that the escaping was stored"
	case len(got) < len(want):
		return fmt.Sprintf(". Of %d bytes, %d were left", len(want), len(got))
	}
	return ". It is another text"
}

// spliced finds a statement that has the text in its own text.
func spliced(seen []wire.Statement, text string) (wire.Statement, bool) {
	text = strings.ToLower(text)
	for _, s := range seen {
		if strings.Contains(strings.ToLower(s.SQL), text) {
			return s, true
		}
	}
	return wire.Statement{}, false
}

// how says in which way a value, O'mark, has come into a statement's text.
func how(s wire.Statement, mark string) string {
	sql := s.SQL
	switch {
	case s.Simple && s.Verb() == "SELECT" && strings.Contains(sql, "O''"+mark): // Query never does so by itself
		return "The driver has put it there: in pgx's simple protocol it writes each value into the text, escaped, and sends no parameters"
	case strings.Contains(sql, `O\'`+mark):
		return "A backslash was put before its apostrophe. That means something only in E'…'; in an ordinary literal the apostrophe still ends it"
	case strings.Contains(sql, "$O'"+mark+"$"):
		return "It stands between dollar quotes. Whoever writes the closing one into a name gets out of the text"
	case strings.Contains(sql, "O''"+mark) || strings.Contains(sql, "O''''"+mark):
		return "Its apostrophe is doubled: it was escaped and then joined to the statement"
	case strings.Contains(sql, "O'"+mark):
		return "It was joined to the statement as it came"
	}
	return "It was joined to the statement"
}
