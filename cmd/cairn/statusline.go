package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

// statusLine is one line at the bottom that is written over and over. From the
// first second on it says how long what it tells has been going on.
type statusLine struct {
	w    io.Writer
	look look

	mu    sync.Mutex
	text  string // "" when nothing is shown
	since time.Time
	stop  chan struct{} // ends the clock
}

// newStatusLine shows nothing where nobody is watching.
func (a *app) newStatusLine() *statusLine {
	return &statusLine{w: a.err, look: lookOf(a.err)}
}

// show replaces the line. The same text again changes nothing.
func (s *statusLine) show(text string) {
	if text == "" || !s.look.moves() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if text == s.text {
		return
	}
	if s.text == "" {
		s.stop = make(chan struct{})
		go s.clock(s.stop)
	}
	s.text, s.since = text, time.Now()
	s.draw()
}

func (s *statusLine) clock(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			s.tick(stop)
		}
	}
}

// tick draws the line again, unless it was taken away meanwhile.
func (s *statusLine) tick(stop <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-stop:
	default:
		s.draw()
	}
}

// draw writes the line. It is called with mu held.
func (s *statusLine) draw() {
	note := ""
	if running := time.Since(s.since); running >= time.Second {
		note = " " + report.Took(running.Truncate(time.Second))
	}
	line := []rune(s.look.plain(s.text + " …"))
	if room := s.look.Width - 1 - len(note); len(line) > room {
		line = line[:room]
	}
	fmt.Fprintf(s.w, "\r\x1b[K%s", s.look.style("2", string(line)+note))
}

// clear takes the line away until the next show.
func (s *statusLine) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text == "" {
		return
	}
	s.text = ""
	close(s.stop)
	fmt.Fprint(s.w, "\r\x1b[K")
}
