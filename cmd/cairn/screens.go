package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/cairn-learn/cairn/internal/doctor"
	"github.com/cairn-learn/cairn/internal/tui"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// home is what cairn does without a command: the screens where somebody sits at
// a terminal, else the list.
func (a *app) home(ctx context.Context) error {
	if !a.interactive() {
		return a.list(ctx, false)
	}
	return a.screens(ctx)
}

func (a *app) screens(ctx context.Context) error {
	if err := a.open(); err != nil {
		return err
	}
	w, err := a.workspace()
	var none *workspace.NoneError
	if err != nil && !errors.As(err, &none) {
		return err
	}
	dir, err := here()
	if err != nil {
		return err
	}
	g, err := newGrader(false)
	if err != nil {
		return err
	}
	defer g.Close()
	chosen, trouble := a.settings()
	if trouble == nil {
		trouble = a.pathFault(chosen)
	}
	if home, err := os.UserHomeDir(); err == nil && trouble != nil {
		// It has one line, and the doctor tells it in full.
		trouble = errors.New(strings.ReplaceAll(trouble.Error(), home+string(os.PathSeparator), "~/"))
	}
	opts := tui.Options{
		Road: a.road, Workspace: w, Made: a.made, Grader: g, Progress: a.progress(),
		Path: chosen.Path, Choose: a.choose, Trouble: trouble, Setup: a.ahead(g),
		Doctor: func(ctx context.Context) []doctor.Result { return doctor.Examine(ctx, a.machine(dir)) },
		Editor: a.editor, Environ: a.environ(), In: a.in.(*os.File), Out: a.out.(*os.File), Version: version(),
	}
	if w == nil && !settled() {
		opts.First = a.questions(dir)
	}
	return tui.Run(ctx, opts)
}

// made is told of a workspace that was made on the screen. What can't be moved
// to the store now stays for the next time.
func (a *app) made(w *workspace.Workspace) {
	w.Remember()
	_ = w.KeepProgress(a.progress())
}
