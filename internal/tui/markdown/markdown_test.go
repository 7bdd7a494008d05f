package markdown

import (
	"strings"
	"sync"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/internal/tui/theme"
)

func render(t *testing.T, source string, width int, name theme.Name) Text {
	t.Helper()
	text, err := NewRenderer().Document(source, width, theme.New(name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func bare(x Text) string { return ansi.Strip(strings.Join(x.Lines, "\n")) }

func TestCodeKeepsItsLinesAndTabsAreFourColumns(t *testing.T) {
	long := strings.Repeat("x", 68)
	source := "Text.\n\n```go\nfunc f() {\n\tif y {\n\t\t" + long + "\n\t}\n}\n```\n"
	for _, name := range []theme.Name{theme.Dark, theme.Light, theme.Plain} {
		got := bare(render(t, source, Measure, name))
		want := "Text.\n\n  func f() {\n      if y {\n          " + long + "\n      }\n  }\n"
		if got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

func TestCopiedCodeIsTheSource(t *testing.T) {
	text := render(t, "# H\n\n```go\nfunc f() {\n\treturn\n}\n```\n\nMore.\n\n~~~\na\n~~~\n", 40, theme.Dark)
	if len(text.Code) != 2 || text.Code[0].Source != "func f() {\n\treturn\n}\n" || text.Code[1].Source != "a\n" {
		t.Fatalf("code blocks: %+v", text.Code)
	}
	for _, c := range text.Code {
		first := strings.TrimSpace(ansi.Strip(text.Lines[c.First]))
		if first != strings.TrimSpace(strings.SplitN(c.Source, "\n", 2)[0]) {
			t.Errorf("line %d is %q, not the first of %q", c.First, first, c.Source)
		}
	}
}

func TestItemsHangUnderTheirFirstWord(t *testing.T) {
	got := bare(render(t, "- one two three four five six seven\n  - nested is as long as this one\n\n1. first of all the numbered things\n", 24, theme.Plain))
	want := strings.Join([]string{
		"• one two three four", "  five six seven", "  • nested is as", "    long as this one", "",
		"1. first of all the", "   numbered things", "",
	}, "\n")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestNothingIsWiderThanAsked(t *testing.T) {
	source := "# A heading\n\nSee https://example.org/" + strings.Repeat("a", 90) + " and 日本語のとても長い文章がここにあります。\n\n" +
		"| a | b |\n|---|---|\n| `code that is long` | text that is longer than the column has room for |\n\n" +
		"> " + strings.Repeat("quoted words ", 9) + "\n\n```\n" + strings.Repeat("y", 99) + "\n```\n\n- " + strings.Repeat("item ", 30) + "\n"
	for _, width := range []int{30, 45, 78} {
		for i, line := range render(t, source, width, theme.Dark).Lines {
			if w := ansi.StringWidth(line); w > width {
				t.Errorf("width %d: line %d has %d cells: %q", width, i, w, ansi.Strip(line))
			}
		}
	}
}

func TestPlainHasNoColours(t *testing.T) {
	text := render(t, "# H\n\nA `word`, **bold** and [link](https://example.org).\n\n```go\nvar x = 1\n```\n", 60, theme.Plain)
	all := strings.Join(text.Lines, "\n")
	if strings.Contains(all, "38;") || strings.Contains(all, "48;") {
		t.Errorf("colours in %q", all)
	}
	if !strings.Contains(all, "`word`") {
		t.Errorf("code is not told apart: %q", all)
	}
}

func TestRendererServesManyAtOnce(t *testing.T) {
	r := NewRenderer()
	want := bare(render(t, "Some *text*.\n\n```go\nvar x int\n```\n", 40, theme.Dark))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			text, err := r.Document("Some *text*.\n\n```go\nvar x int\n```\n", 40, theme.New(theme.Dark))
			if err != nil || bare(text) != want {
				t.Errorf("%v: %q", err, bare(text))
			}
		})
	}
	wg.Wait()
}

func TestFlow(t *testing.T) {
	for source, want := range map[string]string{
		"1. one\n   two\n2. three\n":           "1. one two\n2. three\n",
		"- a\n  b\n  - c\n    d\n\n  e\n  f\n": "- a b\n  - c d\n\n  e f\n",
		"- a  \n  b\n- c\\\n  d\n":             "- a  \n  b\n- c\\\n  d\n",
		"- a\n\n  | x |\n  |---|\n  | y |\n":   "- a\n\n  | x |\n  |---|\n  | y |\n",
	} {
		if got := flow(source); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", source, got, want)
		}
	}
}

// TestItemsFlow holds that items are set anew for the width, however the author
// has wrapped them.
func TestItemsFlow(t *testing.T) {
	text, err := NewRenderer().Render("1. Of one customer, no more messages\n   than the limit are accepted in any stretch\n   of time.\n", 60, theme.New(theme.Plain))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1. Of one customer, no more messages than the limit are", "   accepted in any stretch of time.", ""}
	if got := text.Lines; strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}
