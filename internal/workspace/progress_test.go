package workspace_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
	"github.com/cairn-learn/cairn/lessons"
)

func TestReportsAndStates(t *testing.T) {
	w, stone := initialised(t), stoneS4(t)
	if got := (*workspace.Workspace)(nil).StateOf(stone); got != workspace.Open {
		t.Errorf("without a workspace: %s", got)
	}
	if got := w.StateOf(&road.Stone{Lesson: &lessons.Lesson{}}); got != workspace.Unwritten {
		t.Errorf("unwritten lesson: %s", got)
	}
	if last, err := w.LastReport("transfer"); last != nil || err != nil {
		t.Errorf("before the first grade: %v %v", last, err)
	}
	state := func(want workspace.State, attempts int) {
		t.Helper()
		rec, err := w.Record("transfer")
		if got := w.StateOf(stone); got != want || rec.Attempts != attempts || err != nil {
			t.Errorf("state %s after %d attempts (%v), want %s after %d", got, rec.Attempts, err, want, attempts)
		}
	}
	state(workspace.Open, 0)
	if _, err := w.Start(stone.Exercise); err != nil {
		t.Fatal(err)
	}
	state(workspace.Started, 0)
	save := func(v report.Verdict) {
		t.Helper()
		if err := w.SaveReport(&report.Report{Version: report.Version, Exercise: "transfer", Verdict: v, Started: time.Now()}); err != nil {
			t.Fatal(err)
		}
		last, err := w.LastReport("transfer")
		if err != nil || last.Verdict != v {
			t.Fatalf("last report: %v %v", last, err)
		}
	}
	save(report.Ungraded)
	state(workspace.Started, 0)
	save(report.Broken)
	state(workspace.Failed, 1)
	save(report.Passed)
	state(workspace.Passed, 2)
	save(report.Failed)
	state(workspace.Passed, 3)
}

func TestDamagedReport(t *testing.T) {
	w, stone := initialised(t), stoneS4(t)
	write(t, "{", w.Dir, ".cairn", "reports", "transfer.json")
	write(t, "{", w.Dir, ".cairn", "progress", "transfer.json")
	if _, err := w.LastReport("transfer"); err == nil || !strings.Contains(err.Error(), filepath.Join("reports", "transfer.json")+" is damaged") {
		t.Errorf("got %v", err)
	}
	if got := w.StateOf(stone); got != workspace.Open {
		t.Errorf("state %s", got)
	}
	if err := w.SaveReport(&report.Report{Exercise: "transfer", Verdict: report.Failed}); err != nil {
		t.Fatal(err)
	}
	if rec, err := w.Record("transfer"); err != nil || rec.Attempts != 1 {
		t.Errorf("record after the next grade: %+v %v", rec, err)
	}
}

func TestReportsSavedAtOnceAreAllCounted(t *testing.T) {
	w := initialised(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := w.SaveReport(&report.Report{Exercise: "transfer", Verdict: report.Failed}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if rec, err := w.Record("transfer"); err != nil || rec.Attempts != 20 {
		t.Errorf("%+v %v", rec, err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.Dir, ".cairn", "*", ".cairn-*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// stoneS4 is a stone with the exercise and a written lesson.
func stoneS4(t *testing.T) *road.Stone {
	t.Helper()
	course, err := lessons.Load(fstest.MapFS{
		"course.yaml": {Data: []byte(`title: Course
tracks:
  - id: sql
    letter: S
    title: SQL
    lessons:
      - {id: sql/lost-update, stone: S4, title: The lost update, objective: See it., minutes: 10, exercise: transfer}
`)},
		"sql/lost-update.md": {Data: []byte("# The lost update\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := road.Join(course, catalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Find("s4")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
