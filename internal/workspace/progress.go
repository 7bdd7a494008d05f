package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/road"
)

// State says how far a learner has come with a stone.
type State string

// The states, from nothing to done. A stone that was passed once stays passed.
const (
	Unwritten State = "unwritten" // nothing to read yet
	Open      State = "open"      // not begun
	Started   State = "started"   // begun, not graded
	Failed    State = "failed"    // graded, not passed yet
	Passed    State = "passed"
)

// Record is what is kept of all attempts at an exercise.
type Record struct {
	Attempts int            `json:"attempts"` // grades that came to a verdict
	Last     report.Verdict `json:"last"`     // of the last of them; "" when there was none
	LastAt   time.Time      `json:"last_at"`
	PassedAt time.Time      `json:"passed_at"` // when it was passed first; zero when never
}

// StateOf returns the state of a stone. A nil workspace knows no attempts.
func (w *Workspace) StateOf(s *road.Stone) State {
	switch {
	case !s.Lesson.Written:
		return Unwritten
	case s.Exercise == nil || w == nil:
		return Open
	}
	r, _ := w.Record(s.Exercise.ID) // a damaged record counts as none
	switch {
	case !r.PassedAt.IsZero():
		return Passed
	case !w.Started(s.Exercise.ID):
		return Open
	case r.Attempts > 0:
		return Failed
	default:
		return Started
	}
}

// Record returns what is kept of an exercise: the zero Record before the first
// attempt. It fails when the file is there but can't be read.
func (w *Workspace) Record(id string) (Record, error) {
	var r Record
	_, err := w.readJSON(&r, "progress", id+".json")
	return r, err
}

// SaveReport keeps a report as the last of its exercise, and counts it unless
// it is ungraded, which is never the learner's doing.
func (w *Workspace) SaveReport(r *report.Report) error {
	unlock, err := w.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := w.writeJSON(r, "reports", r.Exercise+".json"); err != nil {
		return fmt.Errorf("save the report of %s: %w", r.Exercise, err)
	}
	if r.Verdict == report.Ungraded {
		return nil
	}
	rec, _ := w.Record(r.Exercise) // a damaged record begins anew
	rec.Attempts++
	rec.Last, rec.LastAt = r.Verdict, r.Started
	if r.Verdict == report.Passed && rec.PassedAt.IsZero() {
		rec.PassedAt = r.Started
	}
	if err := w.writeJSON(rec, "progress", r.Exercise+".json"); err != nil {
		return fmt.Errorf("save the progress of %s: %w", r.Exercise, err)
	}
	return nil
}

// LastReport returns the report of the last grade, nil when there was none. It
// fails when the file is there but can't be read.
func (w *Workspace) LastReport(id string) (*report.Report, error) {
	var r report.Report
	found, err := w.readJSON(&r, "reports", id+".json")
	if err != nil || !found {
		return nil, err
	}
	return &r, nil
}

// readJSON reads one of cairn's own files. It reports false when there is none.
func (w *Workspace) readJSON(v any, elem ...string) (bool, error) {
	name := w.path(elem...)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read what cairn kept: %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s is damaged (%w); it is written anew at the next grade", name, err)
	}
	return true, nil
}

// lock keeps two cairns from counting at the same time.
func (w *Workspace) lock() (unlock func(), err error) {
	name := w.path("lock")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, fmt.Errorf("lock the workspace: %w", err)
	}
	l := flock.New(name)
	if err := l.Lock(); err != nil {
		return nil, fmt.Errorf("lock the workspace: %w", err)
	}
	return func() { _ = l.Unlock() }, nil
}
