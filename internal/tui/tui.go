// Package tui is cairn's full-screen program: the road, its lessons and its
// exercises, in the terminal.
//
// The root model (app.go) is the only tea.Model. Each screen has a folder of
// its own. Nothing reads a disk or waits in Update or View: that is done in
// commands, and a result that comes too late is dropped.
package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/cairn-learn/cairn/grader"
	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/editor"
	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/tui/diagnosis"
	"github.com/cairn-learn/cairn/internal/tui/exercise"
	"github.com/cairn-learn/cairn/internal/tui/firststart"
	"github.com/cairn-learn/cairn/internal/tui/setup"
	"github.com/cairn-learn/cairn/internal/tui/theme"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// Grader examines submissions; *grader.Grader is one.
type Grader = exercise.Grader

// Options are what the program needs. Road and Grader are required.
type Options struct {
	Road      *road.Road
	First     *firststart.Questions      // what a first start asks; nil: it is not the first
	Setup     [][]setup.Step             // what is made ready once there is a workspace, as setup.New takes it
	Path      string                     // the path that the learner walks; "" is the first of the course
	Choose    func(path string) error    // keeps another path, off the update loop; nil: it can't be kept
	Trouble   error                      // what is said at the start, or nil
	Workspace *workspace.Workspace       // nil: the learner is asked when one is needed
	Made      func(*workspace.Workspace) // called, off the update loop, when a workspace was made; may be nil
	Grader    Grader
	Progress  progress.Store                // what is remembered; nil: nothing
	Editor    func() (editor.Editor, error) // nil: editor.Find, without settings
	Doctor    diagnosis.Examine             // nil: the machine is not examined
	Open      string                        // stone, lesson or exercise to begin with, or ""
	Environ   []string                      // nil: os.Environ()
	Now       func() time.Time              // nil: time.Now; which day it is
	In, Out   *os.File                      // nil: standard input and output; Out must be a terminal
	Version   string
}

// Run shows the program until the learner quits, ctx ends or a signal arrives
// (interrupt, terminate, hang-up, quit). The terminal is restored in every
// case. It returns nil when the learner quit, a *CrashError after a fault of
// its own, and the cause otherwise.
func Run(ctx context.Context, opts Options) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opts = opts.withDefaults()
	return run(ctx, opts, newApp(ctx, opts))
}

// attended counts the grades that run, and the examination of the machine at a
// first start, so that the program does not end before they have cleaned up after
// themselves.
type attended struct {
	Grader
	running sync.WaitGroup
}

func (a *attended) Grade(ctx context.Context, s grader.Submission, events func(grader.Event)) (grader.Report, error) {
	a.running.Add(1)
	defer a.running.Done()
	return a.Grader.Grade(ctx, s, events)
}

// attend has the examination counted.
func (a *attended) attend(q firststart.Questions) firststart.Questions {
	if examine := q.Examine; examine != nil {
		q.Examine = func(ctx context.Context, each func(doctor.Result)) {
			a.running.Add(1)
			defer a.running.Done()
			examine(ctx, each)
		}
	}
	return q
}

// leaving is how long a cancelled grade may take to clean up at the end.
const leaving = 5 * time.Second

func (a *attended) wait() {
	done := make(chan struct{})
	go func() {
		a.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(leaving):
	}
}

func (o Options) withDefaults() Options {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	o.Environ = theme.Normalise(o.Environ)
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Editor == nil {
		o.Editor = func() (editor.Editor, error) { return editor.Find("") }
	}
	return o
}

func run(ctx context.Context, opts Options, a *app) error {
	program := tea.NewProgram(a,
		tea.WithContext(ctx),
		tea.WithoutSignalHandler(),
		tea.WithEnvironment(opts.Environ),
		tea.WithColorProfile(colorprofile.Detect(opts.Out, opts.Environ)),
		tea.WithInput(opts.In),
		tea.WithOutput(opts.Out),
	)
	a.wake = program.Send
	_, err := program.Run()
	for _, s := range a.stack {
		s.Close()
	}
	if a.setup != nil {
		a.setup.Stop()
	}
	a.grader.wait()
	if crashed := a.crash.err(opts.Version); crashed != nil {
		return crashed
	}
	switch {
	case err == nil, errors.Is(err, tea.ErrInterrupted):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return fmt.Errorf("the screen failed: %w", err)
	}
}
