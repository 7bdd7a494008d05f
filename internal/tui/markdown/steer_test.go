package markdown

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// TestReferencesDoNotSteer holds that a character which steers a terminal does not
// come out of the renderer, however it was hidden in the text.
func TestReferencesDoNotSteer(t *testing.T) {
	for _, source := range []string{
		"clear &#27;[2J it\n", "# title &#x1b;[2J\n", "`&#27;[2J` in code\n", "| a |\n|---|\n| &#27;[2J |\n",
		"a bell &#7; and &#x9b;2J\n", "- item &#27;]0;title&#7;\n", "[link &#27;[2J](http://a/&#27;]0;x&#7;)\n",
		"![picture &#27;c](a.png)\n", "&\\#27;[2J\n", "&#27\n;[2J\n", "<b>&#27;[2J</b>\n",
	} {
		for _, look := range []theme.Name{theme.Dark, theme.Plain} {
			text, err := NewRenderer().Document(source, 60, theme.New(look))
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(text.Lines, "\n")
			for _, bad := range []string{"\x1b[2J", "\x1b]0;", "\x1bc", "\u009b", "\x07t"} {
				if strings.Contains(all, bad) {
					t.Errorf("%q in the look %s is rendered with %q: %q", source, look, bad, all)
				}
			}
		}
	}
}

func TestStillKeepsDressAndLinks(t *testing.T) {
	for _, line := range []string{
		"plain ü 日本 👩‍👩‍👧", "\x1b[38;2;1;2;3;1mbold\x1b[m", "\x1b[4:3mcurly\x1b[0m",
		"\x1b]8;id=1;http://a/b\x07a link\x1b]8;;\x07", "\x1b]8;;http://a/b\x1b\\a link\x1b]8;;\x1b\\",
	} {
		if got := still(line); got != line {
			t.Errorf("still(%q) = %q", line, got)
		}
	}
	for line, want := range map[string]string{
		"a\x1b[2Jb": "ab", "a\x1b[?25lb": "ab", "\x1b]52;c;eA==\x07b": "b", "a\rb": "ab", "a\x1bb": "a", "a\u009b2Jb": "a2Jb", "\x1b[31": "",
	} {
		if got := still(line); got != want {
			t.Errorf("still(%q) = %q, want %q", line, got, want)
		}
	}
}

// dress are the sequences that a rendered line may hold.
var dress = regexp.MustCompile(`\x1b\[[0-9;:]*m|\x1b\]8;[^\x00-\x1f\x7f]*(\x07|\x1b\\)`)

// FuzzPages holds that a page from elsewhere, cleaned as such pages are, is rendered
// without an end of the program and without steering the terminal.
func FuzzPages(f *testing.F) {
	for _, page := range []string{
		"# A\n\n&#27;[2J `&#27;` &amp;#27; &\\#27;\n", "| a | b |\n|--|\n| c |\n\n- x\n  1. y\n     > z\n", "<b>x</b> ![a](b \"c\") [d]: e\n\n[d]\n",
		"```go\nfunc f() {\n```\n~~~\n", "***a* b** ~~c~~ \\\nd  \ne\n***\n- [ ] f\n", "a\n===\n\n[^1]\n\n[^1]: x\n",
	} {
		f.Add(page)
	}
	f.Fuzz(func(t *testing.T, page string) {
		text, err := NewRenderer().Document(safe.Text(page), 60, theme.New(theme.Dark))
		if err != nil {
			return
		}
		for _, line := range text.Lines {
			if strings.ContainsFunc(dress.ReplaceAllString(line, ""), steers) {
				t.Errorf("%q is rendered as %q", page, line)
			}
		}
	})
}

// TestDeepestNesting holds that the deepest page which cairn path use takes can be
// set in the narrowest window. Where no room is left, Glamour comes to no end.
func TestDeepestNesting(t *testing.T) {
	const narrowest, deepest = 58, 12
	for _, marks := range []string{"> ", "- ", "1. ", "> - 1. "} {
		source := strings.Repeat(marks, deepest/max(strings.Count(marks, " "), 1)) + "a few words that want to be wrapped\n"
		if marks == "- " {
			source = ""
			for i := range deepest {
				source += strings.Repeat("  ", i) + "- a few words that want to be wrapped\n"
			}
		}
		text, err := NewRenderer().Document(source, narrowest, theme.New(theme.Plain))
		if err != nil || !strings.Contains(strings.Join(text.Lines, "\n"), "words") {
			t.Errorf("%q: %q %v", marks, text.Lines, err)
		}
	}
}
