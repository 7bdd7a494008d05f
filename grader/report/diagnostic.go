package report

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Place is where a diagnostic points: "restcrud.go:12:5", or less where less is
// known.
func (d *Diagnostic) Place() string {
	at := d.File
	if d.Line > 0 {
		at += fmt.Sprintf(":%d", d.Line)
		if d.Col > 0 {
			at += fmt.Sprintf(":%d", d.Col)
		}
	}
	return at
}

// Excerpt returns the line of code without its indent, in at most width cells,
// and the mark to put below it: blanks and carets, "" when the place in the line
// is not known. Of a longer line it returns the part around the place.
func (d *Diagnostic) Excerpt(width int) (code, mark string) {
	source := strings.TrimRight(d.Source, " ")
	code = strings.TrimLeft(source, " ")
	if code == "" || width < 1 {
		return "", ""
	}
	at := d.MarkAt - (len(source) - len(code))
	known := d.MarkLen > 0 && at >= 0 && at <= ansi.StringWidth(code)
	if ansi.StringWidth(code) > width {
		first := 0
		if known {
			first = max(0, min(at-width/3, ansi.StringWidth(code)-width))
		}
		code = ansi.Cut(code, first, first+width)
		at -= first
	}
	if !known || at >= width {
		return code, ""
	}
	return code, strings.Repeat(" ", at) + strings.Repeat("^", max(1, min(d.MarkLen, width-at)))
}

func (p *page) diagnostic(d Diagnostic) {
	p.blank()
	p.wrapped("", d.Place()+": "+d.Message, bold)
	d.MarkAt = cells(p.safe(ansi.Cut(d.Source, 0, d.MarkAt))) // ASCII may be wider or narrower
	d.Source = p.safe(d.Source)
	number := ""
	if d.Line > 0 {
		number = fmt.Sprint(d.Line)
	}
	bar := p.safe("│") + " "
	lead := "    " + number + " " + bar
	if code, mark := d.Excerpt(p.width - cells(lead)); code != "" {
		p.line(p.style(dim, lead), code)
		if mark != "" {
			p.line(p.style(dim, strings.Repeat(" ", cells(lead)-cells(bar))+bar), p.style(red, mark))
		}
	}
	if d.Help != "" {
		p.wrapped("  ", d.Help, 0)
	}
}
