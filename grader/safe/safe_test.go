package safe

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "hello, world", "hello, world"},
		{"other scripts", "żółw 東京 café 👩‍💻", "żółw 東京 café 👩‍💻"},
		{"colour", "\x1b[1;31mred\x1b[0m", "red"},
		{"private CSI", "a\x1b[?1049hb\x1b[>4;1mc", "abc"},
		{"cursor", "\x1b[2J\x1b[Hgone", "gone"},
		{"CSI in 8 bits", "a\u009b31mb", "ab"},
		{"title", "a\x1b]0;owned\x07b", "ab"},
		{"title with ST", "a\x1b]0;owned\x1b\\b", "ab"},
		{"title in 8 bits", "a\u009d0;owned\u009cb", "ab"},
		{"link", "\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\", "text"},
		{"clipboard", "\x1b]52;c;cm0gLXJm\x07x", "x"},
		{"DCS", "a\x1bP1$r0m\x1b\\b", "ab"},
		{"APC and PM and SOS", "a\x1b_x\x1b\\b\x1b^y\x1b\\c\x1bXz\x1b\\d", "abcd"},
		{"charset", "a\x1b(0b", "ab"},
		{"reset", "a\x1bcb", "ab"},
		{"keypad", "a\x1b=b\x1b>c", "abc"},
		{"cut off", "a\x1b", "a"},
		{"CSI cut off", "a\x1b[12;", "a"},
		{"title without end", "a\x1b]0;no end", "a"},
		{"title cancelled", "a\x1b]0;no\x1b[31mb", "ab"},
		{"escape before text of another script", "a\x1bż", "aż"},
		{"nested", "\x1b\x1b[31mred", "red"},
		{"control", "a\x07\x08\x0b\x0c\x0e\x7fb", "ab"},
		{"tab", "a\tb", "a    b"},
		{"NUL", "a\x00b", "a␀b"},
		{"Latin-1", "caf\xe9 \x9b31m", "caf\ufffd \ufffd31m"},
		{"half a character", "a\xe2\x82", "a\ufffd"},
		{"direction", "a\u202egnp.exe\u2066", "a‹U+202E›gnp.exe‹U+2066›"},
		{"invisible", "a\u200b\ufeff\u00adb\U000e0041", "ab"},
		{"ends of line", "a\r\nb\nc\rd\u2028e\r\n", "a b c d e"},
		{"nothing", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Line(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := Line([]byte(test.in)); got != test.want {
				t.Errorf("of bytes: got %q, want %q", got, test.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	in := "one\r\ntwo\rthree\n\x1b[31mfour\x1b[0m\n\x1b]0;no end\nfive\n"
	if got, want := Text(in), "one\ntwo\nthree\nfour\n\nfive\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("ż", LineLimit+10)
	got := Line(long)
	if want := strings.Repeat("ż", LineLimit) + "… (20 bytes more)"; got != want {
		t.Errorf("%d bytes, ends in %q", len(got), got[len(got)-30:])
	}
	if exact := strings.Repeat("x", LineLimit); Line(exact) != exact {
		t.Error("a line of exactly the limit was cut")
	}
	if got := Text("short\n" + strings.Repeat("x", 1<<20) + "\nshort"); len(got) > LineLimit+100 || !strings.HasSuffix(got, "more)\nshort") {
		t.Errorf("%d bytes", len(got))
	}
}

// FuzzLine holds that nothing a terminal acts upon comes through.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{"", "a\x1b[31mb", "\u009b", "\x1b]0;\x07", "\xff\x00\x1b\x1b", "\u202e\r\n\t", "\x1b(\x1b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for name, got := range map[string]string{"line": Line(in), "text": strings.ReplaceAll(Text(in), "\n", "")} {
			if !utf8.ValidString(got) {
				t.Errorf("%s of %q is not UTF-8: %q", name, in, got)
			}
			for _, r := range got {
				if unicode.IsControl(r) || turnsDirection(r) {
					t.Errorf("%s of %q lets %U through", name, in, r)
				}
			}
			if again := Line(got); again != got && len(in) < LineLimit {
				t.Errorf("%s of %q changes when made safe again: %q, %q", name, in, got, again)
			}
		}
	})
}
