// Package report holds what a grade found out: the verdict, every check with
// its feedback, and the evidence behind it. It is plain data with a stable JSON
// form, so that the terminal, a script and a classroom read the same thing.
package report

import "time"

// Version is the version of the JSON form. It grows when a field changes its
// meaning or disappears; new fields do not change it.
const Version = 1

// Verdict is the outcome of a whole grade.
type Verdict string

// The verdicts. Ungraded is cairn's own trouble and never the learner's.
const (
	Passed   Verdict = "passed"
	Failed   Verdict = "failed"
	Broken   Verdict = "broken"   // does not compile or apply, or may not be submitted
	Limit    Verdict = "limit"    // time, memory or output ran out
	Ungraded Verdict = "ungraded" // no engine, no image, disk full
)

// Status is the outcome of one check.
type Status string

// The statuses. A blocked check did not run because one it comes after failed.
const (
	CheckPassed  Status = "passed"
	CheckFailed  Status = "failed"
	CheckBlocked Status = "blocked"
)

// Report is the result of one grade.
type Report struct {
	Version     int          `json:"version"`
	Cairn       string       `json:"cairn"`    // version of cairn that graded
	Exercise    string       `json:"exercise"` // exercise id
	Title       string       `json:"title"`
	Content     string       `json:"content"` // hash of task, given files and exam manifest
	Code        string       `json:"code"`    // hash of the graded snapshot
	Seed        uint64       `json:"seed"`    // below 2^53; --seed replays it
	Started     time.Time    `json:"started"`
	Verdict     Verdict      `json:"verdict"`
	Reason      string       `json:"reason,omitempty"` // one sentence, when the checks alone do not tell
	Next        string       `json:"next,omitempty"`   // the one thing to do
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
	Phases      []Phase      `json:"phases"`
	Checks      []Check      `json:"checks"`
	Log         string       `json:"log,omitempty"`   // end of what the program printed, made safe to show
	World       *World       `json:"world,omitempty"` // the database that was kept
	Redis       *World       `json:"redis,omitempty"` // the Redis server that was kept

	// Files are the learner's files as graded, without the given ones; nil when
	// they could not be taken. They are no part of the JSON form.
	Files map[string][]byte `json:"-"`
}

// Diagnostic is one complaint about the learner's files, most often from the
// compiler. Line and Col count from 1; 0 means unknown.
type Diagnostic struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Col     int    `json:"col,omitempty"`
	Message string `json:"message"`
	Source  string `json:"source,omitempty"`   // the line of code
	MarkAt  int    `json:"mark_at,omitempty"`  // cells of Source before the place
	MarkLen int    `json:"mark_len,omitempty"` // cells that the place takes; 0 when it is not known
	Help    string `json:"help,omitempty"`     // one sentence for common mistakes
}

// Phase is one stage of a grade and how long it took.
type Phase struct {
	Name     PhaseName     `json:"name"`
	Duration time.Duration `json:"duration_ns"`
}

// PhaseName names a stage of a grade.
type PhaseName string

// The phases, in order.
const (
	PhaseSnapshot PhaseName = "snapshot"
	PhaseBuild    PhaseName = "build"
	PhaseServices PhaseName = "services"
	PhaseApply    PhaseName = "apply" // of SQL, in place of build and start
	PhaseParse    PhaseName = "parse" // of a file that is no program, in place of both
	PhaseStart    PhaseName = "start"
	PhaseExamine  PhaseName = "examine"
	PhaseReport   PhaseName = "report"
)

// Check is the outcome of one thing examined.
type Check struct {
	ID        string        `json:"id"`
	Title     string        `json:"title"`
	Status    Status        `json:"status"`
	BlockedBy string        `json:"blocked_by,omitempty"`
	Duration  time.Duration `json:"duration_ns"`
	Feedback  *Feedback     `json:"feedback,omitempty"` // only when failed
	Timeline  []Entry       `json:"timeline,omitempty"`
}

// Feedback says why a check failed, in one form for every exercise.
type Feedback struct {
	Did      string `json:"did"`
	Expected string `json:"expected"`
	Saw      string `json:"saw"`
	Why      string `json:"why,omitempty"`    // why it matters in production
	Read     string `json:"read,omitempty"`   // lesson#heading
	Detail   string `json:"detail,omitempty"` // longer text: a trace, a goroutine dump, a diff
}

// Kind tells where an entry of the timeline comes from.
type Kind string

// The kinds of evidence.
const (
	KindHTTP     Kind = "http"
	KindSQL      Kind = "sql"
	KindRedis    Kind = "redis"
	KindUpstream Kind = "upstream" // what the program asked of a service that the examiner plays
	KindLog      Kind = "log"
	KindProgram  Kind = "program" // started, signalled, exited
	KindFault    Kind = "fault"   // something the examiner did to the services
	KindNote     Kind = "note"
)

// Entry is one line of evidence. All text in it is safe to show in a terminal.
type Entry struct {
	At       time.Duration `json:"at_ns"` // since the check began
	Duration time.Duration `json:"duration_ns,omitempty"`
	Kind     Kind          `json:"kind"`
	Actor    string        `json:"actor"`            // "client A", "instance 1 · session 3"
	Text     string        `json:"text"`             // "POST /accounts/7/withdraw {"amount":30}"
	Result   string        `json:"result,omitempty"` // "409 {"error":…}", "1 row: 100", "ERROR 40001 …"
	Failed   bool          `json:"failed,omitempty"`
}

// World is a service as the grade left it, kept after a failure.
type World struct {
	Service string `json:"service"` // "postgres", "redis"
	Name    string `json:"name"`
	URL     string `json:"url"`
}

// Worlds returns the services that were kept, the database first.
func (r *Report) Worlds() []World {
	var all []World
	for _, w := range []*World{r.World, r.Redis} {
		if w != nil {
			all = append(all, *w)
		}
	}
	return all
}

// Check returns the check with the given id, or nil.
func (r *Report) Check(id string) *Check {
	for i := range r.Checks {
		if r.Checks[i].ID == id {
			return &r.Checks[i]
		}
	}
	return nil
}

// FirstFailed returns the first failed check, or nil.
func (r *Report) FirstFailed() *Check {
	for i := range r.Checks {
		if r.Checks[i].Status == CheckFailed {
			return &r.Checks[i]
		}
	}
	return nil
}

// Count returns how many checks passed, and how many there are.
func (r *Report) Count() (passed, total int) {
	for _, c := range r.Checks {
		if c.Status == CheckPassed {
			passed++
		}
	}
	return passed, len(r.Checks)
}

// ExitStatus is the exit status of `cairn grade` for this report: 0 passed,
// 1 failed, broken or limit, 3 ungraded. (2 is a usage error and has no report.)
func (r *Report) ExitStatus() int {
	switch r.Verdict {
	case Passed:
		return 0
	case Ungraded:
		return 3
	default:
		return 1
	}
}
