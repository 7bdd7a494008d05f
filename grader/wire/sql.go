package wire

import "strings"

// This file reads SQL just far enough to tell statements apart and to see which
// tables a SELECT reads. It works on tokens, so that a name in a string, in a
// comment or inside a longer name is never taken for a table.

type tokenKind byte

const (
	tokenWord   tokenKind = iota + 1 // unquoted: keyword or identifier, in lower case
	tokenQuoted                      // quoted identifier, without its quotes
	tokenSymbol                      // one character
	tokenValue                       // string, number or parameter; no text
)

type token struct {
	kind tokenKind
	text string
	at   int // where it begins
}

func (t token) is(words ...string) bool {
	if t.kind != tokenWord {
		return false
	}
	for _, w := range words {
		if t.text == w {
			return true
		}
	}
	return false
}

func (t token) symbol(s string) bool { return t.kind == tokenSymbol && t.text == s }

func (t token) name() bool { return t.kind == tokenWord || t.kind == tokenQuoted }

type tokens struct {
	sql string
	pos int
}

// next returns the next token; its kind is 0 at the end.
func (t *tokens) next() token {
	t.skipBlank()
	if t.pos >= len(t.sql) {
		return token{at: t.pos}
	}
	at, c := t.pos, t.sql[t.pos]
	switch {
	case wordStart(c):
		for t.pos < len(t.sql) && wordPart(t.sql[t.pos]) {
			t.pos++
		}
		word := strings.ToLower(t.sql[at:t.pos])
		if word == "e" && t.pos < len(t.sql) && t.sql[t.pos] == '\'' {
			t.quoted('\'', true)
			return token{kind: tokenValue, at: at}
		}
		return token{kind: tokenWord, text: word, at: at}
	case c == '"':
		return token{kind: tokenQuoted, text: t.quoted('"', false), at: at}
	case c == '\'':
		t.quoted('\'', false)
		return token{kind: tokenValue, at: at}
	case c == '$':
		t.dollar()
		return token{kind: tokenValue, at: at}
	case c >= '0' && c <= '9':
		for t.pos < len(t.sql) && (wordPart(t.sql[t.pos]) || t.sql[t.pos] == '.') {
			t.pos++
		}
		return token{kind: tokenValue, at: at}
	}
	t.pos++
	return token{kind: tokenSymbol, text: t.sql[at:t.pos], at: at}
}

func wordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func wordPart(c byte) bool { return wordStart(c) || c >= '0' && c <= '9' || c == '$' }

// skipBlank passes over white space and comments; those in /* */ nest.
func (t *tokens) skipBlank() {
	for t.pos < len(t.sql) {
		rest := t.sql[t.pos:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			t.pos++
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			t.pos += end
		case strings.HasPrefix(rest, "/*"):
			t.comment()
		default:
			return
		}
	}
}

func (t *tokens) comment() {
	depth := 0
	for t.pos < len(t.sql) {
		rest := t.sql[t.pos:]
		switch {
		case strings.HasPrefix(rest, "/*"):
			depth++
			t.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			t.pos += 2
			if depth == 0 {
				return
			}
		default:
			t.pos++
		}
	}
}

// quoted passes over a quoted piece, beginning at its quote, and returns what is
// inside. A doubled quote stands for one.
func (t *tokens) quoted(quote byte, backslash bool) string {
	t.pos++
	at := t.pos
	for t.pos < len(t.sql) {
		switch c := t.sql[t.pos]; {
		case backslash && c == '\\':
			t.pos++
		case c == quote && t.pos+1 < len(t.sql) && t.sql[t.pos+1] == quote:
			t.pos++
		case c == quote:
			t.pos++
			return strings.ReplaceAll(t.sql[at:t.pos-1], string([]byte{quote, quote}), string(quote))
		}
		t.pos++
	}
	t.pos = len(t.sql)
	return t.sql[min(at, len(t.sql)):]
}

// dollar passes over a parameter ($1) or a dollar-quoted string ($tag$ … $tag$).
func (t *tokens) dollar() {
	end := t.pos + 1
	for end < len(t.sql) && wordPart(t.sql[end]) && t.sql[end] != '$' {
		end++
	}
	if end >= len(t.sql) || t.sql[end] != '$' || end > t.pos+1 && !wordStart(t.sql[t.pos+1]) {
		t.pos = end
		return
	}
	tag := t.sql[t.pos : end+1]
	body := strings.Index(t.sql[end+1:], tag)
	if body < 0 {
		t.pos = len(t.sql)
		return
	}
	t.pos = end + 1 + body + len(tag)
}

// verb returns the first keyword in upper case.
func verb(sql string) string {
	t := tokens{sql: sql}
	for {
		switch k := t.next(); {
		case k.kind == tokenWord:
			return strings.ToUpper(k.text)
		case !k.symbol("("):
			return ""
		}
	}
}

// splitStatements cuts the text of a simple query at its semicolons. Statements
// without a token are left out; where none is left, the text itself is returned.
func splitStatements(sql string) []string {
	if i := strings.IndexByte(sql, ';'); i < 0 {
		return []string{sql}
	}
	var parts []string
	t := tokens{sql: sql}
	start, depth, empty := 0, 0, true
	for before := (token{}); ; {
		k := t.next()
		switch {
		case k.symbol("("):
			depth++
		case k.symbol(")"):
			depth--
		case k.is("atomic") && before.is("begin"):
			return []string{sql} // the body of a function in SQL has semicolons of its own
		case k.kind == 0 || k.symbol(";") && depth <= 0:
			if !empty {
				parts = append(parts, strings.TrimSpace(sql[start:k.at]))
			}
			if k.kind == 0 {
				if parts == nil {
					return []string{sql}
				}
				return parts
			}
			start, empty, before = t.pos, true, k
			continue
		}
		before, empty = k, false
	}
}
