package markdown

import (
	"strings"
	"testing"

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
