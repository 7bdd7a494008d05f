// Package doctor looks at everything cairn stands on (Go, the modules of the
// exercises, Docker and its images, disks, editor, terminal, folders) and says
// for each fault the one thing to do.
package doctor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/services"
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
	Do     string `json:"do,omitempty"` // the one thing to do; never empty for a warning or a fault, seldom there otherwise
}

// Subject is what is examined.
type Subject struct {
	GoMod, GoSum []byte                                           // of the learner's module
	Dir          string                                           // the folder the learner stands in
	Workspace    func() (root string, err error)                  // "" when the folder is in none
	Settings     func() (file string, err error)                  // "" when nothing has been set
	Limits       func() process.Keeper                            // what keeps programs to their limits
	Editor       string                                           // the editor of the settings, or ""
	Folders      []Folder                                         // what cairn writes to
	Host         func(context.Context) (services.HostInfo, error) // what servers run in
	Deadline     time.Duration                                    // for each check; default 15 s
	Each         func(Result)                                     // gets every result as it comes, one call at a time; may be nil
}

// Folder is a place that cairn writes to.
type Folder struct {
	Name string // "state"
	Path string
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
	host := &hostOnce{ask: s.Host}
	checks := []check{
		{"go", "Go", s.checkGo},
		{"modules", "Modules", s.checkModules},
		{"engine", "Docker", host.check},
		{"images", "Images", host.checkImages},
		{"limits", "Limits", s.checkLimits},
		{"disk", "Disk space", func(ctx context.Context) finding { return s.checkDisk(ctx, host) }},
		{"folders", "Folders", s.checkFolders},
		{"editor", "Editor", s.checkEditor},
		{"terminal", "Terminal", checkTerminal},
		{"settings", "Settings", s.checkSettings},
		{"workspace", "Workspace", s.checkWorkspace},
	}
	results := make([]Result, len(checks))
	var all sync.WaitGroup
	var telling sync.Mutex
	for i, c := range checks {
		all.Go(func() {
			results[i] = c.within(ctx, s.Deadline)
			if s.Each != nil {
				telling.Lock()
				defer telling.Unlock()
				s.Each(results[i])
			}
		})
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
