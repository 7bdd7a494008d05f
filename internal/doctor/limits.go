package doctor

import (
	"context"
	"os"

	"github.com/cairn-learn/cairn/grader/process"
)

// checkLimits tells what keeps programs to their limits of memory and processes.
// Any of it will do on a learner's machine, so none is a fault.
func (s Subject) checkLimits(context.Context) finding {
	k := s.Limits()
	switch k.By {
	case process.ByGroupV1, process.ByGroupV2:
		return fine("a control group for each program (%s), in %s", k.By, k.Where)
	case process.ByNobody:
		return fine("nothing keeps memory and processes within limits on this system")
	}
	f := fine("a watcher, which looks every 50 ms: %s", k.Why)
	if k.Give {
		f.do = "For limits that the kernel keeps, start it by " + delegating() + "."
	}
	return f
}

// delegating starts cairn in a control group that systemd leaves to it.
func delegating() string {
	if os.Geteuid() == 0 {
		return "systemd-run --scope -p Delegate=yes cairn"
	}
	return "systemd-run --user --scope -p Delegate=yes cairn"
}
