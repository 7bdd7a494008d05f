package lessons_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cairn-learn/cairn/internal/snippet"
	"github.com/cairn-learn/cairn/lessons"
)

func TestCodeBlocks(t *testing.T) {
	got := lessons.CodeBlocks("text\n\n```go wrong\nx := 1\n\ny := 2\n```\n\n- item\n\n  ~~~\n  plain\n  ~~~\n\n```sh\n```\n\n    indented\n")
	want := []lessons.CodeBlock{
		{Language: "go", Marks: []string{"wrong"}, Source: "x := 1\n\ny := 2\n", Line: 4},
		{Source: "plain\n", Line: 12},
	}
	if !slices.EqualFunc(got, want, func(a, b lessons.CodeBlock) bool {
		return a.Language == b.Language && a.Source == b.Source && a.Line == b.Line && slices.Equal(a.Marks, b.Marks)
	}) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A block marked "go wrong" shows what does not compile.
const markWrong = "wrong"

// texts returns all that may hold code: the lessons and the pages.
func texts(t *testing.T) []*lessons.Lesson {
	t.Helper()
	c := realCourse(t)
	return append(c.Lessons(), c.Pages()...)
}

// TestCodeInLessons type-checks every Go block of every lesson and page: a block with a
// package clause as a file, any other as a fragment (see package snippet).
func TestCodeInLessons(t *testing.T) {
	var snippets []snippet.Snippet
	for _, l := range texts(t) {
		if !l.Written {
			continue
		}
		text, err := l.Markdown()
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range lessons.CodeBlocks(text) {
			if b.Language == "go" && !slices.Contains(b.Marks, markWrong) {
				snippets = append(snippets, snippet.Snippet{File: "content/" + l.ID + ".md", Line: b.Line, Source: b.Source})
			}
		}
	}
	faults, err := snippet.Check(".", snippets)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// TestCodeFitsTheScreen keeps code and diagrams within 76 columns, so that they
// survive a terminal of 80.
func TestCodeFitsTheScreen(t *testing.T) {
	const columns = 76
	for _, l := range texts(t) {
		if !l.Written {
			continue
		}
		text, err := l.Markdown()
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range lessons.CodeBlocks(text) {
			for i, line := range strings.Split(b.Source, "\n") {
				if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > columns {
					t.Errorf("content/%s.md:%d: the line is %d columns wide, and %d fit", l.ID, b.Line+i, n, columns)
				}
			}
		}
	}
}
