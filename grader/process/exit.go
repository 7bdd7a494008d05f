package process

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Reason tells why a program ended.
type Reason string

// The reasons. A program that passed a limit was killed for it.
const (
	Exited       Reason = "exited"        // by itself, with Code
	Signalled    Reason = "signalled"     // by Signal, which cairn did not send as a kill
	Killed       Reason = "killed"        // by Kill, or because the context was done
	OutputLimit  Reason = "output_limit"  // printed too much
	MemoryLimit  Reason = "memory_limit"  // the tree used too much memory
	ProcessLimit Reason = "process_limit" // the tree had too many processes
	TaskLimit    Reason = "task_limit"    // the tree had too many processes and threads together
)

// Exit is how a program ended.
type Exit struct {
	Code   int    // exit status; -1 when a signal ended it
	Signal string // "SIGSEGV"; empty when it exited by itself
	Reason Reason
	At     time.Time
}

// String says it in words: "exited with status 2", "was ended by SIGSEGV".
func (e Exit) String() string {
	switch e.Reason {
	case OutputLimit:
		return "was stopped because it printed too much"
	case MemoryLimit:
		return "was stopped because it used too much memory"
	case ProcessLimit:
		return "was stopped because it started too many processes"
	case TaskLimit:
		return "was stopped because it had too many processes and threads"
	case Killed:
		return "was stopped by cairn"
	case Signalled:
		return "was ended by " + e.Signal
	default:
		return fmt.Sprintf("exited with status %d", e.Code)
	}
}

// status is the wait status of the program as the supervisor tells it.
type status struct {
	Code   int
	Signal int
	at     time.Time
}

// exitOf settles the reason: a limit outweighs everything; a kill counts only
// when it is what ended the program. No status means that the supervisor was
// killed, which takes the program with it.
func exitOf(s *status, limit Reason, killed bool) Exit {
	if s == nil {
		s = &status{Code: -1, Signal: int(syscall.SIGKILL), at: time.Now()}
	}
	e := Exit{Code: s.Code, Reason: Exited, At: s.at}
	if s.Signal != 0 {
		e.Signal = unix.SignalName(syscall.Signal(s.Signal))
		if e.Signal == "" {
			e.Signal = fmt.Sprintf("signal %d", s.Signal)
		}
		e.Reason = Signalled
		if killed && syscall.Signal(s.Signal) == syscall.SIGKILL {
			e.Reason = Killed
		}
	}
	if limit != "" {
		e.Reason = limit
	}
	return e
}
