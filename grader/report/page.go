package report

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// The colours of a report, as ANSI codes of the basic set: a terminal shows
// them in its own theme, light or dark.
const (
	bold   = 1
	dim    = 2
	red    = 31
	green  = 32
	yellow = 33
)

// page collects lines of text of a given width.
type page struct {
	o     TextOptions
	width int
	out   bytes.Buffer
}

func newPage(o TextOptions) *page {
	width := o.Width
	if width <= 0 {
		width = 80
	}
	return &page{o: o, width: max(width, 40)}
}

// flush writes what was collected.
func (p *page) flush(w io.Writer) error {
	_, err := w.Write(p.out.Bytes())
	return err
}

// sign returns the sign and the style of a status.
func (p *page) sign(s Status) (string, int) {
	switch {
	case s == CheckPassed && p.o.ASCII:
		return "ok  ", green
	case s == CheckPassed:
		return "✓", green
	case s == CheckFailed && p.o.ASCII:
		return "FAIL", red
	case s == CheckFailed:
		return "✗", red
	case p.o.ASCII:
		return "--  ", dim
	default:
		return "·", dim
	}
}

// style dresses text in an ANSI code; 0 is plain.
func (p *page) style(code int, text string) string {
	if !p.o.Color || code == 0 || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[" + strconv.Itoa(code) + "m" + text + "\x1b[0m"
}

// line writes one line as it is, without blanks at its end.
func (p *page) line(indent, text string) {
	p.out.WriteString(strings.TrimRight(indent+text, " "))
	p.out.WriteByte('\n')
}

func (p *page) blank() {
	if p.out.Len() == 0 || !bytes.HasSuffix(p.out.Bytes(), []byte("\n\n")) {
		p.out.WriteByte('\n')
	}
}

// wrapped writes text between words, the first line after lead, the others
// below its first letter.
func (p *page) wrapped(lead, text string, style int) {
	indent := cells(lead)
	rest := strings.Repeat(" ", indent)
	for _, line := range wrap(p.safe(text), max(p.width-indent, 20)) {
		p.line(lead, p.style(style, line))
		lead = rest
	}
}

// entry writes text after lead and note at the right edge. A text too long for
// that pushes the note to its last line's end.
func (p *page) entry(lead, text, note string) {
	indent := cells(lead)
	lines := wrap(p.safe(text), max(p.width-indent-cells(note)-2, 20))
	for i, line := range lines {
		if i == len(lines)-1 && note != "" {
			gap := p.width - indent - cells(line) - cells(note)
			line += strings.Repeat(" ", max(gap, 2)) + p.style(dim, note)
		}
		p.line(lead, line)
		lead = strings.Repeat(" ", indent)
	}
}

// raw writes lines whose shape matters, such as a trace: never joined, and what
// leaves the page goes on below its line's own beginning.
func (p *page) raw(indent, text string) {
	for _, line := range strings.Split(strings.TrimRight(p.safe(text), "\n"), "\n") {
		bare := strings.TrimLeft(line, " ")
		lead := indent + strings.Repeat(" ", min(len(line)-len(bare), p.width/2))
		for _, part := range wrapLine(strings.TrimRight(bare, " "), p.width-cells(lead)) {
			p.line(lead, part)
		}
	}
}

// cells is the width of a text in terminal cells.
func cells(s string) int { return ansi.StringWidth(s) }

// wrap splits text into lines of at most width cells, at blanks where that is
// possible. Line breaks and the blanks that begin a line are kept. It returns at
// least one line.
func wrap(text string, width int) []string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, wrapLine(strings.TrimRight(line, " "), width)...)
	}
	return lines
}

// longestLine is as much of one line as is shown, in bytes: somebody's response
// of a megabyte is no reading matter.
const longestLine = 8 << 10

func wrapLine(line string, width int) []string {
	if len(line) > longestLine {
		line = fmt.Sprintf("%s (%d bytes more)", strings.ToValidUTF8(line[:longestLine], ""), len(line)-longestLine)
	}
	if cells(line) <= width {
		return []string{line}
	}
	var lines []string
	for cells(line) > width {
		head := ansi.Truncate(line, width+1, "")
		cut := strings.LastIndexByte(head, ' ')
		if cut <= 0 || strings.TrimSpace(line[:cut]) == "" {
			cut = len(ansi.Truncate(line, width, ""))
		}
		lines = append(lines, strings.TrimRight(line[:cut], " "))
		line = strings.TrimLeft(line[cut:], " ")
	}
	return append(lines, line)
}

// safe makes text fit for this page.
func (p *page) safe(text string) string {
	if text = showable(text); p.o.ASCII {
		return toASCII(text)
	}
	return text
}

// showable makes text harmless in a terminal: no control characters but newline,
// tabs as blanks, valid UTF-8, no marks that turn the writing direction.
func showable(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.ReplaceAll(text, "\t", "    ")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, text)
}

// spelled has ASCII for the signs that lessons and exams use most.
var spelled = strings.NewReplacer("→", "->", "←", "<-", "…", "...", "·", "-", "–", "-", "—", "--",
	"“", `"`, "”", `"`, "‘", "'", "’", "'", "×", "x", "≥", ">=", "≤", "<=", "✓", "ok", "✗", "FAIL", "│", "|")

func toASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, spelled.Replace(s))
}
