package road_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cairn-learn/cairn/content"
	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/lessons"
)

const course = `title: Course
tracks:
  - id: sql
    letter: S
    title: SQL
    lessons:
      - {id: sql/constraints, stone: S1, title: Constraints, objective: Refuse., minutes: 10}
      - {id: sql/lost-update, stone: S4, title: The lost update, objective: See it., minutes: 20, after: [S1], exercise: lostupdate}
`

const manifest = `kind: program
stone: S4
lesson: sql/lost-update
title: The lost update
summary: Two withdrawals at once.
minutes: 35
edit: [lostupdate.go]
hints: [look, think, almost]
`

// join makes a road of the course and the exercise above, after replacing.
func join(t *testing.T, replace ...string) (*road.Road, error) {
	t.Helper()
	r := strings.NewReplacer(replace...)
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(r.Replace(s))} }
	c, err := lessons.Load(fstest.MapFS{"course.yaml": file(course)})
	if err != nil {
		t.Fatal(err)
	}
	all, err := exercises.Load(fstest.MapFS{
		"workspace/go.mod.tmpl":      file("module m\n"),
		"workspace/go.sum.tmpl":      file(""),
		"lostupdate/exercise.yaml":   file(manifest),
		"lostupdate/task.md":         file("# Task\n"),
		"lostupdate/program/main.go": file("package main\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return road.Join(c, all)
}

func TestFind(t *testing.T) {
	r, err := join(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lostupdate", "LostUpdate", "sql/lost-update", "SQL/Lost-Update", "S4", "s4", " s4 "} {
		s, err := r.Find(name)
		if err != nil {
			t.Errorf("Find(%q): %v", name, err)
			continue
		}
		if s.Name() != "S4" || s.Exercise == nil || s.Minutes() != 55 {
			t.Errorf("Find(%q) = %s, %d minutes", name, s.Name(), s.Minutes())
		}
	}
	if s, err := r.Find("S1"); err != nil || s.Exercise != nil || s.Minutes() != 10 {
		t.Errorf("S1: %+v %v", s, err)
	}
	if got := r.Names(); !slices.Equal(got, []string{"S1", "sql/constraints", "S4", "sql/lost-update", "lostupdate"}) {
		t.Errorf("names: %q", got)
	}
}

func TestFindUnknown(t *testing.T) {
	r, err := join(t)
	if err != nil {
		t.Fatal(err)
	}
	for name, nearest := range map[string]string{"lostupdat": "lostupdate", "lost": "lostupdate", "S44": "S4", "sql/lostupdate": "sql/lost-update"} {
		_, err := r.Find(name)
		var unknown *road.UnknownError
		if !errors.As(err, &unknown) || unknown.Nearest != nearest {
			t.Errorf("Find(%q): %v, want nearest %s", name, err, nearest)
		}
	}
	_, err = r.Find("lostupdat")
	if want := `there is no exercise, lesson or stone called "lostupdat"; the nearest is lostupdate`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestJoinRefusesContradictions(t *testing.T) {
	for name, c := range map[string]struct {
		replace []string
		want    string
	}{
		"no such lesson": {[]string{"lesson: sql/lost-update", "lesson: sql/lost-updates"},
			"exercises/lostupdate/exercise.yaml: exercise lostupdate belongs to lesson sql/lost-updates, which does not exist; the nearest is sql/lost-update"},
		"other stone": {[]string{"stone: S4\n", "stone: S5\n"},
			"exercises/lostupdate/exercise.yaml: exercise lostupdate says stone S5, but its lesson sql/lost-update is stone S4"},
		"other exercise": {[]string{"exercise: lostupdate", "exercise: another"},
			`content/course.yaml: lesson sql/lost-update names exercise "another", but exercise lostupdate belongs to it`},
	} {
		_, err := join(t, c.replace...)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\ngot  %v\nwant %s", name, err, c.want)
		}
	}
}

func TestValidate(t *testing.T) {
	r, err := join(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	r, err = join(t, "minutes: 10}", "minutes: 10, exercise: lostupdte}")
	if err != nil {
		t.Fatal(err)
	}
	want := "content/course.yaml: lesson sql/constraints names exercise lostupdte, which does not exist; the nearest is lostupdate"
	if err := r.Validate(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	r, err = join(t, "minutes: 35", "minutes: 35\nservices:\n  postgres: {version: 14}")
	if err != nil {
		t.Fatal(err)
	}
	want = "content/course.yaml: lesson sql/lost-update lists services [], but exercise lostupdate needs [postgres]"
	if err := r.Validate(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestShippedRoad holds the course and the exercises that cairn ships to each
// other.
func TestShippedRoad(t *testing.T) {
	c, err := lessons.Load(content.FS)
	if err != nil {
		t.Fatal(err)
	}
	all, err := exercises.Load(exercises.FS)
	if err != nil {
		t.Fatal(err)
	}
	r, err := road.Join(c, all)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	for name, stone := range map[string]string{"restcrud": "F2", "foundations/rest-crud": "F2", "LostUpdate": "S4", "n5": "N5"} {
		s, err := r.Find(name)
		if err != nil || s.Name() != stone {
			t.Errorf("Find(%q): %v %v", name, s, err)
		}
	}
}
