package workspace_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/progress/sqlite"
	"github.com/cairn-learn/cairn/internal/road"
	"github.com/cairn-learn/cairn/internal/workspace"
	"github.com/cairn-learn/cairn/lessons"
)

func TestReportsAndStates(t *testing.T) {
	w, stone := initialised(t), stoneS4(t)
	if err := w.SaveReport(&report.Report{Exercise: "transfer"}); err == nil {
		t.Error("without a store, a report was said to be saved")
	}
	remember(t, w)
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

// TestEarlierProgressMovesToTheStore reads what the first cairn kept in the
// folder itself.
func TestEarlierProgressMovesToTheStore(t *testing.T) {
	w, stone := initialised(t), stoneS4(t)
	write(t, `{"attempts":3,"last":"failed","last_at":"2026-03-01T12:00:00Z","passed_at":"2026-02-01T12:00:00Z"}`, w.Dir, ".cairn", "progress", "transfer.json")
	write(t, `{"version":1,"exercise":"transfer","verdict":"failed","started":"2026-03-01T12:00:00Z","checks":[{"id":"starts","status":"passed"}]}`, w.Dir, ".cairn", "reports", "transfer.json")
	write(t, `{"seen":2}`, w.Dir, ".cairn", "hints", "transfer.json")
	write(t, `{`, w.Dir, ".cairn", "reports", "damaged.json")
	remember(t, w)
	rec, err := w.Record("transfer")
	want := workspace.Record{Attempts: 3, Last: report.Failed, LastAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), PassedAt: time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)}
	if err != nil || rec != want || w.StateOf(stone) != workspace.Passed || w.HintsSeen("transfer") != 2 {
		t.Errorf("%+v %v, %s, %d hints", rec, err, w.StateOf(stone), w.HintsSeen("transfer"))
	}
	if last, err := w.LastReport("transfer"); err != nil || last.Check("starts") == nil {
		t.Errorf("%v %v", last, err)
	}
	if kept := read(t, w.Dir, ".cairn", "imported", "hints", "transfer.json"); kept != `{"seen":2}` {
		t.Errorf("set aside: %s", kept)
	}
	if err := w.KeepProgress(w.Progress()); err != nil { // nothing is left to import
		t.Error(err)
	}
	if rec, _ := w.Record("transfer"); rec != want {
		t.Errorf("the second time: %+v", rec)
	}
}

func TestRestore(t *testing.T) {
	w, e := initialised(t), transfer(t)
	files := map[string][]byte{"transfer.go": []byte("package transfer // old\n"), "sub/more.go": []byte("package sub\n")}
	if backup, err := w.Restore(e, files); err != nil || backup != "" {
		t.Fatalf("into nothing: %q %v", backup, err)
	}
	dir := w.ExerciseDir("transfer")
	write(t, "mine", dir, "transfer.go")
	write(t, "mine", dir, "extra.go")
	write(t, "mine", dir, "transfer_test.go")
	write(t, "mine", dir, "notes.txt")
	outside := filepath.Join(t.TempDir(), "outside.go")
	write(t, "theirs", outside)
	if err := errors.Join(os.Remove(filepath.Join(dir, "sub", "more.go")), os.Symlink(outside, filepath.Join(dir, "sub", "more.go"))); err != nil {
		t.Fatal(err)
	}
	backup, err := w.Restore(e, files)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"transfer.go": "package transfer // old\n", "sub/more.go": "package sub\n", "transfer_test.go": "mine", "notes.txt": "mine", "program/main.go": "package main\n",
	} {
		if got := read(t, dir, name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := read(t, outside); got != "theirs" {
		t.Errorf("the file behind a link was written: %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "extra.go")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("extra.go would be graded too: %v", err)
	}
	for _, name := range []string{"transfer.go", "extra.go", "notes.txt"} {
		if got := read(t, backup, name); got != "mine" {
			t.Errorf("backup of %s: %q", name, got)
		}
	}
	if _, err := w.Restore(e, map[string][]byte{"../escaped.go": nil}); err == nil {
		t.Error("a file outside the folder was accepted")
	}
}

// remember gives a workspace a store of its own.
func remember(t *testing.T, w *workspace.Workspace) {
	t.Helper()
	store := sqlite.Open(filepath.Join(t.TempDir(), "progress.db"))
	t.Cleanup(func() { _ = store.Close() })
	if err := w.KeepProgress(store); err != nil {
		t.Fatal(err)
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
