package main

import (
	"context"
	"errors"
	"os"

	"github.com/cairn-learn/cairn/internal/tui"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// home is what cairn does without a command: the screens where somebody sits at
// a terminal, else the list.
func (a *app) home(ctx context.Context) error {
	if !a.interactive() {
		return a.list(false)
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
	g, err := newGrader()
	if err != nil {
		return err
	}
	defer g.Close()
	return tui.Run(ctx, tui.Options{
		Road: a.road, Workspace: w, Made: (*workspace.Workspace).Remember, Grader: g,
		In: a.in.(*os.File), Out: a.out.(*os.File), Version: version(),
	})
}
