package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/cairn-learn/cairn/content"
	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/ownpath"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/settings"
	"github.com/cairn-learn/cairn/lessons"
)

// shelf holds the course and the exercises, read when first asked for.
type shelf struct {
	once      sync.Once
	course    *lessons.Course
	catalogue *exercises.Catalogue
	road      *road.Road
	fault     error
	left      []error // what is wrong with own paths, which are left out then

	sources func() (content, exercises fs.FS) // nil: what is embedded
}

// open reads everything that there is. Errors are faults of this cairn, or
// of what an author is working on.
func (s *shelf) open() error {
	s.once.Do(func() {
		var lessonsFS, exercisesFS fs.FS = content.FS, exercises.FS
		if s.sources != nil {
			lessonsFS, exercisesFS = s.sources()
		}
		if s.course, s.fault = lessons.Load(lessonsFS); s.fault != nil {
			return
		}
		if s.catalogue, s.fault = exercises.Load(exercisesFS); s.fault != nil {
			return
		}
		if s.road, s.fault = road.Join(s.course, s.catalogue); s.fault == nil && s.sources == nil {
			s.addOwn()
		}
	})
	return s.fault
}

// addOwn puts the learner's own paths on the road, the chosen one first: its pages
// are those that short names such as P1 mean.
func (s *shelf) addOwn() {
	paths, left := ownpath.All(ownpath.Dir())
	if len(paths) > 1 {
		chosen, _ := settings.Load(settings.File())
		if i := slices.IndexFunc(paths, func(p *ownpath.Path) bool { return p.ID == chosen.Path }); i > 0 {
			paths = slices.Concat(paths[i:i+1], paths[:i], paths[i+1:])
		}
	}
	s.left = append(left, ownpath.PutOn(s.road, paths)...)
}

// reopen reads everything once more, as it is now.
func (s *shelf) reopen() error {
	s.once = sync.Once{}
	return s.open()
}

// find returns the stone that a name means.
func (s *shelf) find(name string) (*road.Stone, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	return s.road.Find(name)
}

// exercise returns the stone of an exercise that can be worked on.
func (s *shelf) exercise(name string) (*road.Stone, error) {
	stone, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if stone.Exercise == nil {
		return nil, hinted(exitUsage, fmt.Errorf("%s %s has no exercise yet", stone.Lesson.Stone, stone.Lesson.Title),
			"cairn list shows what is written.")
	}
	return stone, nil
}

// complete offers every name that fits, each with its title.
func (a *app) complete(exercisesOnly bool) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 || a.open() != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []cobra.Completion
		for _, s := range a.road.Stones() {
			about := s.Lesson.Stone + " " + s.Lesson.Title
			if s.Exercise != nil {
				names = append(names, cobra.CompletionWithDesc(s.Exercise.ID, about))
			}
			if !exercisesOnly && s.Lesson.Written {
				names = append(names, cobra.CompletionWithDesc(s.Lesson.ID, about))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// here is the folder the learner stands in.
func here() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", hinted(exitUsage, fmt.Errorf("this folder is gone: %w", err), "cd into a folder that exists.")
	}
	return filepath.Clean(dir), nil
}
