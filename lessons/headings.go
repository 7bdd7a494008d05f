package lessons

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"github.com/cairn-learn/cairn/internal/nearest"
)

// Heading is a heading of a lesson. Its slug is what a link names after the #.
type Heading struct {
	Level  int
	Text   string // without markup
	Slug   string // unique within the lesson
	Offset int    // of the first byte of its line
}

// Headings returns the headings of a markdown text in order. A # inside a code
// block is none.
func Headings(markdown string) []Heading {
	src := []byte(markdown)
	var found []Heading
	used := map[string]int{}
	_ = ast.Walk(parse(src), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		h, ok := n.(*ast.Heading)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		if h.Lines().Len() == 0 { // "##" and nothing else
			return ast.WalkSkipChildren, nil
		}
		label := plain(h, src)
		found = append(found, Heading{
			Level:  h.Level,
			Text:   label,
			Slug:   unique(slug(label), used),
			Offset: lineStart(src, h.Lines().At(0).Start),
		})
		return ast.WalkSkipChildren, nil
	})
	return found
}

// Split cuts a markdown text at its headings. The sources of the sections,
// joined, are the whole text.
func Split(markdown string) []Section {
	var sections []Section
	headings := Headings(markdown)
	if len(headings) == 0 || headings[0].Offset > 0 {
		end := len(markdown)
		if len(headings) > 0 {
			end = headings[0].Offset
		}
		sections = append(sections, Section{Source: markdown[:end]})
	}
	for i, h := range headings {
		end := len(markdown)
		if i+1 < len(headings) {
			end = headings[i+1].Offset
		}
		sections = append(sections, Section{Heading: h, Source: markdown[h.Offset:end]})
	}
	return sections
}

func parse(src []byte) ast.Node {
	return goldmark.DefaultParser().Parse(text.NewReader(src))
}

// plain returns the text of a node and everything in it.
func plain(n ast.Node, src []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(src))
			if n.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		}
		return ast.WalkContinue, nil
	})
	return strings.TrimSpace(b.String())
}

// slug makes of a heading what GitHub makes of it: lower case, letters, digits,
// _ and - kept, spaces become -, everything else disappears.
func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mn, r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unique numbers the second and later headings of the same slug, as GitHub
// does.
func unique(slug string, used map[string]int) string {
	n := used[slug]
	used[slug]++
	if n == 0 {
		return slug
	}
	return unique(slug+"-"+strconv.Itoa(n), used)
}

func lineStart(src []byte, at int) int {
	for at > 0 && src[at-1] != '\n' {
		at--
	}
	return at
}

// lineAt returns the line, counted from 1, of a byte.
func lineAt(src []byte, at int) int {
	return 1 + strings.Count(string(src[:min(at, len(src))]), "\n")
}

func nearestSlug(slug string, headings []Heading) string {
	slugs := make([]string, len(headings))
	for i, h := range headings {
		slugs[i] = h.Slug
	}
	return nearest.Name(slug, slugs)
}
