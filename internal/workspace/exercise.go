package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/atomicfile"
)

// ExerciseDir returns the folder of an exercise, whether it is there or not.
func (w *Workspace) ExerciseDir(id string) string { return filepath.Join(w.Dir, id) }

// Started reports whether the exercise has a folder.
func (w *Workspace) Started(id string) bool {
	info, err := os.Stat(w.ExerciseDir(id))
	return err == nil && info.IsDir()
}

// Start lays out an exercise. A file that exists is never touched. It returns
// the files it made, relative to the exercise's folder, in order; none when
// all were there.
func (w *Workspace) Start(e *exercises.Exercise) ([]string, error) {
	files, err := e.Starter()
	if err != nil {
		return nil, err
	}
	var made []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		created, err := atomicfile.Create(filepath.Join(w.ExerciseDir(e.ID), filepath.FromSlash(name)), files[name])
		if err != nil {
			return made, fmt.Errorf("start %s: %w", e.ID, err)
		}
		if created {
			made = append(made, name)
		}
	}
	return made, nil
}

// Reset lays out an exercise anew. The folder as it was becomes a backup, whose
// path is returned. An exercise that was not started is an error.
func (w *Workspace) Reset(e *exercises.Exercise) (backup string, err error) {
	if !w.Started(e.ID) {
		return "", fmt.Errorf("there is nothing to reset: %s has not been started; begin with: cairn start %s", e.ID, e.ID)
	}
	backup = w.backupName(e.ID)
	if err := os.MkdirAll(filepath.Dir(backup), 0o755); err != nil {
		return "", fmt.Errorf("reset %s: %w", e.ID, err)
	}
	if err := os.Rename(w.ExerciseDir(e.ID), backup); err != nil {
		return "", fmt.Errorf("reset %s: %w", e.ID, err)
	}
	if _, err := w.Start(e); err != nil {
		return backup, fmt.Errorf("%w; your files are in %s", err, backup)
	}
	return backup, nil
}

// ExerciseAt returns the exercise whose folder dir is or lies in.
func (w *Workspace) ExerciseAt(dir string, catalogue *exercises.Catalogue) (*exercises.Exercise, bool) {
	root, err := realPath(w.Dir)
	if err != nil {
		return nil, false
	}
	dir, err = realPath(dir)
	if err != nil {
		return nil, false
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return nil, false
	}
	id, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
	return catalogue.Get(id)
}

// realPath makes a path absolute and free of symbolic links, so that the same
// folder has one name.
func realPath(name string) (string, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		return name, nil
	}
	return real, err
}
