package grader

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

const (
	// wake is how often each processor is looked at.
	wake = 50 * time.Millisecond
	// usual is how late a thread wakes on a machine that is merely at work.
	usual = 20 * time.Millisecond
	// tooLate is how long a processor may be away within two seconds. Promises that
	// exams hold a program to are of seconds, and exams grant at least this much more.
	tooLate = 250 * time.Millisecond
)

// awayError says that a failed examination may not be the program's fault.
type awayError struct{ away time.Duration }

func (e *awayError) Error() string {
	return fmt.Sprintf("this machine was too busy: a processor was away for %s while checks kept time", report.Took(e.away.Round(time.Millisecond)))
}

// latency adds up how late one thread woke.
type latency struct {
	second        time.Duration // the one that is being added up
	within, prior time.Duration // in it, and in the one before
	worst         time.Duration // of any two in a row
}

// add counts a thread that woke late, at a time since the watch began.
func (l *latency) add(at, late time.Duration) {
	if late < usual {
		return
	}
	switch second := at.Truncate(time.Second); second - l.second {
	case 0:
	case time.Second:
		l.second, l.prior, l.within = second, l.within, 0
	default:
		l.second, l.prior, l.within = second, 0, 0
	}
	l.within += late
	l.worst = max(l.worst, l.prior+l.within)
}

// watch is replaced by a test, which cannot keep others from a processor.
var watch = watchProcessors

// watchProcessors has a thread on each processor wake again and again until end is
// called, which returns for how long one of them was away at most within two seconds.
// A processor that the host of a virtual machine has taken away is noticed by nothing
// that runs on another one; and what a thread waits for on a busy one, a program waits
// for too.
func watchProcessors() (end func() time.Duration) {
	began, stop := time.Now(), make(chan struct{})
	all := processors()
	kept := make([]latency, len(all))
	var threads sync.WaitGroup
	for i, n := range all {
		threads.Go(func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
			pin(n)
			tick := time.NewTimer(wake)
			defer tick.Stop()
			for stopped := false; !stopped; {
				from := time.Now()
				tick.Reset(wake)
				select {
				case <-tick.C:
				case <-stop:
					stopped = true
				}
				now := time.Now()
				kept[i].add(now.Sub(began), now.Sub(from)-wake)
			}
		})
	}
	return func() (away time.Duration) {
		close(stop)
		threads.Wait()
		for _, l := range kept {
			away = max(away, l.worst)
		}
		return away
	}
}
