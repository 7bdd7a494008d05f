package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/internal/settings"
	"github.com/cairn-learn/cairn/internal/workspace"
)

func newInit(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "init [DIR]", Short: "Make a folder for your exercises", GroupID: groupLearn, Args: atMost(1),
		Long: `Init makes a folder in which you write and fetches the modules that exercises
are built with. Unless you name a folder it is the current one when that is
empty, else "cairn" below it. In a workspace it repairs what is missing and
touches none of your files.`,
		Example: "  cairn init\n  cairn init ~/learning",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.open(); err != nil {
				return err
			}
			dir, err := initDir(args)
			if err != nil {
				return err
			}
			w, err := workspace.Init(dir, a.catalogue, version())
			if err != nil {
				return err
			}
			w.Remember()
			a.keepDefaults()
			fmt.Fprintf(a.out, "%s is your workspace.\n", w.Dir)
			if err := w.KeepProgress(a.progress()); err != nil {
				fmt.Fprintf(a.err, "cairn: %s\n", err)
			}
			status := a.newStatusLine()
			err = workspace.FetchModules(cmd.Context(), a.catalogue, func(module string, n, total int) {
				status.show(fmt.Sprintf("fetching %s (%d of %d)", module, n, total))
			})
			status.clear()
			if err != nil {
				return err
			}
			return a.sayNext(cmd.Context(), w)
		},
	}
}

// keepDefaults writes the settings file with nothing set, so that a learner finds
// it. That it can't be written, or is there, is no reason to say anything.
func (a *app) keepDefaults() { _ = settings.Create(settings.File(), settings.Settings{}) }

// sayNext names the first exercise along the learner's path that waits, or the page
// of the path that stands before it.
func (a *app) sayNext(ctx context.Context, w *workspace.Workspace) error {
	enter := ""
	if dir := shown(w.Dir); dir != "." {
		enter = "cd " + shellquote.Join(dir) + " && "
	}
	known := a.known(ctx)
	route := a.road.Route(a.preferred().Path)
	for _, s := range slices.Concat(route.Stones, route.Others) {
		if w.State(s, known).Done() {
			continue
		}
		if s.Lesson.Own {
			_, err := fmt.Fprintf(a.out, "Next: cairn read %s\n", s.Lesson.ID)
			return err
		}
		if s.Exercise != nil {
			_, err := fmt.Fprintf(a.out, "Next: %scairn start %s\n", enter, s.Exercise.ID)
			return err
		}
	}
	return nil
}

// initDir is the folder to make a workspace of: the named one, the workspace
// that the learner stands in, the current folder when it is empty, else
// "cairn-work" below it.
func initDir(args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	dir, err := here()
	if err != nil {
		return "", err
	}
	w, err := workspace.Find(dir)
	var none *workspace.NoneError
	switch {
	case err == nil:
		return w.Dir, nil
	case !errors.As(err, &none):
		return "", err
	}
	if empty(dir) {
		return dir, nil
	}
	return filepath.Join(dir, "cairn-work"), nil
}

// empty tells whether a folder holds nothing but dot files.
func empty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !strings.HasPrefix(e.Name(), ".") })
}

// shown is a path as the learner would type it from here.
func shown(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
