package tui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/diagnosis"
	"github.com/cairn-learn/cairn/internal/tui/exercise"
	"github.com/cairn-learn/cairn/internal/tui/lesson"
	"github.com/cairn-learn/cairn/internal/tui/nav"
	"github.com/cairn-learn/cairn/internal/tui/quiz"
	"github.com/cairn-learn/cairn/internal/tui/roadmap"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// navigate changes the stack of screens. A screen that is already there comes
// to the top as it was left: a grade goes on while its learner reads.
func (a *app) navigate(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case nav.OpenLesson:
		if old, ok := raise(a, func(s *lesson.Screen) bool { return s.Stone == msg.Stone }); ok {
			old.JumpTo(msg.Slug)
			return nil
		}
		return a.enter(a.newLesson(msg.Stone, msg.Slug))
	case nav.OpenQuiz:
		if _, ok := raise(a, func(s *quiz.Screen) bool { return s.Stone == msg.Stone }); ok {
			return nil
		}
		return a.enter(a.newQuiz(msg.Stone))
	case nav.OpenExercise:
		if _, ok := raise(a, func(s *exercise.Screen) bool { return s.Stone == msg.Stone }); ok {
			return nil
		}
		return a.enter(a.newExercise(msg.Stone))
	case nav.Home:
		for len(a.stack) > 1 {
			_ = a.leave() // quits only from the last
		}
		return nil
	default:
		return a.leave()
	}
}

// openDoctor examines the machine, or shows the examination that is open.
func (a *app) openDoctor() tea.Cmd {
	if _, ok := raise(a, func(*diagnosis.Screen) bool { return true }); ok {
		return nil
	}
	return a.enter(diagnosis.New(a.ctx, a.opts.Doctor, a.look))
}

// raise brings the screen of type S that matches to the top of the stack.
func raise[S screen](a *app, matches func(S) bool) (S, bool) {
	for i, s := range a.stack {
		if found, ok := s.(S); ok && matches(found) {
			a.stack = append(append(a.stack[:i:i], a.stack[i+1:]...), s)
			return found, true
		}
	}
	var none S
	return none, false
}

// enter puts a new screen on top and tells it the size of the window.
func (a *app) enter(s screen) tea.Cmd {
	a.push(s)
	var size tea.Cmd
	if a.width > 0 {
		size = s.Update(tea.WindowSizeMsg{Width: a.width, Height: a.height})
	}
	return tea.Batch(s.Init(), size)
}

// leave goes back to the screen below; from the last one it quits.
func (a *app) leave() tea.Cmd {
	a.top().Close()
	if len(a.stack) == 1 {
		return tea.Quit
	}
	a.stack = a.stack[:len(a.stack)-1]
	return nil
}

func (a *app) newRoadmap() screen {
	var latest roadmap.Latest
	if a.opts.Progress != nil {
		latest = memory{a.ctx, a.opts.Progress}.latest
	}
	return roadmap.New(a.opts.Road, a.opts.Path, a.attempts, latest, a.opts.Now, a.look)
}

// attempts reads how far the learner is. It is called from a command.
func (a *app) attempts() (map[string]roadmap.Attempt, error) {
	ws := a.workspace.Load()
	known, err := a.known(ws)
	if err != nil {
		return nil, err
	}
	all := map[string]roadmap.Attempt{}
	for _, stone := range a.opts.Road.Steps() {
		attempt := roadmap.Attempt{State: ws.State(stone, known)}
		if ws != nil && stone.Exercise != nil {
			var err error
			if attempt.Record, err = ws.Record(stone.Exercise.ID); err != nil {
				return nil, err
			}
			if attempt.Last, err = ws.LastReport(stone.Exercise.ID); err != nil {
				return nil, err
			}
		}
		all[stone.Lesson.ID] = attempt
	}
	return all, nil
}

// known is what is remembered. What was read can be known without a workspace.
func (a *app) known(ws *workspace.Workspace) (known workspace.Known, err error) {
	if known.Records, err = ws.Records(); err != nil {
		return known, err
	}
	if a.opts.Progress != nil {
		known.Read, err = a.opts.Progress.Read(a.ctx)
	}
	return known, err
}

func (a *app) newExercise(stone *road.Stone) screen {
	return exercise.New(a.ctx, exercise.Options{
		Road: a.opts.Road, Stone: stone, Workspace: a.workspace.Load(), Grader: a.grader,
		Editor: a.opts.Editor, Renderer: a.renderer, Theme: a.look,
	})
}

func (a *app) newLesson(stone *road.Stone, slug string) screen {
	o := lesson.Options{Stone: stone, Slug: slug, Renderer: a.renderer, Theme: a.look, Places: a.places}
	if a.opts.Progress != nil {
		o.Progress = memory{a.ctx, a.opts.Progress}
	}
	return lesson.New(o)
}

func (a *app) newQuiz(stone *road.Stone) screen {
	o := quiz.Options{Road: a.opts.Road, Stone: stone, Renderer: a.renderer, Theme: a.look}
	if a.opts.Progress != nil {
		o.Answered = memory{a.ctx, a.opts.Progress}.answered
	}
	return quiz.New(o)
}

// open goes to a stone by any of its names.
func (a *app) open(name string) tea.Cmd {
	stone, err := a.opts.Road.Find(name)
	switch {
	case err != nil:
		return nav.Fail(err)
	case !stone.Lesson.Written:
		return nav.Go(nav.Notice{Text: fmt.Sprintf("%s %s is not written yet.", stone.Lesson.Stone, stone.Lesson.Title)})
	case stone.Exercise != nil && stone.Exercise.ID == name:
		return nav.Go(nav.OpenExercise{Stone: stone})
	default:
		return nav.Go(nav.OpenLesson{Stone: stone})
	}
}

// workspaceMadeMsg is the answer to a workspace that was asked for.
type workspaceMadeMsg struct {
	workspace *workspace.Workspace
	err       error
}

func (a *app) workspaceMade(msg workspaceMadeMsg) tea.Cmd {
	a.making = false
	if msg.err != nil {
		return nav.Fail(msg.err)
	}
	a.workspace.Store(msg.workspace)
	said := nav.Notice{Text: "Your workspace is " + msg.workspace.Dir}
	return tea.Batch(a.broadcast(nav.WorkspaceOpened{Workspace: msg.workspace}), nav.Go(said), a.prepare())
}
