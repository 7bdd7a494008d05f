// Package build turns a learner's folder into a binary: it takes a snapshot of
// the files, refuses what may not be submitted, and compiles the rest beside the
// files that the exercise gives, in a clean environment. Where the files are SQL,
// it applies them to a database instead; where they are tests, it compiles them
// against versions of a package. What is wrong comes back as diagnostics
// in the learner's terms.
package build

import (
	"fmt"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

// Module is the module path of a learner's workspace: exercise <id> is its
// package <Module>/<id>.
const Module = "github.com/cairn-learn/cairn/exercises"

// Kind is what a submission is, and so what becomes of its files.
type Kind string

// The kinds. Of the last three there is no program of the learner's to start: tests are compiled
// against versions of a package, and the files of the others are read as they are.
const (
	Program  Kind = "program"  // a package in Go, examined from outside as a process
	SQL      Kind = "sql"      // files of SQL, applied to a database
	Tests    Kind = "tests"    // tests in Go of a package that is given
	Image    Kind = "image"    // a Dockerfile
	Workflow Kind = "workflow" // a workflow of GitHub Actions
)

// Compiled tells whether a program comes of the files.
func (k Kind) Compiled() bool { return k == Program || k == "" }

// listed tells whether the submission is the files that the exercise names, and no other.
func (k Kind) listed() bool { return k == SQL || k == Image || k == Workflow }

// Defaults of a Request.
const (
	DefaultTimeout     = 120 * time.Second
	DefaultMemoryLimit = 2 << 30
)

// Request says what to build.
type Request struct {
	ID    string            // exercise id: its folder in the module and its package's name
	Dir   string            // the learner's folder of this exercise
	Edit  []string          // files that the learner writes, slash-separated, relative to Dir; they must be there
	Given map[string][]byte // files supplied at every grade instead of the learner's, program/main.go among them

	GoMod, GoSum []byte // of the workspace; those of the learner are never used

	CacheDir    string        // where binaries are put; empty is the folder for temporary files
	Timeout     time.Duration // of Compile, 0 means 120 s; of Apply, 0 means 10 s
	MemoryLimit int64         // of Compile, bytes of all its processes; 0 means 2 GiB
	Race        bool          // build with the race detector, which needs cgo and a C compiler
	Yield       bool          // leave the processors to others who want them while compiling

	Kind Kind // what the files are; "" is a program

	test bool // compile tests, in place of a program
}

// RefusedError says that files may not be submitted as they are.
type RefusedError struct{ Diagnostics []report.Diagnostic }

func (e *RefusedError) Error() string { return "submission refused: " + summary(e.Diagnostics) }

// CompileError says that the program does not compile.
type CompileError struct{ Diagnostics []report.Diagnostic }

func (e *CompileError) Error() string { return "does not compile: " + summary(e.Diagnostics) }

// ApplyError says that PostgreSQL refused the learner's SQL.
type ApplyError struct{ Diagnostics []report.Diagnostic }

func (e *ApplyError) Error() string { return "does not apply: " + summary(e.Diagnostics) }

// ParseError says that a file that is no program cannot be read as what it has to be.
type ParseError struct {
	What        string // one sentence without a full stop: "Docker cannot read the Dockerfile"
	Diagnostics []report.Diagnostic
}

func (e *ParseError) Error() string { return e.What + ": " + summary(e.Diagnostics) }

// LimitError says that compiling or applying took more than it may.
type LimitError struct{ What string } // "compiling took longer than 2m0s"

func (e *LimitError) Error() string { return e.What }

// TroubleError says that nothing can be compiled here and now, which is not the
// learner's doing.
type TroubleError struct {
	What string // what is wrong, one sentence
	Do   string // the one thing to do about it
	Err  error  // may be nil
}

func (e *TroubleError) Error() string {
	text := e.What
	if e.Do != "" {
		text += " (" + e.Do + ")"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *TroubleError) Unwrap() error { return e.Err }

func summary(all []report.Diagnostic) string {
	var lines []string
	for _, d := range all {
		place := d.File
		if d.Line > 0 {
			place = fmt.Sprintf("%s:%d", d.File, d.Line)
		}
		lines = append(lines, place+": "+d.Message)
	}
	return strings.Join(lines, "; ")
}
