// Package build turns a learner's folder into a program: it takes a snapshot of
// the files, refuses what may not be submitted, and compiles the rest in a clean
// environment.
package build

import (
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

// Request says what to build, and from what.
type Request struct {
	ID         string            // exercise id = folder = package
	Dir        string            // the learner's folder
	Edit       []string          // files that the learner must have written, slash-separated
	Given      map[string][]byte // files supplied whatever the folder holds: program/main.go
	GoMod      []byte            // go.mod and go.sum of the workspace
	GoSum      []byte
	ScratchDir string        // existing folder for temporary files
	Timeout    time.Duration // of the compiler; default 120 s
	Race       bool          // with the race detector, and so with cgo
}

// Snapshot is the learner's files as they were at one moment, given files
// included.
type Snapshot struct {
	Files map[string][]byte
	Hash  string // hex SHA-256 over names and contents
}

// Binary is a compiled program.
type Binary struct {
	Path   string
	remove func()
}

// Close deletes the program's file.
func (b *Binary) Close() { b.remove() }

// RefusedError says that the submission holds what may not be submitted.
type RefusedError struct{ Diagnostics []report.Diagnostic }

func (e *RefusedError) Error() string { return firstMessage(e.Diagnostics, "the submission was refused") }

// CompileError says that the submission does not compile.
type CompileError struct{ Diagnostics []report.Diagnostic }

func (e *CompileError) Error() string { return firstMessage(e.Diagnostics, "the program does not compile") }

func firstMessage(ds []report.Diagnostic, otherwise string) string {
	if len(ds) == 0 {
		return otherwise
	}
	return ds[0].File + ": " + ds[0].Message
}

// LimitError says that compiling took more than it may.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return e.What }

// TroubleError is cairn's own trouble, not the learner's: what happened, and the
// one thing to do.
type TroubleError struct {
	What, Do string
	Err      error
}

func (e *TroubleError) Error() string { return e.What + ": " + e.Do }

func (e *TroubleError) Unwrap() error { return e.Err }
