// Package progress is what cairn remembers of a learner: every attempt with its
// checks and its code, quiz answers, lessons read, the place in each of them,
// hints, and solutions looked at before a pass. Package sqlite keeps it.
package progress

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

// Attempt is one grade. An ungraded one is kept too, and never counts.
type Attempt struct {
	ID       int64 // given by the store; grows
	Exercise string
	Verdict  report.Verdict
	Seed     uint64
	Content  string // version of the exercise: report.Report.Content
	Code     string // hash of what was graded; "" when the files could not be taken
	Cairn    string // version of cairn that graded
	Started  time.Time
	Duration time.Duration // of all phases
	Imported bool          // from a workspace of an earlier cairn
	Passed   int           // checks that passed, of Total
	Total    int

	Checks []Check           // only from Store.Attempt
	Files  map[string][]byte // the learner's files as graded, by slash-separated name; only from Store.Attempt
	Report *report.Report    // the whole report; only from Store.Attempt
}

// Counts tells whether the attempt is one of the learner's.
func (a Attempt) Counts() bool { return a.Verdict != report.Ungraded }

// Check is the outcome of one check of an attempt.
type Check struct {
	ID, Title string
	Status    report.Status
	BlockedBy string
	Duration  time.Duration
}

// Record sums up all attempts at one exercise.
type Record struct {
	Attempts int            `json:"attempts"` // those that count
	Last     report.Verdict `json:"last"`     // of the last of them; "" when there was none
	LastAt   time.Time      `json:"last_at"`
	PassedAt time.Time      `json:"passed_at"` // when it was passed first; zero when never
}

// Done tells whether the exercise was ever passed.
func (r Record) Done() bool { return !r.PassedAt.IsZero() }

// QuizAnswer is one answer as it was given.
type QuizAnswer struct {
	Lesson   string // lesson id
	Question string // its id within the lesson's quiz
	Asked    string // lessons.Question.Hash, so that a changed question is told apart
	Chosen   []int  // by index, as chosen
	Correct  bool   // as it was judged then
	At       time.Time
}

// LessonRead says that the learner came to the end of a lesson.
type LessonRead struct {
	Lesson string
	At     time.Time
}

// Place is where the learner was last within a stone.
type Place struct {
	Lesson  string // lesson id
	Screen  string // "lesson", "quiz" or "exercise"
	Heading string // anchor of the heading, "" above the first
	Line    int    // lines below the heading, or the number of the question
	At      time.Time
}

// Hint is one rung of an exercise's hints that was shown. Rungs count from 1.
type Hint struct {
	Exercise string
	Rung     int
	At       time.Time
}

// GiveUp says that the learner asked for the solutions before a pass.
type GiveUp struct {
	Exercise string
	Content  string // version of the exercise
	At       time.Time
}

// Earlier is what a workspace of an earlier cairn kept of one exercise.
type Earlier struct {
	Exercise string
	Record   Record
	Last     *report.Report // nil: none
	Hints    int            // shown, from the first
}

// Event is a moment at which the learner did something: graded, answered, read.
type Event struct {
	Exercise string // or
	Lesson   string
	At       time.Time
}

// Store keeps it all. It is safe for concurrent use by several goroutines and
// by several cairns at once. When a method that saves returns nil, what it saved
// survives the end of cairn and of the machine; nothing is ever half saved.
//
// A zero At means now. Every method may wait for the store to open and for
// another cairn that writes. Errors are *LockedError, *NewerError,
// *UnwritableError or say what the file system said; see Opened.
type Store interface {
	// Opened waits until the store is open. Notices are sentences that the learner
	// should hear once, such as that a damaged store was put aside. An error is
	// that of every other method.
	Opened(ctx context.Context) (notices []string, err error)

	// SaveAttempt keeps an attempt with its report, checks and files, and returns
	// its id. ID, Passed, Total and Checks are taken from the report when there is one.
	SaveAttempt(ctx context.Context, a Attempt) (id int64, err error)
	// Attempts lists attempts, the newest first; "" lists those of every exercise.
	Attempts(ctx context.Context, exercise string) ([]Attempt, error)
	// Attempt returns one attempt whole, or a *NoAttemptError.
	Attempt(ctx context.Context, id int64) (Attempt, error)
	// LastReport returns the report of the newest attempt, ungraded ones too; nil
	// when there is none.
	LastReport(ctx context.Context, exercise string) (*report.Report, error)
	// FirstPass returns the first passed attempt at every exercise that has one,
	// by exercise.
	FirstPass(ctx context.Context) (map[string]Attempt, error)
	// Records sums up every exercise that was ever attempted, by exercise.
	Records(ctx context.Context) (map[string]Record, error)

	SaveAnswer(ctx context.Context, a QuizAnswer) error
	// Answers returns every answer to a lesson's quiz in the order given; "" means
	// all lessons.
	Answers(ctx context.Context, lesson string) ([]QuizAnswer, error)

	SaveRead(ctx context.Context, r LessonRead) error
	// Read returns when each lesson was first read to its end, by lesson.
	Read(ctx context.Context) (map[string]time.Time, error)

	SavePlace(ctx context.Context, p Place) error
	// Place returns the place in a lesson, "" the newest of all. It reports false
	// when there is none.
	Place(ctx context.Context, lesson string) (Place, bool, error)

	SaveHint(ctx context.Context, h Hint) error
	// Hints returns the highest rung shown, by exercise.
	Hints(ctx context.Context) (map[string]int, error)

	SaveGiveUp(ctx context.Context, g GiveUp) error
	// GaveUp returns when the learner first gave up, by exercise.
	GaveUp(ctx context.Context) (map[string]time.Time, error)

	// Import keeps what a workspace of an earlier cairn knew. It does so once per
	// folder, and reports false when that was done before.
	Import(ctx context.Context, folder string, all []Earlier) (bool, error)

	// Events returns every moment at which something was saved, in order.
	Events(ctx context.Context) ([]Event, error)

	Close() error
}

// ErrClosed is the error of a store that was closed.
var ErrClosed = errors.New("the progress store is closed")

// LockedError says that another cairn holds the store.
type LockedError struct {
	Path string
	Why  string // what the other one does, or is in the way of
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("your progress (%s) is in use: %s; try again when that cairn has ended", e.Path, e.Why)
}

// NewerError says that the store was made by a newer cairn.
type NewerError struct {
	Path        string
	Have, Known int // versions of the form
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("your progress (%s) was written by a newer cairn (version %d; this one knows %d) and is left alone: upgrade cairn", e.Path, e.Have, e.Known)
}

// UnwritableError says that nothing can be saved.
type UnwritableError struct {
	Path string
	Err  error
}

func (e *UnwritableError) Error() string {
	return fmt.Sprintf("nothing can be written to %s (%v), so progress is not remembered", e.Path, e.Err)
}

func (e *UnwritableError) Unwrap() error { return e.Err }

// NoAttemptError says that there is no attempt of that id.
type NoAttemptError struct{ ID int64 }

func (e *NoAttemptError) Error() string { return fmt.Sprintf("there is no attempt %d", e.ID) }
