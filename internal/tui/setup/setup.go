// Package setup fetches and makes ahead what grades need, while the learner
// reads: modules, compiled dependencies, images. What fails is said with what
// to do about it, and keeps nobody from reading on.
package setup

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/feed"
)

// Step is one thing to do ahead.
type Step struct {
	Title string // "Modules"
	// Run does it. It returns what came of it in a few words, and an error that
	// says what happened and what to do. Progress may be said at any time until
	// it returns.
	Run func(ctx context.Context, say func(Progress)) (said string, err error)
}

// Progress is how far a step is. Total is 0 where it isn't known.
type Progress struct {
	What        string // "pulling redis:8-alpine"
	Done, Total int64
}

// state of a step.
type state int

const (
	waiting state = iota
	running
	done
	failed
	skipped // the step before it failed
)

type step struct {
	Step
	state    state
	said     string
	fraction float64 // of the step, from 0 to 1; it never falls
}

// Setup runs steps and keeps what became of them. Its methods belong to the
// update loop, but for Stop.
type Setup struct {
	ctx    context.Context
	cancel context.CancelFunc
	lanes  [][]*step
	feed   *feed.Feed[event]
	alive  sync.WaitGroup
	active bool
	rev    int
}

// New returns a setup. The steps of a lane run one after the other until one
// fails; lanes run side by side.
func New(ctx context.Context, lanes [][]Step) *Setup {
	s := &Setup{feed: feed.New[event]()}
	s.ctx, s.cancel = context.WithCancel(ctx)
	for _, lane := range lanes {
		var steps []*step
		for _, one := range lane {
			steps = append(steps, &step{Step: one})
		}
		s.lanes = append(s.lanes, steps)
	}
	return s
}

// event is what happened to a step.
type event struct {
	step     *step
	state    state
	said     string
	progress Progress
}

// eventsMsg brings events to the update loop.
type eventsMsg struct {
	to     *Setup
	events []event
	more   bool
}

// Start begins. It is called once.
func (s *Setup) Start() tea.Cmd {
	s.active = true
	s.alive.Add(1)
	run := func() tea.Msg {
		defer s.alive.Done()
		defer s.feed.Finish()
		var all sync.WaitGroup
		for _, lane := range s.lanes {
			all.Go(func() { s.run(lane) })
		}
		all.Wait()
		return nil
	}
	return tea.Batch(run, s.listen())
}

func (s *Setup) run(lane []*step) {
	broken := false
	for _, one := range lane {
		if broken || s.ctx.Err() != nil {
			s.feed.Push(event{step: one, state: skipped})
			continue
		}
		s.feed.Push(event{step: one, state: running})
		said, err := s.attempt(one)
		if err != nil {
			broken = true
			s.feed.Push(event{step: one, state: failed, said: err.Error()})
			continue
		}
		s.feed.Push(event{step: one, state: done, said: said})
	}
}

// attempt turns a panic into an error: it happens in a goroutine of its own,
// which would leave the terminal raw.
func (s *Setup) attempt(one *step) (said string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("cairn's own fault: %v", v)
		}
	}()
	return one.Run(s.ctx, func(p Progress) {
		s.feed.Push(event{step: one, state: running, progress: p})
	})
}

func (s *Setup) listen() tea.Cmd {
	return func() tea.Msg {
		events, more := s.feed.Next()
		return eventsMsg{to: s, events: events, more: more}
	}
}

// Update takes a message. It tells whether with it the setup has come to its
// end.
func (s *Setup) Update(msg tea.Msg) (cmd tea.Cmd, over bool) {
	news, ok := msg.(eventsMsg)
	if !ok || news.to != s {
		return nil, false
	}
	s.rev++
	for _, e := range news.events {
		e.step.state = e.state
		if e.said != "" || e.progress.What != "" {
			e.step.said = strings.Join(strings.Fields(e.said+e.progress.What), " ")
		}
		if e.progress.Total > 0 {
			e.step.fraction = max(e.step.fraction, min(float64(e.progress.Done)/float64(e.progress.Total), 1))
		}
	}
	if news.more {
		return s.listen(), false
	}
	s.active = false
	return nil, true
}

// Rev changes whenever something has happened.
func (s *Setup) Rev() int { return s.rev }

// Running tells whether something is still being done.
func (s *Setup) Running() bool { return s.active }

// Fraction is how much is behind, from 0 to 1. What failed is behind too.
func (s *Setup) Fraction() float64 {
	sum, n := 0.0, 0
	for _, lane := range s.lanes {
		for _, one := range lane {
			n++
			if one.state >= done {
				sum++
			} else {
				sum += one.fraction
			}
		}
	}
	if n == 0 {
		return 1
	}
	return sum / float64(n)
}

// Failures are the steps that failed, each in one sentence with what to do.
func (s *Setup) Failures() []string {
	var all []string
	for _, lane := range s.lanes {
		for _, one := range lane {
			if one.state == failed {
				all = append(all, one.Title+": "+one.said)
			}
		}
	}
	return all
}

// leaving is how long steps that were stopped may take to end.
const leaving = 5 * time.Second

// Stop ends what runs and waits for it, within reason.
func (s *Setup) Stop() {
	s.cancel()
	ended := make(chan struct{})
	go func() {
		s.alive.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(leaving):
	}
}
