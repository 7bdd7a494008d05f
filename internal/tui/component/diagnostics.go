package component

import (
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// Diagnostics draws the compiler's complaints: the place, the message, the
// line of code with a mark under the column, and what usually helps.
func Diagnostics(t *theme.Theme, list []report.Diagnostic, width int) []string {
	var out []string
	for i, d := range list {
		if i > 0 {
			out = append(out, "")
		}
		place := d.File
		if d.Line > 0 {
			place = fmt.Sprintf("%s:%d", place, d.Line)
			if d.Col > 0 {
				place = fmt.Sprintf("%s:%d", place, d.Col)
			}
		}
		out = append(out, wrapStyled(t.Accent, place, width)...)
		out = append(out, wrapStyled(t.Bad, d.Message, width)...)
		out = append(out, sourceLine(t, d, width)...)
		if d.Help != "" {
			out = append(out, wrapStyled(t.Text, theme.Arrow+" "+d.Help, width)...)
		}
	}
	return out
}

// sourceLine shows the code without its indent. Columns of the compiler count
// bytes, and a tab is one of them.
func sourceLine(t *theme.Theme, d report.Diagnostic, width int) []string {
	code := strings.TrimRight(d.Source, " \t\r\n")
	bare := strings.TrimLeft(code, " \t")
	if bare == "" {
		return nil
	}
	number := ""
	if d.Line > 0 {
		number = fmt.Sprint(d.Line)
	}
	prefix := "  " + number + " " + theme.Bar + " "
	out := []string{Fit(t.Muted.Render(prefix)+strings.ReplaceAll(bare, "\t", " "), width)}
	at := d.Col - 1 - (len(code) - len(bare))
	if d.Col > 0 && at >= 0 && at <= len(bare) {
		pad := strings.Repeat(" ", len(number)+3) + t.Muted.Render(theme.Bar) + " "
		out = append(out, Fit(pad+strings.Repeat(" ", len([]rune(bare[:at])))+t.Bad.Render("^"), width))
	}
	return out
}
