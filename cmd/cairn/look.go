package main

import (
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/tui/theme"
)

// look is how text to one stream looks.
type look struct {
	Terminal bool // somebody is watching
	Width    int  // columns
	Color    bool
	ASCII    bool
}

// Text is set in at most this many columns, however wide the window is: longer
// lines are hard to read.
const widest = 100

// lookOf finds out where a stream goes and what may be shown there.
func lookOf(w any) look {
	s := theme.FromEnviron(os.Environ())
	l := look{Width: 80, ASCII: s.ASCII}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		l.Terminal = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			l.Width = min(width, widest)
		}
	}
	capable := l.Terminal && os.Getenv("TERM") != "" && os.Getenv("TERM") != "dumb"
	force := os.Getenv("CLICOLOR_FORCE")
	l.Color = !s.NoColour && (capable || force != "" && force != "0")
	return l
}

// moves tells whether the stream is a terminal that can move its cursor.
func (l look) moves() bool {
	return l.Terminal && os.Getenv("TERM") != "" && os.Getenv("TERM") != "dumb"
}

func (l look) text() report.TextOptions {
	return report.TextOptions{Width: l.Width, Color: l.Color, ASCII: l.ASCII}
}

// style dresses text in an ANSI code, where that may be shown.
func (l look) style(code, text string) string {
	if !l.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// plain returns text as this stream can show it.
func (l look) plain(text string) string {
	if l.ASCII {
		return theme.ASCII(text)
	}
	return text
}

// interactive tells whether a person sits at both ends.
func (s stdio) interactive() bool {
	in, ok := s.in.(*os.File)
	return ok && term.IsTerminal(int(in.Fd())) && lookOf(s.out).moves()
}

// wrap breaks text for a place that begins indent columns from the left.
func (l look) wrap(text string, indent int) string {
	wrapped := ansi.Wordwrap(l.plain(text), max(l.Width-indent, 20), "")
	return strings.ReplaceAll(wrapped, "\n", "\n"+strings.Repeat(" ", indent))
}
