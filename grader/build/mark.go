package build

import (
	"go/scanner"
	"go/token"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// point puts the line of code into a complaint, and where in it the place is.
// The compiler counts columns in bytes; a reader sees cells.
func point(d *report.Diagnostic, content []byte) {
	line, ok := lineOf(string(content), d.Line)
	if !ok {
		return
	}
	d.Source = safe.Line(line)
	if d.Col < 1 || d.Col-1 > len(line) {
		return
	}
	before := safe.Line(line[:d.Col-1])
	rest, ok := strings.CutPrefix(d.Source, before)
	if !ok { // inside an escape sequence, or beyond what is shown of a long line
		return
	}
	d.MarkAt, d.MarkLen = ansi.StringWidth(before), 1
	if word := safe.Line(firstToken(line[d.Col-1:])); strings.HasPrefix(rest, word) {
		d.MarkLen = max(1, ansi.StringWidth(word))
	}
}

func lineOf(text string, number int) (string, bool) {
	for n := 1; number >= n; n++ {
		line, rest, more := strings.Cut(text, "\n")
		if n == number {
			return strings.TrimSuffix(line, "\r"), true
		}
		if !more {
			return "", false
		}
		text = rest
	}
	return "", false
}

// firstToken is the word, number, text or sign of Go that a line begins with.
func firstToken(text string) string {
	if text == "" {
		return ""
	}
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, 0)
	pos, kind, word := s.Scan()
	if word == "" {
		word = kind.String()
	}
	if file.Offset(pos) != 0 || !strings.HasPrefix(text, word) {
		_, size := utf8.DecodeRuneInString(text)
		return text[:size]
	}
	return word
}
