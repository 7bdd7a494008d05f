package workspace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/internal/progress"
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
	Read      State = "read" // to its end; there is no exercise to pass
)

// Done tells whether nothing is left to do.
func (s State) Done() bool { return s == Passed || s == Read }

// Known is what is remembered of a learner, as far as states go by it.
type Known struct {
	Records map[string]Record    // by exercise
	Read    map[string]time.Time // when a lesson or page was read to its end, by id
}

// Record is what is remembered of all attempts at an exercise.
type Record = progress.Record

// KeepProgress gives the workspace a store, in which it keeps what the learner does
// from now on. What an earlier cairn kept in the folder itself is moved there
// first; an error is about that, and the workspace can be used all the same.
func (w *Workspace) KeepProgress(store progress.Store) error {
	w.store = store
	if store == nil {
		return nil
	}
	return w.importEarlier(context.Background())
}

// Progress returns the workspace's store; nil before KeepProgress.
func (w *Workspace) Progress() progress.Store {
	if w == nil {
		return nil
	}
	return w.store
}

// Records sums up every exercise that was attempted, by id. Without a store it
// knows none.
func (w *Workspace) Records() (map[string]Record, error) {
	if w.Progress() == nil {
		return nil, nil
	}
	return w.store.Records(context.Background())
}

// State returns the state of a stone by what is remembered. A nil workspace knows
// no files.
func (w *Workspace) State(s *road.Stone, known Known) State {
	switch {
	case !s.Lesson.Written:
		return Unwritten
	case s.Exercise == nil && !known.Read[s.Lesson.ID].IsZero():
		return Read
	case s.Exercise == nil:
		return Open
	}
	r := known.Records[s.Exercise.ID]
	switch {
	case r.Done():
		return Passed
	case w != nil && !w.Started(s.Exercise.ID):
		return Open
	case r.Attempts > 0:
		return Failed
	case w == nil:
		return Open
	default:
		return Started
	}
}

// StateOf returns the state of one stone. What can't be read counts as nothing.
func (w *Workspace) StateOf(s *road.Stone) State {
	records, _ := w.Records()
	known := Known{Records: records}
	if s.Exercise == nil && w.Progress() != nil {
		known.Read, _ = w.store.Read(context.Background())
	}
	return w.State(s, known)
}

// Record returns what is remembered of an exercise: the zero Record before the
// first attempt.
func (w *Workspace) Record(id string) (Record, error) {
	records, err := w.Records()
	return records[id], err
}

// SaveReport keeps a report as an attempt, with its files. An ungraded one is
// never the learner's doing and does not count.
func (w *Workspace) SaveReport(r *report.Report) error {
	if w.store == nil {
		return errors.New("there is no store to keep it in")
	}
	if _, err := w.store.SaveAttempt(context.Background(), progress.Of(r)); err != nil {
		return err
	}
	return nil
}

// LastReport returns the report of the last grade, nil when there was none.
func (w *Workspace) LastReport(id string) (*report.Report, error) {
	if w.store == nil {
		return nil, nil
	}
	return w.store.LastReport(context.Background(), id)
}

// HintsSeen returns how many hints of an exercise the learner has seen. What
// can't be read counts as none.
func (w *Workspace) HintsSeen(id string) int {
	if w.store == nil {
		return 0
	}
	seen, _ := w.store.Hints(context.Background())
	return seen[id]
}

// SawHint remembers that the learner has seen an exercise's hints up to n,
// counted from 1.
func (w *Workspace) SawHint(id string, n int) error {
	if w.store == nil {
		return errors.New("there is no store to remember the hint in")
	}
	if err := w.store.SaveHint(context.Background(), progress.Hint{Exercise: id, Rung: n}); err != nil {
		return fmt.Errorf("remember the hints of %s: %w", id, err)
	}
	return nil
}
