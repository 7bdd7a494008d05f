package ownpath_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/internal/ownpath"
)

var located = regexp.MustCompile(`^path\.yaml:[1-9][0-9]*: .`)

// FuzzParse holds that a path file is refused with its places, or is a path that can
// be walked and shown.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		whole, stones("[F2, {page: x.md}]"), stones("[!foo {a: b}]"), "stages: [null, {stones: [null]}]", "a: &a [*a]", "!!binary x",
		head + "  - {title: a, by: day 999, stones: [F2]}\n", "id: x\r\ntitle: \"\\e]0;x\\a\"\r\n",
	} {
		f.Add(text, "# X\n")
	}
	f.Add(stones("[{page: x.md}]"), "# A &#27;[2J b\n\n\x1b]0;x\a `&#x9b;31m` &amp;#27; &rlm; &#2&#27;7;\n")
	r := shipped(f)
	f.Fuzz(func(t *testing.T, text, page string) {
		c, err := ownpath.Parse("path.yaml", []byte(text), r, start, func(string) ([]byte, error) { return []byte(page), nil })
		if err != nil {
			for _, line := range faults(err) {
				if !located.MatchString(line) {
					t.Errorf("the fault names no place: %q", line)
				}
			}
			return
		}
		shown := []string{c.Path.Title, c.Path.Summary}
		steps := 0
		for _, s := range c.Path.Stages {
			shown = append(shown, s.Title)
			steps += len(s.Steps)
		}
		if steps == 0 || len(c.Path.Stages) == 0 {
			t.Error("a path without a step was taken")
		}
		for _, p := range c.Path.Pages {
			shown = append(shown, p.Title)
			shown = append(shown, strings.Split(strings.ReplaceAll(p.Text, "\t", ""), "\n")...)
		}
		for _, line := range shown {
			// markdown resolves references once
			for _, as := range []string{line, html.UnescapeString(line)} {
				if len(as) < safe.LineLimit && safe.Line(as) != as {
					t.Errorf("a terminal would not show %q", as)
				}
			}
		}
	})
}

// faults are the single ones of a joined error.
func faults(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	var all []string
	for _, e := range joined.Unwrap() {
		all = append(all, e.Error())
	}
	return all
}
