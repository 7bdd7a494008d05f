package lessons_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/lessons"
)

func TestHeadings(t *testing.T) {
	const text = "Before.\n\n# The `UPDATE` that *wasn't*\n\n```sh\n# no heading\n```\n\nSetext: one\nof two lines\n-----------\n\n## What's new?\n\n   ## What's new?\n\n## Größe & Länge_2\n##\n> ## Quoted\n\n## [Linked](sql/x) -- end ##\n"
	var got []string
	for _, h := range lessons.Headings(text) {
		line := 1 + strings.Count(text[:h.Offset], "\n")
		if h.Offset > 0 && text[h.Offset-1] != '\n' {
			t.Errorf("%q does not begin at the beginning of a line", h.Text)
		}
		got = append(got, strings.Join([]string{strings.Repeat("#", h.Level), h.Text, h.Slug, string(rune('0' + line/10)), string(rune('0' + line%10))}, "|"))
	}
	want := []string{
		"#|The UPDATE that wasn't|the-update-that-wasnt|0|3",
		"##|Setext: one of two lines|setext-one-of-two-lines|0|9",
		"##|What's new?|whats-new|1|3",
		"##|What's new?|whats-new-1|1|5",
		"##|Größe & Länge_2|größe--länge_2|1|7",
		"##|Quoted|quoted|1|9",
		"##|Linked -- end|linked----end|2|1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSplit(t *testing.T) {
	for _, text := range []string{
		"", "no heading\n", "# One\n\ntext\n\n## Two\nmore", "before\n# One\n# Two\n", "Under\n=====\n\ntext\n",
	} {
		var joined strings.Builder
		sections := lessons.Split(text)
		for i, s := range sections {
			joined.WriteString(s.Source)
			if s.Level == 0 && i > 0 {
				t.Errorf("%q: section %d has no heading", text, i)
			}
		}
		if joined.String() != text {
			t.Errorf("%q comes back as %q", text, joined.String())
		}
		want := len(lessons.Headings(text))
		if !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "Under") {
			want++
		}
		if len(sections) != want {
			t.Errorf("%q: %d sections, want %d", text, len(sections), want)
		}
	}
}
