package component

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

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
		out = append(out, wrapStyled(t.Accent, d.Place(), width)...)
		out = append(out, wrapStyled(t.Bad, d.Message, width)...)
		out = append(out, sourceLine(t, d, width)...)
		if d.Help != "" {
			out = append(out, wrapStyled(t.Text, theme.Arrow+" "+d.Help, width)...)
		}
	}
	return out
}

// sourceLine shows the code without its indent, and the mark below it.
func sourceLine(t *theme.Theme, d report.Diagnostic, width int) []string {
	number := ""
	if d.Line > 0 {
		number = fmt.Sprint(d.Line)
	}
	prefix := "  " + number + " " + theme.Bar + " "
	code, mark := d.Excerpt(max(1, width-ansi.StringWidth(prefix)))
	if code == "" {
		return nil
	}
	out := []string{Fit(t.Muted.Render(prefix)+code, width)}
	if mark != "" {
		pad := strings.Repeat(" ", len(number)+3) + t.Muted.Render(theme.Bar) + " "
		out = append(out, Fit(pad+t.Bad.Render(mark), width))
	}
	return out
}
