package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/internal/workspace"
)

func newStart(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "start NAME", Short: "Put the files of an exercise into your workspace", GroupID: groupLearn,
		Args: exactly(1, "the name of an exercise"), ValidArgsFunction: a.complete(true),
		Long: `Start puts the files of an exercise into your workspace. Files that are there
already stay as they are.`,
		RunE: func(_ *cobra.Command, args []string) error {
			stone, err := a.exercise(args[0])
			if err != nil {
				return err
			}
			w, err := a.workspace()
			if err != nil {
				return err
			}
			e := stone.Exercise
			made, err := w.Start(e)
			if err != nil {
				return err
			}
			dir := shown(w.ExerciseDir(e.ID))
			if len(made) == 0 {
				fmt.Fprintf(a.out, "%s was started before; your files in %s are as you left them.\n", e.ID, dir)
			} else {
				fmt.Fprintf(a.out, "%s %s is in %s:\n", e.Stone, e.Title, dir)
				for _, name := range made {
					fmt.Fprintf(a.out, "  %s\n", filepath.FromSlash(name))
				}
			}
			fmt.Fprintf(a.out, "Next: read task.md, edit %s, and run cairn grade %s\n", filepath.FromSlash(e.Edit[0]), e.ID)
			return nil
		},
	}
}

// workspace is the one that the learner stands in, or else the one used last.
func (a *app) workspace() (*workspace.Workspace, error) {
	dir, err := here()
	if err != nil {
		return nil, err
	}
	return a.keeping(workspace.Locate(dir))
}

// keeping gives a workspace that was found the store, so that what happens in it
// is kept.
func (a *app) keeping(w *workspace.Workspace, err error) (*workspace.Workspace, error) {
	if err != nil {
		return nil, err
	}
	if err := w.KeepProgress(a.progress()); err != nil {
		fmt.Fprintf(a.err, "cairn: %s\n", err)
	}
	return w, nil
}
