// Package doctor looks at everything cairn stands on (Go, the modules of the
// exercises, Docker and its images, disks, editor, terminal, folders) and says
// for each fault the one thing to do.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Status is how a check came out.
type Status string

// A warning is an inconvenience; with a fault some part of cairn cannot work.
const (
	OK    Status = "ok"
	Warn  Status = "warn"
	Fault Status = "fault"
)

// Result is the outcome of one check.
type Result struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Status Status `json:"status"`
	Saw    string `json:"saw"`          // what is there, one sentence without a full stop
	Do     string `json:"do,omitempty"` // the one thing to do; never empty for a warning or a fault
}

// Subject is what is examined.
type Subject struct {
	GoMod, GoSum []byte // of the learner's module
	Dir          string // the folder the learner stands in
	Workspace    func() (root string, err error)
	NoWorkspace  error    // what Workspace returns (wrapped) where there is none: a warning, not a fault
	Folders      []Folder // what cairn writes to
	Engine       Engine
	Deadline     time.Duration // for each check; default 15 s
}

// Folder is a place that cairn writes to.
type Folder struct {
	Name string // "state"
	Path string
}

// Engine looks at the container engine. It blocks at most until ctx ends.
type Engine interface {
	// Engine says which engine answers. Its error is best a *Trouble.
	Engine(ctx context.Context) (EngineInfo, error)
}

// EngineInfo is what an engine says of itself.
type EngineInfo struct {
	Name    string  // "Docker 20.10.24 (API 1.41)"
	Root    string  // where it keeps its data; "" when not on this machine
	Images  []Image // those that cairn uses
	Servers int     // warm servers that run now
}

// Image is an image that cairn starts servers from.
type Image struct {
	Name    string
	Present bool
}

// finding is a result without the name of its check.
type finding struct {
	status  Status
	saw, do string
}

func fine(format string, args ...any) finding {
	return finding{status: OK, saw: fmt.Sprintf(format, args...)}
}

func warn(do, format string, args ...any) finding {
	return finding{Warn, fmt.Sprintf(format, args...), do}
}

func fault(do, format string, args ...any) finding {
	return finding{Fault, fmt.Sprintf(format, args...), do}
}

// Trouble is an error that knows what to do about itself.
type Trouble struct {
	Saw, Do string
}

func (t *Trouble) Error() string { return t.Saw + ": " + t.Do }

// trouble is the fault that an error tells of; do is for one that does not know.
func trouble(err error, do string) finding {
	var t *Trouble
	if errors.As(err, &t) && t.Do != "" {
		return fault(t.Do, "%s", t.Saw)
	}
	return fault(do, "%s", firstLine(err))
}

type check struct {
	id, title string
	run       func(context.Context) finding
}

// Examine runs all checks side by side and returns their results in a fixed
// order. A check that does not come back in time is a fault of its own; none
// keeps Examine waiting longer than its deadline.
func Examine(ctx context.Context, s Subject) []Result {
	if s.Deadline <= 0 {
		s.Deadline = 15 * time.Second
	}
	engine := &engineOnce{engine: s.Engine}
	checks := []check{
		{"go", "Go", s.checkGo},
		{"modules", "Modules", s.checkModules},
		{"engine", "Docker", engine.check},
		{"images", "Images", engine.checkImages},
		{"disk", "Disk space", func(ctx context.Context) finding { return s.checkDisk(ctx, engine) }},
		{"folders", "Folders", s.checkFolders},
		{"editor", "Editor", checkEditor},
		{"terminal", "Terminal", checkTerminal},
		{"workspace", "Workspace", s.checkWorkspace},
	}
	results := make([]Result, len(checks))
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() { results[i] = c.within(ctx, s.Deadline) })
	}
	all.Wait()
	return results
}

// within runs the check, and gives up on it when the deadline has passed: the
// check may hang in a system call on a dead network disk.
func (c check) within(ctx context.Context, deadline time.Duration) Result {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	done := make(chan finding, 1)
	go func() { done <- c.run(ctx) }()
	var f finding
	select {
	case f = <-done:
	case <-ctx.Done():
		select {
		case f = <-done: // it noticed the deadline itself and says more
		case <-time.After(500 * time.Millisecond):
			f = fault("Run cairn doctor again; if it stays so, restart what this check looks at.", "no answer within %s", deadline)
		}
	}
	return Result{ID: c.id, Title: c.title, Status: f.status, Saw: f.saw, Do: f.do}
}

// Sick tells whether any of the results is a fault.
func Sick(results []Result) bool {
	for _, r := range results {
		if r.Status == Fault {
			return true
		}
	}
	return false
}
