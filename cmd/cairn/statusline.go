package main

import (
	"fmt"
	"io"
)

// statusLine is one line at the bottom that is written over and over.
type statusLine struct {
	w     io.Writer
	look  look
	shown bool
}

// newStatusLine shows nothing where nobody is watching.
func (a *app) newStatusLine() *statusLine {
	return &statusLine{w: a.err, look: lookOf(a.err)}
}

func (s *statusLine) show(text string) {
	if text == "" || !s.look.moves() {
		return
	}
	line := []rune(s.look.plain(text + " …"))
	if len(line) >= s.look.Width {
		line = line[:s.look.Width-1]
	}
	fmt.Fprintf(s.w, "\r\x1b[K%s", s.look.style("2", string(line)))
	s.shown = true
}

func (s *statusLine) clear() {
	if s.shown {
		fmt.Fprint(s.w, "\r\x1b[K")
		s.shown = false
	}
}
