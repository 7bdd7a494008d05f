package road_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/lessons"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// withOwn is a road with an own path over S3, a page and S1.
func withOwn(t *testing.T) *road.Road {
	t.Helper()
	r := routes(t, threeStones+twoPaths)
	own := &lessons.Path{ID: "team", Title: "Team", Summary: "Ours.", Own: true, Stages: []lessons.Stage{
		{Title: "First", Stones: []string{"S3", "team/deploy"}, By: day("2026-12-04")},
		{Title: "Then", Stones: []string{"S1", "S99"}},
	}}
	if !r.AddPath(own, []*lessons.Lesson{lessons.OwnPage("team/deploy", "P1", "Deploy", "Team", "# Deploy\n")}) {
		t.Fatal("the path was not added")
	}
	return r
}

func TestOwnPathIsLaidOutFirst(t *testing.T) {
	r := withOwn(t)
	var got []string
	for _, x := range r.Route("team").Sections() {
		for _, s := range x.Rows {
			got = append(got, x.Title+" "+s.Name())
		}
	}
	if want := "First S3, First P1, Then S1, SQL S2"; strings.Join(got, ", ") != want {
		t.Errorf("sections: %s, want %s", strings.Join(got, ", "), want)
	}
	sections := r.Route("short").Sections()
	if len(sections) != 1 || sections[0].Title != "SQL" || len(sections[0].Rows) != 3 || sections[0].Stage != nil {
		t.Errorf("a path of the course lays the road out as %+v", sections)
	}
	if stages := r.Route("short").Stages(); len(stages) != 2 || stages[0].Rows[0].Name() != "S3" {
		t.Errorf("stages of the course's path: %+v", stages)
	}
}

func TestOwnPagesAreFound(t *testing.T) {
	r := withOwn(t)
	for _, name := range []string{"P1", "p1", "team/deploy", "Deploy"} {
		if s, err := r.Find(name); err != nil || s.Lesson.ID != "team/deploy" || !s.Lesson.Own {
			t.Errorf("Find(%q): %v %v", name, s, err)
		}
	}
	other := &lessons.Path{ID: "other", Title: "Other", Own: true}
	page := func(id, stone string) *lessons.Lesson { return lessons.OwnPage(id, stone, "X", "Other", "# X\n") }
	if !r.AddPath(other, []*lessons.Lesson{page("other/deploy", "P1")}) {
		t.Error("a second path was not added")
	}
	if s, _ := r.Find("P1"); s.Lesson.ID != "team/deploy" {
		t.Errorf("the name P1 went to %s", s.Lesson.ID)
	}
	if s, err := r.Find("other/deploy"); err != nil || s.Lesson.ID != "other/deploy" {
		t.Errorf("a page whose short names are taken is not found by its id: %v", err)
	}
	if r.AddPath(&lessons.Path{ID: "long"}, nil) {
		t.Error("a path took the place of one of the course")
	}
	if n := len(r.Steps()); n != 5 {
		t.Errorf("%d steps, want 3 stones and 2 pages", n)
	}
}

func TestStanding(t *testing.T) {
	now := time.Date(2026, 12, 3, 23, 30, 0, 0, time.FixedZone("", -8*3600)) // the 4th in UTC
	first := withOwn(t).Route("team").Stages()[0]
	for _, tt := range []struct {
		by   string
		done []string
		want string
	}{
		{"2026-12-03", nil, "due today"},
		{"2026-12-04", nil, "due tomorrow"},
		{"2027-01-03", []string{"S3"}, "due in 31 days"},
		{"2026-12-02", nil, "1 day overdue"},
		{"2026-11-03", []string{"P1"}, "30 days overdue"},
		{"2026-11-03", []string{"P1", "S3"}, "done"},
	} {
		first.Stage.By = day(tt.by)
		done := func(s *road.Stone) bool { return strings.Contains(strings.Join(tt.done, " "), s.Name()) }
		if got := first.Standing(done, now); got != tt.want {
			t.Errorf("by %s with %v done: %q, want %q", tt.by, tt.done, got, tt.want)
		}
	}
	if got := road.By(day("2026-12-04")) + road.By(time.Time{}) + road.Due(time.Time{}, now); got != "by Fri 4 Dec 2026" {
		t.Errorf("days are said as %q", got)
	}
}
