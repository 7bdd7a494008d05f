package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
)

// assignment is what is to be graded, and where the outcome is remembered.
type assignment struct {
	stone *road.Stone
	dir   string
	home  *workspace.Workspace // nil: nothing is remembered
}

// assignment finds out which exercise is meant and which files.
func (a *app) assignment(name, path string) (assignment, error) {
	dir, err := here()
	if err != nil {
		return assignment{}, err
	}
	if path != "" {
		return a.assignmentIn(dir, name, path)
	}
	find := workspace.Locate
	if name == "" {
		find = workspace.Find // the folder has to say which exercise is meant
	}
	w, err := a.keeping(find(dir))
	if err != nil {
		return assignment{}, err
	}
	if name == "" {
		if name, err = a.exerciseAt(w, dir); err != nil {
			return assignment{}, err
		}
	}
	stone, err := a.exercise(name)
	if err != nil {
		return assignment{}, err
	}
	id := stone.Exercise.ID
	if !w.Started(id) {
		return assignment{}, hinted(exitUsage, fmt.Errorf("%s has not been started in %s", id, w.Dir), "cairn start "+id+" puts its files there.")
	}
	return assignment{stone: stone, dir: w.ExerciseDir(id), home: w}, nil
}

// assignmentIn is the assignment of a folder that the learner named. It needs
// no workspace; the outcome is remembered when the folder is the workspace's
// own. Without a name the exercise is the one the folder is called after.
func (a *app) assignmentIn(base, name, path string) (assignment, error) {
	dir, err := folder(base, path)
	if err != nil {
		return assignment{}, err
	}
	w, err := a.keeping(workspace.Find(dir))
	if err != nil {
		w = nil
	}
	if name == "" && w != nil {
		name, _ = a.exerciseAt(w, dir)
	}
	if name == "" {
		name = filepath.Base(dir)
	}
	stone, err := a.exercise(name)
	if err != nil {
		return assignment{}, err
	}
	if w != nil && w.ExerciseDir(stone.Exercise.ID) != dir {
		w = nil
	}
	return assignment{stone: stone, dir: dir, home: w}, nil
}

// folder makes a path given on the command line absolute. It must be a folder.
func folder(base, path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", usagef("there is no folder %s", path)
	}
	if !info.IsDir() {
		return "", usagef("%s is not a folder", path)
	}
	return filepath.Clean(path), nil
}

// target is the exercise that a name or, without one, the current folder means.
// Outside a workspace a name is enough.
func (a *app) target(name string) (assignment, error) {
	w, err := a.workspace()
	var none *workspace.NoneError
	switch {
	case err == nil:
	case errors.As(err, &none) && name != "":
		w = nil
	default:
		return assignment{}, err
	}
	if name == "" {
		if name, err = a.exerciseHere(w); err != nil {
			return assignment{}, err
		}
	}
	stone, err := a.exercise(name)
	return assignment{stone: stone, home: w}, err
}

// exerciseHere is the exercise in whose folder the learner stands.
func (a *app) exerciseHere(w *workspace.Workspace) (string, error) {
	dir, err := here()
	if err != nil {
		return "", err
	}
	return a.exerciseAt(w, dir)
}

func (a *app) exerciseAt(w *workspace.Workspace, dir string) (string, error) {
	if err := a.open(); err != nil {
		return "", err
	}
	if e, ok := w.ExerciseAt(dir, a.catalogue); ok {
		return e.ID, nil
	}
	return "", hinted(exitUsage, fmt.Errorf("no exercise is named, and %s is not the folder of one", dir), "Name one; cairn list shows them.")
}
