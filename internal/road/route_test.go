package road_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/cairn-learn/cairn/exercises"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/lessons"
)

const threeStones = `title: Course
tracks:
  - id: sql
    letter: S
    title: SQL
    lessons:
      - {id: sql/a, stone: S1, title: A, objective: Refuse., minutes: 10}
      - {id: sql/b, stone: S2, title: B, objective: Refuse., minutes: 10}
      - {id: sql/c, stone: S3, title: C, objective: Refuse., minutes: 10}
`

const twoPaths = `paths:
  - {id: long, title: Long, summary: All., stages: [{title: One, stones: [S1, S2, S3]}]}
  - {id: short, title: Short, summary: Some., stages: [{title: One, stones: [S3]}, {title: Two, stones: [S1]}]}
`

func routes(t *testing.T, text string) *road.Road {
	t.Helper()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	c, err := lessons.Load(fstest.MapFS{"course.yaml": file(text), "sql/b.md": file("# B\n"), "sql/c.md": file("# C\n")})
	if err != nil {
		t.Fatal(err)
	}
	all, err := exercises.Load(fstest.MapFS{"workspace/go.mod.tmpl": file("module m\n"), "workspace/go.sum.tmpl": file("")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := road.Join(c, all)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRoute(t *testing.T) {
	none := func(*road.Stone) bool { return false }
	is := func(names ...string) func(*road.Stone) bool {
		return func(s *road.Stone) bool { return slices.Contains(names, s.Name()) }
	}
	for _, tt := range []struct {
		name, course, path string
		begun, open        func(*road.Stone) bool
		want, first        string
	}{
		{"the first path by default", threeStones + twoPaths, "", none, is("S1", "S3"), "S1", "S2"},
		{"an unknown path", threeStones + twoPaths, "none", none, is("S1", "S3"), "S1", "S2"},
		{"the path's order", threeStones + twoPaths, "short", none, is("S1", "S2", "S3"), "S3", "S3"},
		{"what was begun on it", threeStones + twoPaths, "short", is("S1"), is("S3"), "S1", "S3"},
		{"not what was begun beside it", threeStones + twoPaths, "short", is("S2"), is("S3"), "S3", "S3"},
		{"until the path is done", threeStones + twoPaths, "short", is("S2"), none, "S2", "S3"},
		{"nothing left", threeStones + twoPaths, "short", none, none, "", "S3"},
		{"no paths", threeStones + "paths: []\n", "short", none, is("S2"), "S2", "S2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			route := routes(t, tt.course).Route(tt.path)
			got := ""
			if s := route.Next(tt.begun, tt.open); s != nil {
				got = s.Name()
			}
			if got != tt.want || route.First().Name() != tt.first {
				t.Errorf("next is %q, first %q; want %q and %q", got, route.First().Name(), tt.want, tt.first)
			}
			if n := len(route.Stones) + len(route.Others); n != 3 {
				t.Errorf("the route has %d stones of 3", n)
			}
		})
	}
}
