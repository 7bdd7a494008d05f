package ownpath

import (
	"html"
	"regexp"
	"strings"

	"github.com/cairn-learn/cairn/grader/safe"
)

// clean makes the markdown of a page fit to be shown. Tabs stay, for code is copied
// out of pages.
func clean(markdown string) string {
	markdown = strings.ReplaceAll(markdown, "\r\n", "\n")
	lines := strings.Split(strings.ReplaceAll(markdown, "\r", "\n"), "\n")
	for i, line := range lines {
		cells := strings.Split(line, "\t")
		for j, cell := range cells {
			cells[j] = cleanLine(cell)
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}

// reference is a character written as HTML does, with and without its end.
var reference = regexp.MustCompile(`&(#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);?`)

// cleanLine makes one line fit to be shown, also where it hides a character that
// steers a terminal behind a reference: markdown is turned into text only later.
// Such a reference becomes U+FFFD, which can't be a part of another one.
func cleanLine(line string) string {
	return reference.ReplaceAllStringFunc(safe.Line(line), func(ref string) string {
		text := html.UnescapeString(ref)
		if safe.Line(text) != text || strings.ContainsAny(text, "\n\r\t") {
			return "�"
		}
		return ref
	})
}
