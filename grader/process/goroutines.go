package process

import (
	"context"
	"strings"
	"syscall"
	"time"
)

const (
	// dumpPatience is how long a program may take to write its goroutines out.
	dumpPatience = time.Second
	// dumpRoom is how much it may print for that beyond its output limit.
	dumpRoom = 1 << 20
	// dumpHeader begins the dump of a Go program that got SIGQUIT.
	dumpHeader = "SIGQUIT: quit"
)

// Goroutines ends the program with SIGQUIT and returns the goroutine dump that
// it left, empty when it left none. It waits a second at most, then kills the
// tree; afterwards nothing of it is left. LearnerTrace makes the dump readable.
func (p *Process) Goroutines(ctx context.Context) string {
	p.output.allow(dumpRoom)
	if p.Signal(syscall.SIGQUIT) == nil {
		timer := time.NewTimer(dumpPatience)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	p.Kill()
	all := p.Output()
	if at := strings.LastIndex(all, dumpHeader); at >= 0 {
		return all[at:]
	}
	return ""
}
