package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/exercises"
)

func newAuthor(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "author", Short: "Begin and prove lessons and exercises", GroupID: groupAuthor, Args: knownCommand,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuthorNew(a), newVerify(a))
	return cmd
}

// clone finds the clone of cairn that the author stands in, "" when in none,
// and has the shelf read its files instead of the embedded ones.
func (a *app) clone() (string, error) {
	dir, err := here()
	if err != nil {
		return "", err
	}
	for {
		gomod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(gomod), "module github.com/cairn-learn/cairn\n") {
			a.sources = func() (fs.FS, fs.FS) {
				return os.DirFS(filepath.Join(dir, "content")), os.DirFS(filepath.Join(dir, "exercises"))
			}
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", nil
		}
		dir = filepath.Dir(dir)
	}
}

// chosen is the named exercises, or all.
func (a *app) chosen(names []string) ([]*exercises.Exercise, error) {
	if len(names) == 0 {
		return a.catalogue.All(), nil
	}
	var chosen []*exercises.Exercise
	for _, name := range names {
		stone, err := a.exercise(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, stone.Exercise)
	}
	return chosen, nil
}
