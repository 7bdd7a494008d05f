package lessons_test

import (
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/lessons"
)

func TestNesting(t *testing.T) {
	for text, want := range map[string]int{
		"":                                0,
		"# A\n\nb\n\n    > code\n":        0,
		"- a\n- b\n\n> c\n":               1,
		"- a\n  - b\n    > c\n\n- d\n":    3,
		"- - 1. > x\n":                    4,
		strings.Repeat("> ", 200) + "x\n": 200,
	} {
		if got := lessons.Nesting(text); got != want {
			t.Errorf("Nesting(%.20q) = %d, want %d", text, got, want)
		}
	}
}

func TestOwnPage(t *testing.T) {
	l := lessons.OwnPage("team/deploy", "P1", "Deploy", "The team", "# Deploy\n\n"+strings.Repeat("word ", 400)+"\n\n## Rollback\n\nOne button.\n")
	sections, err := l.Sections()
	if err != nil || len(sections) != 2 || sections[1].Slug != "rollback" {
		t.Errorf("sections: %+v %v", sections, err)
	}
	q, err := l.Quiz()
	if err != nil || len(q.Questions) != 0 || l.Minutes != 3 || !l.Written || l.Track != nil || l.Objective != "A page of the path “The team”." {
		t.Errorf("%+v, quiz %+v %v", l, q, err)
	}
}
