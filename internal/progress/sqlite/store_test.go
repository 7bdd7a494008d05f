package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/progress"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	m.Run()
}

// fresh opens a new store in a folder whose name needs escaping.
func fresh(t testing.TB) *Store {
	t.Helper()
	return opened(t, filepath.Join(t.TempDir(), "my data? é#1%", "cairn", "progress.db"))
}

func opened(t testing.TB, path string) *Store {
	t.Helper()
	s := Open(path)
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Opened(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func reportOf(exercise string, v report.Verdict, at time.Time) *report.Report {
	return &report.Report{
		Version: report.Version, Cairn: "1.0", Exercise: exercise, Title: "The lost update", Content: "c1", Code: "k1", Seed: 1<<53 - 1,
		Started: at, Verdict: v, Phases: []report.Phase{{Name: report.PhaseBuild, Duration: 2 * time.Second}, {Name: report.PhaseExamine, Duration: time.Second}},
		Checks: []report.Check{
			{ID: "starts", Title: "starts", Status: report.CheckPassed, Duration: time.Millisecond},
			{ID: "race", Title: "two at once", Status: report.CheckFailed, Feedback: &report.Feedback{Did: "a", Expected: "b", Saw: "c\x1b[31m"}},
			{ID: "crash", Title: "a crash", Status: report.CheckBlocked, BlockedBy: "race"},
		},
		Files: map[string][]byte{"update.go": []byte("package update\n"), "sub/x.go": {}},
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func save(t testing.TB, s *Store, r *report.Report) int64 {
	t.Helper()
	id, err := s.SaveAttempt(t.Context(), progress.Of(r))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAttemptComesBackWhole(t *testing.T) {
	s := fresh(t)
	want := reportOf("update", report.Failed, noon)
	id := save(t, s, want)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, s.path)
	a, err := s.Attempt(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(a.Files, want.Files, bytes.Equal) {
		t.Errorf("files: %q", a.Files)
	}
	kept := *want
	kept.Files, kept.Checks = nil, slices.Clone(want.Checks)
	kept.Checks[1].Feedback = &report.Feedback{Did: "a", Expected: "b", Saw: "c"} // without its terminal escape
	if !reflect.DeepEqual(a.Report, &kept) {
		t.Errorf("report: %+v", a.Report)
	}
	wanted := progress.Of(want)
	if !reflect.DeepEqual(a.Checks, wanted.Checks) || len(a.Checks) != 3 {
		t.Errorf("checks: %+v", a.Checks)
	}
	wanted.ID, wanted.Checks, wanted.Files, wanted.Report = id, nil, nil, nil
	a.Checks, a.Files, a.Report = nil, nil, nil
	if !reflect.DeepEqual(a, wanted) || a.Duration != 3*time.Second || a.Passed != 1 || a.Total != 3 {
		t.Errorf("got %+v\nwant %+v", a, wanted)
	}
	var none *progress.NoAttemptError
	if _, err := s.Attempt(t.Context(), id+1); !errors.As(err, &none) {
		t.Errorf("an attempt that is not there: %v", err)
	}
}

func TestRecords(t *testing.T) {
	s, ctx := fresh(t), t.Context()
	for i, v := range []report.Verdict{report.Ungraded, report.Broken, report.Ungraded, report.Passed, report.Limit, report.Passed, report.Ungraded} {
		save(t, s, reportOf("update", v, noon.Add(time.Duration(i)*time.Hour)))
	}
	save(t, s, reportOf("other", report.Ungraded, noon))
	records, err := s.Records(ctx)
	want := map[string]progress.Record{"update": {Attempts: 4, Last: report.Passed, LastAt: noon.Add(5 * time.Hour), PassedAt: noon.Add(3 * time.Hour)}}
	if err != nil || !reflect.DeepEqual(records, want) {
		t.Errorf("%v %v\nwant %v", records, err, want)
	}
	all, err := s.Attempts(ctx, "update")
	if err != nil || len(all) != 7 || all[0].Verdict != report.Ungraded || all[0].Counts() || all[6].ID != 1 {
		t.Errorf("%v %v", all, err)
	}
	if every, err := s.Attempts(ctx, ""); err != nil || len(every) != 8 || every[0].Exercise != "other" {
		t.Errorf("%v %v", every, err)
	}
	first, err := s.FirstPass(ctx)
	if err != nil || len(first) != 1 || first["update"].ID != 4 {
		t.Errorf("%v %v", first, err)
	}
	last, err := s.LastReport(ctx, "update")
	if err != nil || last.Verdict != report.Ungraded || !last.Started.Equal(noon.Add(6*time.Hour)) {
		t.Errorf("%v %v", last, err)
	}
	if none, err := s.LastReport(ctx, "nothing"); none != nil || err != nil {
		t.Errorf("%v %v", none, err)
	}
}

func TestSameCodeIsKeptOnce(t *testing.T) {
	s := fresh(t)
	code := []byte(strings.Repeat("func handler() { return nil }\n", 2000))
	for i := range 5 {
		r := reportOf("update", report.Failed, noon)
		r.Files = map[string][]byte{"a.go": code, "b.go": code, "c.go": fmt.Appendf(nil, "package c // %d", i/4)}
		save(t, s, r)
	}
	var blobs, size, packed int
	err := s.db.QueryRow("select count(*), sum(size), sum(length(data)) from blob").Scan(&blobs, &size, &packed)
	if err != nil || blobs != 3 || packed*10 > size {
		t.Errorf("%d blobs, %d bytes packed to %d (%v), want 3 and less than a tenth", blobs, size, packed, err)
	}
}

func TestLearningComesBack(t *testing.T) {
	s, ctx := fresh(t), t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	answers := []progress.QuizAnswer{
		{Lesson: "sql/a", Question: "q1", Asked: "h", Chosen: []int{2, 0}, At: noon},
		{Lesson: "sql/a", Question: "q1", Asked: "h", Chosen: []int{1}, Correct: true, At: noon.Add(time.Minute)},
		{Lesson: "sql/b", Question: "q1", Asked: "h", Chosen: []int{}, At: noon},
	}
	for _, a := range answers {
		ok(s.SaveAnswer(ctx, a))
	}
	if got, err := s.Answers(ctx, "sql/a"); err != nil || !reflect.DeepEqual(got, answers[:2]) {
		t.Errorf("%v %v", got, err)
	}
	if got, err := s.Answers(ctx, ""); err != nil || !reflect.DeepEqual(got, answers) {
		t.Errorf("%v %v", got, err)
	}
	ok(s.SaveRead(ctx, progress.LessonRead{Lesson: "sql/a", At: noon.Add(time.Hour)}))
	ok(s.SaveRead(ctx, progress.LessonRead{Lesson: "sql/a", At: noon}))
	if got, err := s.Read(ctx); err != nil || len(got) != 1 || !got["sql/a"].Equal(noon) {
		t.Errorf("%v %v", got, err)
	}
	if _, found, err := s.Place(ctx, ""); found || err != nil {
		t.Errorf("a place before the first: %v", err)
	}
	here := progress.Place{Lesson: "sql/a", Screen: "lesson", Heading: "two-readers", Line: 12, At: noon}
	there := progress.Place{Lesson: "sql/b", Screen: "quiz", Line: 2, At: noon.Add(-time.Hour)} // the clock was set back
	ok(s.SavePlace(ctx, progress.Place{Lesson: "sql/a", Screen: "exercise"}))
	ok(s.SavePlace(ctx, here))
	ok(s.SavePlace(ctx, there))
	for lesson, want := range map[string]progress.Place{"sql/a": here, "sql/b": there, "": there} {
		if got, found, err := s.Place(ctx, lesson); err != nil || !found || got != want {
			t.Errorf("place %q: %v %v", lesson, got, err)
		}
	}
	for _, rung := range []int{1, 3, 2} {
		ok(s.SaveHint(ctx, progress.Hint{Exercise: "update", Rung: rung, At: noon}))
	}
	if got, err := s.Hints(ctx); err != nil || !maps.Equal(got, map[string]int{"update": 3}) {
		t.Errorf("%v %v", got, err)
	}
	before := time.Now()
	ok(s.SaveGiveUp(ctx, progress.GiveUp{Exercise: "update", Content: "c1"}))
	if got, err := s.GaveUp(ctx); err != nil || len(got) != 1 || got["update"].Before(before) || got["update"].After(time.Now()) {
		t.Errorf("a zero time is not now: %v %v", got, err)
	}
	events, err := s.Events(ctx)
	if err != nil || len(events) != 11 || events[0] != (progress.Event{Lesson: "sql/b", At: there.At}) || events[10].Exercise != "update" {
		t.Errorf("%d events %v %v", len(events), events, err)
	}
}

func TestImportOnce(t *testing.T) {
	s, ctx := fresh(t), t.Context()
	last := reportOf("update", report.Failed, noon)
	last.Files = nil
	earlier := []progress.Earlier{
		{Exercise: "update", Record: progress.Record{Attempts: 5, Last: report.Failed, LastAt: noon, PassedAt: noon.Add(-time.Hour)}, Last: last, Hints: 2},
		{Exercise: "hinted", Hints: 1},
	}
	for i, want := range []bool{true, false} {
		if got, err := s.Import(ctx, "/home/me/ws", earlier); got != want || err != nil {
			t.Fatalf("import %d: %v %v", i, got, err)
		}
	}
	records, err := s.Records(ctx)
	if err != nil || !reflect.DeepEqual(records, map[string]progress.Record{"update": earlier[0].Record}) {
		t.Errorf("%v %v", records, err)
	}
	if hints, _ := s.Hints(ctx); !maps.Equal(hints, map[string]int{"update": 2, "hinted": 1}) {
		t.Errorf("hints %v", hints)
	}
	if all, _ := s.Attempts(ctx, ""); len(all) != 1 || !all[0].Imported {
		t.Errorf("attempts %v", all)
	}
	save(t, s, reportOf("update", report.Broken, noon.Add(time.Hour)))
	want := progress.Record{Attempts: 6, Last: report.Broken, LastAt: noon.Add(time.Hour), PassedAt: noon.Add(-time.Hour)}
	if records, _ := s.Records(ctx); records["update"] != want {
		t.Errorf("after one more: %v", records)
	}
}

func TestManyGoroutinesAndStores(t *testing.T) {
	s := fresh(t)
	other := opened(t, s.path)
	errs := make(chan error)
	for i := range 20 {
		store := []*Store{s, other}[i%2]
		go func() {
			_, err := store.SaveAttempt(context.Background(), progress.Of(reportOf("update", report.Failed, noon)))
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if records, err := other.Records(t.Context()); records["update"].Attempts != 20 {
		t.Errorf("%v %v", records, err)
	}
}

func TestClosed(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "progress.db"))
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Records(t.Context()); !errors.Is(err, progress.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "progress.db")
	s := opened(b, path)
	for i := range 1000 {
		r := reportOf("update", report.Failed, noon)
		r.Files = map[string][]byte{"a.go": []byte(strings.Repeat(fmt.Sprintf("func handler%d() {}\n", i), 200))}
		r.Log = strings.Repeat(fmt.Sprint("log line ", i*7919, "\n"), 500)
		save(b, s, r)
	}
	_ = s.Close()
	for b.Loop() {
		s := Open(path)
		if _, err := s.Records(b.Context()); err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}

func BenchmarkFirstOpen(b *testing.B) {
	dir := b.TempDir()
	for i := 0; b.Loop(); i++ {
		s := Open(filepath.Join(dir, fmt.Sprint(i), "progress.db"))
		if _, err := s.Records(b.Context()); err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}

func BenchmarkSaveAttempt(b *testing.B) {
	s := fresh(b)
	for i := 0; b.Loop(); i++ {
		r := reportOf("update", report.Failed, noon)
		r.Files = map[string][]byte{"a.go": []byte(strings.Repeat(fmt.Sprintf("func handler%d() {}\n", i), 200))}
		save(b, s, r)
	}
}

func BenchmarkSavePlace(b *testing.B) {
	s := fresh(b)
	for i := 0; b.Loop(); i++ {
		if err := s.SavePlace(b.Context(), progress.Place{Lesson: "sql/a", Line: i}); err != nil {
			b.Fatal(err)
		}
	}
}
