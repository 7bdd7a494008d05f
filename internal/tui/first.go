package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/tui/firststart"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/paths"
	"github.com/cairn-learn/cairn/internal/tui/setup"
	"github.com/cairn-learn/cairn/lessons"
)

// settled takes over what was answered at the first start, and begins to fetch.
func (a *app) settled(msg firststart.Settled) tea.Cmd {
	a.workspace.Store(msg.Workspace)
	a.opts.Path = msg.Answers.Path
	cmd := tea.Batch(a.prepare(),
		a.broadcast(nav.WorkspaceOpened{Workspace: msg.Workspace}),
		a.broadcast(nav.PathChosen{Path: msg.Answers.Path}))
	if s, ok := a.firstStart(); ok {
		s.Fetch(a.setup, a.whatIsFirst())
	}
	return cmd
}

// whatIsFirst names the lesson with which the path begins.
func (a *app) whatIsFirst() string {
	if stone := a.opts.Road.Route(a.opts.Path).First(); stone != nil {
		return stone.Lesson.Stone + " " + stone.Lesson.Title
	}
	return "the road"
}

func (a *app) firstStart() (*firststart.Screen, bool) {
	for _, s := range a.stack {
		if found, ok := s.(*firststart.Screen); ok {
			return found, true
		}
	}
	return nil, false
}

// begin leaves the first start for good and opens the lesson with which the
// path begins.
func (a *app) begin() tea.Cmd {
	screen, ok := a.firstStart()
	if !ok {
		return nil // enter was pressed twice
	}
	screen.Close()
	a.drop(screen)
	stone := a.opts.Road.Route(a.opts.Path).First()
	if stone == nil {
		return nil // a course of which nothing is written
	}
	return a.navigate(nav.OpenLesson{Stone: stone})
}

// drop takes a screen out of the stack.
func (a *app) drop(gone screen) {
	a.stack = slices.DeleteFunc(a.stack, func(s screen) bool { return s == gone })
}

// pathKeptMsg says that another path is kept in the settings, or why not.
type pathKeptMsg struct {
	path *lessons.Path
	err  error
}

// choosePath takes another path. It holds at once, and is kept if it can be.
func (a *app) choosePath(path *lessons.Path) tea.Cmd {
	a.opts.Path = path.ID
	keep := a.opts.Choose
	kept := func() tea.Msg {
		msg := pathKeptMsg{path: path}
		if keep != nil {
			msg.err = keep(path.ID)
		}
		return msg
	}
	if s, ok := a.top().(*paths.Screen); ok {
		a.drop(s)
	}
	return tea.Batch(a.broadcast(nav.PathChosen{Path: path.ID}), kept)
}

func (a *app) pathKept(msg pathKeptMsg) tea.Cmd {
	if msg.err != nil {
		return nav.Fail(fmt.Errorf("only until you quit: %w", msg.err))
	}
	return nav.Go(nav.Notice{Text: "You walk the path " + msg.path.Title + " now."})
}

// prepare begins to fetch what grades need.
func (a *app) prepare() tea.Cmd {
	a.setup = setup.New(a.ctx, a.opts.Setup)
	return a.setup.Start()
}

// prepared hears of what is fetched. At the end it speaks up when something is
// missing, unless the screen on top has said so.
func (a *app) prepared(msg tea.Msg) tea.Cmd {
	if a.setup == nil {
		return nil
	}
	cmd, over := a.setup.Update(msg)
	if !over || a.ctx.Err() != nil {
		return cmd
	}
	if _, shown := a.firstStart(); shown {
		return cmd
	}
	if failures := a.setup.Failures(); len(failures) > 0 {
		return nav.Fail(errors.New(strings.Join(failures, "; ")))
	}
	return cmd
}
