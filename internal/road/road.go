// Package road joins what a learner reads with what a learner writes: each
// stone is a lesson and, where there is one, its exercise.
package road

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/nearest"
	"github.com/cairn-learn/cairn/lessons"
)

// Stone is one step of the road.
type Stone struct {
	Lesson   *lessons.Lesson
	Exercise *exercises.Exercise // nil when the lesson has none, or none yet
}

// Name is what the stone is called on the road: "S4".
func (s *Stone) Name() string { return s.Lesson.Stone }

// Minutes is how long the stone takes: the lesson, and its exercise when there
// is one.
func (s *Stone) Minutes() int {
	if s.Exercise == nil {
		return s.Lesson.Minutes
	}
	return s.Lesson.Minutes + s.Exercise.Minutes
}

// Road is every stone in order.
type Road struct {
	Course    *lessons.Course
	Catalogue *exercises.Catalogue

	stones []*Stone
	rows   []*Stone          // the stones, and the pages before them
	pages  []*Stone          // of own paths
	byName map[string]*Stone // exercise ids, lesson ids and stones, in lower case
	names  []string          // the same as people write them, stones first
}

// UnknownError is a name that no stone goes by.
type UnknownError struct {
	Name    string // as it was given
	Nearest string // the name most like it; "" on an empty road
}

func (e *UnknownError) Error() string {
	if e.Nearest == "" {
		return fmt.Sprintf("there is no exercise, lesson or stone called %q", e.Name)
	}
	return fmt.Sprintf("there is no exercise, lesson or stone called %q; the nearest is %s", e.Name, e.Nearest)
}

// Join makes a road of a course and a catalogue. It fails when an exercise and
// its lesson contradict each other.
func Join(course *lessons.Course, catalogue *exercises.Catalogue) (*Road, error) {
	r := &Road{Course: course, Catalogue: catalogue, byName: map[string]*Stone{}}
	var faults []error
	for _, e := range catalogue.All() {
		l := course.Lesson(e.Lesson)
		manifest := "exercises/" + e.ID + "/exercise.yaml"
		switch {
		case l == nil:
			faults = append(faults, fmt.Errorf("%s: exercise %s belongs to lesson %s, which does not exist; the nearest is %s", manifest, e.ID, e.Lesson, course.NearestID(e.Lesson)))
		case l.Stone != e.Stone:
			faults = append(faults, fmt.Errorf("%s: exercise %s says stone %s, but its lesson %s is stone %s", manifest, e.ID, e.Stone, l.ID, l.Stone))
		case l.Exercise != e.ID:
			faults = append(faults, fmt.Errorf("content/course.yaml: lesson %s names exercise %q, but exercise %s belongs to it", l.ID, l.Exercise, e.ID))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	r.page(course.Welcome)
	for _, t := range course.Tracks {
		r.page(t.Opening, t.ID)
		for _, l := range t.Lessons {
			s := &Stone{Lesson: l}
			if e, ok := catalogue.Get(l.Exercise); ok {
				s.Exercise = e
			}
			r.stones = append(r.stones, s)
			r.add(s)
		}
	}
	return r, nil
}

// page adds a page to the rows, if there is one.
func (r *Road) page(l *lessons.Lesson, names ...string) {
	if l != nil {
		r.add(&Stone{Lesson: l}, names...)
	}
}

// add makes a stone or a page a row that is found by its names.
func (r *Road) add(s *Stone, names ...string) {
	r.rows = append(r.rows, s)
	names = append([]string{s.Lesson.Stone, s.Lesson.ID}, names...)
	if s.Exercise != nil {
		names = append(names, s.Exercise.ID)
	}
	for _, name := range names {
		r.byName[strings.ToLower(name)] = s
		r.names = append(r.names, name)
	}
}

// Validate returns a fault for every lesson that names an exercise which is
// not there, and for every service that lesson and exercise do not agree on.
func (r *Road) Validate() error {
	var faults []error
	for _, s := range r.stones {
		if s.Exercise == nil {
			if s.Lesson.Exercise != "" {
				faults = append(faults, fmt.Errorf("content/course.yaml: lesson %s names exercise %s, which does not exist; the nearest is %s", s.Lesson.ID, s.Lesson.Exercise, r.Catalogue.Nearest(s.Lesson.Exercise)))
			}
			continue
		}
		told, needed := strings.Join(s.Lesson.Services, ", "), strings.Join(s.Exercise.Services(), ", ")
		if told != needed {
			faults = append(faults, fmt.Errorf("content/course.yaml: lesson %s lists services [%s], but exercise %s needs [%s]", s.Lesson.ID, told, s.Exercise.ID, needed))
		}
	}
	return errors.Join(faults...)
}

// Stones returns every stone in the order of the road.
func (r *Road) Stones() []*Stone { return r.stones }

// Rows returns the stones in the order of the road, the first page before them, and
// each track's opening page before its stones.
func (r *Road) Rows() []*Stone { return r.rows }

// Names returns every name that Find accepts, as people write it; shell
// completions come from it.
func (r *Road) Names() []string { return r.names }

// Find returns the stone that goes by a name: exercise id ("lostupdate"),
// lesson id ("sql/lost-update") or stone ("S4"), in any case; a page by its id
// ("sql/opening"), its place ("S0") or its track ("sql"). Otherwise the
// error is an *UnknownError.
func (r *Road) Find(name string) (*Stone, error) {
	if s, ok := r.byName[strings.ToLower(strings.TrimSpace(name))]; ok {
		return s, nil
	}
	return nil, &UnknownError{Name: name, Nearest: nearest.Name(strings.TrimSpace(name), r.names)}
}
