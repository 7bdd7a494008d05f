package theme

import (
	"image/color"
	"slices"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestSettingsFromTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		environ []string
		want    Settings
	}{
		{nil, Settings{}},
		{[]string{"NO_COLOR=yes"}, Settings{NoColour: true}},
		{[]string{"NO_COLOR="}, Settings{}},
		{[]string{"NO_COLOR=0", "CLICOLOR_FORCE=1"}, Settings{NoColour: true}},
		{[]string{"CLICOLOR=0"}, Settings{NoColour: true}},
		{[]string{"CLICOLOR=0", "CLICOLOR_FORCE=1"}, Settings{}},
		{[]string{"LANG=C"}, Settings{ASCII: true}},
		{[]string{"LANG=C", "LC_ALL=C.UTF-8"}, Settings{}},
		{[]string{"TERM=linux"}, Settings{ASCII: true}},
		{[]string{"CAIRN_THEME=Light"}, Settings{Fixed: Light}},
		{[]string{"CAIRN_THEME=auto"}, Settings{}},
	} {
		if got := FromEnviron(c.environ); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.environ, got, c.want)
		}
	}
}

func TestNormaliseMakesBooleans(t *testing.T) {
	got := Normalise([]string{"NO_COLOR=yes", "CLICOLOR_FORCE=always", "A=b"})
	if want := []string{"NO_COLOR=1", "CLICOLOR_FORCE=1", "A=b"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Normalise([]string{"NO_COLOR=", "CLICOLOR_FORCE=0"}); !slices.Equal(got, []string{"NO_COLOR=", "CLICOLOR_FORCE=0"}) {
		t.Errorf("what was empty or off is changed: %v", got)
	}
}

func TestASCIIKeepsWidthsAndEscapes(t *testing.T) {
	in := "\x1b[1m● done\x1b[m │ ─ … 日本 é → x\n"
	got := ASCII(in)
	if want := "\x1b[1m* done\x1b[m | - ~ ???? ? > x\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if ansi.StringWidth(got) != ansi.StringWidth(in) {
		t.Errorf("the width changed from %d to %d", ansi.StringWidth(in), ansi.StringWidth(got))
	}
	for from, to := range ascii {
		if ansi.StringWidth(from) != ansi.StringWidth(to) {
			t.Errorf("%q and %q differ in width", from, to)
		}
	}
}

func TestBackgroundChoosesTheTheme(t *testing.T) {
	for want, backgrounds := range map[Name][]color.Color{
		Dark:  {nil, color.Black, color.RGBA{0x28, 0x2c, 0x34, 0xff}},
		Light: {color.White, color.RGBA{0xfd, 0xf6, 0xe3, 0xff}},
	} {
		for _, b := range backgrounds {
			if got := ForBackground(b); got != want {
				t.Errorf("%v: %s, want %s", b, got, want)
			}
		}
	}
}
