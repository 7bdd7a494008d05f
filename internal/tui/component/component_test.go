package component

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

func strip(lines []string) string {
	for i, line := range lines {
		lines[i] = strings.TrimRight(ansi.Strip(line), " ")
	}
	return strings.Join(lines, "\n")
}

func equal(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.Trim(want, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

var race = []report.Entry{
	{At: 2 * time.Millisecond, Kind: report.KindSQL, Actor: "client A", Text: "select balance", Result: "100"},
	{At: 3 * time.Millisecond, Kind: report.KindSQL, Actor: "client B", Text: "select balance", Result: "100"},
	{At: 4 * time.Millisecond, Kind: report.KindNote, Text: "both have read"},
	{At: 5 * time.Millisecond, Kind: report.KindSQL, Actor: "client A", Text: "update accounts set balance", Result: "ERROR 55P03", Failed: true},
}

func TestTimelineSideBySideWhereThereIsRoom(t *testing.T) {
	equal(t, strip(Timeline(theme.New(theme.Plain), race, 56)), `
         client A                client B
     2ms select balance → 100
     3ms                         select balance → 100
     4ms both have read
     5ms update accounts set
         balance
         → ERROR 55P03`)
}

func TestTimelineIsAListWhereItIsNarrow(t *testing.T) {
	equal(t, strip(Timeline(theme.New(theme.Plain), race, 40)), `
         client A
     2ms select balance → 100
         client B
     3ms select balance → 100
     4ms both have read
         client A
     5ms update accounts set balance
         → ERROR 55P03`)
}

func TestTimelineNamesActorsBesideWhenTheyAreMany(t *testing.T) {
	many := append([]report.Entry{
		{Kind: report.KindHTTP, Actor: "client C", Text: "GET /"},
		{Kind: report.KindHTTP, Actor: "client D", Text: "GET /"},
	}, race[:1]...)
	equal(t, strip(Timeline(theme.New(theme.Plain), append(many, race[1]), 80)), `
   0.0ms client C  GET /
   0.0ms client D  GET /
     2ms client A  select balance → 100
     3ms client B  select balance → 100`)
}

func TestSqueezeKeepsColumnsApart(t *testing.T) {
	lines := []string{"one                    other", "read → 1", "                       read → 1"}
	equal(t, strip(Squeeze(lines, 20)), `
one         other
read → 1
            read → 1`)
}

func TestDiagnosticPointsAtTheColumn(t *testing.T) {
	got := strip(Diagnostics(theme.New(theme.Plain), []report.Diagnostic{
		{File: "a.go", Line: 42, Col: 9, Message: "undefined: balnce", Source: "    return balnce", MarkAt: 11, MarkLen: 6, Help: "Is it spelled so?"},
	}, 40))
	equal(t, got, `
a.go:42:9
undefined: balnce
  42 │ return balnce
     │        ^^^^^^
→ Is it spelled so?`)
}

func TestBlockedCheckNamesItsBlocker(t *testing.T) {
	got := strip(Evidence(theme.New(theme.Plain), report.Check{Title: "under load", Status: report.CheckBlocked}, "two at once", 60))
	if !strings.Contains(got, "it comes after “two at once”, which failed") {
		t.Error(got)
	}
}

func TestPromptEdits(t *testing.T) {
	p := NewPrompt("find", "ab")
	key := func(code rune, text string) { p.Update(tea.KeyPressMsg{Code: code, Text: text}) }
	key(tea.KeyLeft, "")
	key('日', "日")
	if p.Value() != "a日b" {
		t.Errorf("%q", p.Value())
	}
	key(tea.KeyBackspace, "")
	p.Update(tea.PasteMsg{Content: "x\r\ny"})
	if p.Value() != "axyb" {
		t.Errorf("%q", p.Value())
	}
	if _, at := p.View(theme.New(theme.Plain), 40); at != len(" find axy") {
		t.Errorf("the cursor is at %d", at)
	}
	p.Update(tea.KeyPressMsg{Code: 'w', Mod: tea.ModCtrl})
	if p.Value() != "b" {
		t.Errorf("%q", p.Value())
	}
	long := NewPrompt("find", strings.Repeat("x", 90))
	if line, at := long.View(theme.New(theme.Plain), 30); ansi.StringWidth(line) != 30 || at >= 30 {
		t.Errorf("a long text leaves the line: %d cells, cursor %d", ansi.StringWidth(line), at)
	}
}

func TestPaneStaysInItsContent(t *testing.T) {
	var p Pane
	p.SetHeight(3)
	p.SetLines(strings.Split("a b c d e", " "))
	p.ScrollTo(99)
	if p.Top() != 2 || p.More() || p.Percent() != 100 {
		t.Errorf("top %d, more %v, %d%%", p.Top(), p.More(), p.Percent())
	}
	p.SetLines([]string{"a"})
	if p.Top() != 0 || len(p.Visible()) != 1 {
		t.Errorf("after the content shrank: top %d, %d lines", p.Top(), len(p.Visible()))
	}
}

// TestBeginningLeavesWhatIsSeen holds that a text that is cut before it is broken into
// lines looks as one that is cut afterwards.
func TestBeginningLeavesWhatIsSeen(t *testing.T) {
	for _, text := range []string{
		"", "short", strings.Repeat("x", 1000), strings.Repeat("word ", 300), strings.Repeat("a long-ish word and ", 100),
		strings.Repeat("日本", 400), strings.Repeat("e\u0301", 500), "\t" + strings.Repeat("\tx", 200), strings.Repeat("two  blanks   or more ", 90),
	} {
		for _, width := range []int{1, 7, 20, 44, 100} {
			got, want := clip(Wrap(beginning(text, width), width), cellLines), clip(Wrap(text, width), cellLines)
			if !slices.Equal(got, want) {
				t.Errorf("width %d: %q, want %q", width, got, want)
			}
		}
	}
}
