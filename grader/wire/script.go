package wire

import "strings"

// Piece is one statement of a script.
type Piece struct {
	Text  string   // without its semicolon and the comments before it
	At    int      // the byte at which it begins
	Words []string // its keywords and unquoted names, in lower case and in order
}

// Script cuts a text at its semicolons as PostgreSQL does, without understanding
// more of it than quotes, comments and parentheses. Statements without a token are
// left out, as the server does.
func Script(sql string) []Piece {
	var all []Piece
	t := tokens{sql: sql}
	var now Piece
	depth, body, begun := 0, 0, false
	for before := (token{}); ; {
		k := t.next()
		switch {
		case k.symbol("("):
			depth++
		case k.symbol(")"):
			depth--
		case k.is("atomic") && before.is("begin"), body > 0 && k.is("case"):
			body++ // the body of a function in SQL has semicolons of its own
		case body > 0 && k.is("end"):
			body--
		}
		if k.kind == 0 || k.symbol(";") && depth <= 0 && body == 0 {
			if begun {
				now.Text = strings.TrimSpace(sql[now.At:k.at])
				all = append(all, now)
			}
			if k.kind == 0 {
				return all
			}
			now, begun, depth, before = Piece{}, false, 0, k
			continue
		}
		if !begun {
			now.At, begun = k.at, true
		}
		if k.kind == tokenWord {
			now.Words = append(now.Words, k.text)
		}
		before = k
	}
}

// Backslashes returns where in a script a backslash begins a line, outside of
// quotes and comments: a command of psql, which is no SQL.
func Backslashes(sql string) []int {
	var all []int
	t := tokens{sql: sql}
	for k := t.next(); k.kind != 0; k = t.next() {
		if k.symbol(`\`) && strings.TrimSpace(sql[1+strings.LastIndexByte(sql[:k.at], '\n'):k.at]) == "" {
			all = append(all, k.at)
			if end := strings.IndexByte(sql[k.at:], '\n'); end >= 0 {
				t.pos = k.at + end // its arguments follow rules of psql
			} else {
				t.pos = len(sql)
			}
		}
	}
	return all
}
