// Package grader examines a learner's program from outside: it takes a snapshot
// of the files, builds them, starts the binary beside real services, lets the
// examiner drive it, and reports what was seen.
package grader

import (
	"errors"
	"slices"
	"time"

	"github.com/cairn-learn/cairn/grader/build"
	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/services"
)

// The parts of a report, under the names used throughout.
type (
	Report  = report.Report
	Verdict = report.Verdict
	Check   = report.Check
)

// Exercise is what the grader needs to know of an exercise. Package exercises
// makes one from an exercise's folder.
type Exercise struct {
	ID       string
	Title    string
	Content  string            // hash of everything but the learner's files
	Edit     []string          // files that the learner writes, slash-separated, relative to the exercise's folder
	Given    map[string][]byte // files supplied at every grade, whatever the submission holds: program/main.go and the like
	Packages []string          // what programs of this exercise are likely to import; compiled ahead
	GoMod    []byte            // go.mod and go.sum of the workspace
	GoSum    []byte
	Fixture  *services.Fixture      // nil when no database is needed
	Redis    *services.RedisFixture // nil when no Redis is needed
	Kind     build.Kind             // what the learner writes; "" is a program
	Versions []build.Version        // of the package that tests are about, the given one first
	Exam     func(*exam.X)
	Limits   Limits
}

// Declare returns what the exercise's exam declares. Errors are those of
// exam.Declare, or that there is no exam.
func (e Exercise) Declare() (*exam.X, error) {
	switch {
	case e.Exam == nil:
		return nil, errors.New("there is no exam")
	case e.Kind == build.SQL && e.Fixture == nil:
		return nil, errors.New("SQL is examined in a database, and the exercise declares none")
	case e.Kind == build.Image && !slices.Contains(e.Edit, "Dockerfile"):
		return nil, errNoDockerfile
	case e.Kind == build.Tests && len(e.Versions) < 2:
		return nil, errors.New("tests are tried on versions of a package, and the exercise has none")
	}
	return exam.DeclareFor(e.Kind, e.Exam)
}

// Limits bound one grade. Zero means the default.
type Limits struct {
	Build time.Duration // compile time, default 120 s; of SQL, the time to apply it, default 10 s
	exam.Limits
}

// Submission is one request to grade.
type Submission struct {
	Exercise  Exercise
	Dir       string // folder with the starter's layout
	Seed      uint64 // 0 draws a fresh one; below 2^53
	KeepWorld bool   // after a failure, leave the services for a look
	Race      bool   // build with the race detector; a report of it fails the grade. SQL has no races of this kind
}

// Event is something that happened during a grade, in order. Exactly one field
// group is set, told apart by Kind.
type Event struct {
	Kind   EventKind
	At     time.Duration    // since the grade began
	Phase  report.PhaseName // PhaseStarted, PhaseEnded
	Took   time.Duration    // PhaseEnded
	Check  report.Check     // CheckListed (id and title only), CheckStarted, CheckEnded
	What   string           // Progress: "pulling postgres"; Repeated: why, one sentence without a full stop
	Done   int64            // Progress, in bytes; Total 0 is unknown
	Total  int64
	Report *Report // Finished

	Diagnostics []report.Diagnostic // Complained
}

// EventKind tells events apart.
type EventKind string

// The kinds of events. Every check is listed before the build begins, so that a
// screen can show the whole exam at once.
const (
	PhaseStarted EventKind = "phase_started"
	PhaseEnded   EventKind = "phase_ended"
	Complained   EventKind = "complained" // about the files; the report has the same, once the services are given back
	CheckListed  EventKind = "check_listed"
	CheckStarted EventKind = "check_started"
	CheckEnded   EventKind = "check_ended"
	Progress     EventKind = "progress"
	Repeated     EventKind = "repeated" // the examination begins again; what its checks said does not count
	Finished     EventKind = "finished"
)
