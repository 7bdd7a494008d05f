package exam

import (
	"fmt"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/wire"
)

// faults are those that the connections to any service can suffer. Every fault
// ends with the check.
type faults struct {
	c       *C
	service string
	wires   []proxy
}

// proxy is what the proxies of all services can do.
type proxy interface {
	Delay(time.Duration)
	Cut()
	Refuse(on bool)
	BlackHole(on bool)
	Slow(bytesPerSecond int)
	Heal()
	Bites() wire.FaultCounts
}

// endWithCheck ends every fault when the check has ended. Those of checks that
// run beside it, on other instances, stay.
func (f *faults) endWithCheck() {
	f.c.atEnd(func() {
		for _, p := range f.wires {
			p.Heal()
		}
	})
}

// record puts into the timeline what is about to be done.
func (f *faults) record(text string) {
	f.c.record(report.Entry{Kind: report.KindFault, Actor: "examiner", Text: text}, time.Now())
}

func (f *faults) each(text string, fn func(proxy)) {
	f.record(text)
	for _, p := range f.wires {
		fn(p)
	}
}

// Delay holds every request to the service for d.
func (f *faults) Delay(d time.Duration) {
	f.each(f.service+" answers "+d.String()+" later", func(p proxy) { p.Delay(d) })
}

// Cut closes every open connection to the service; new ones are accepted.
func (f *faults) Cut() {
	f.each("cut every connection to "+f.service, func(p proxy) { p.Cut() })
}

// Refuse turns new connections away while on.
func (f *faults) Refuse(on bool) {
	f.each(f.service+" refuses new connections: "+onOff(on), func(p proxy) { p.Refuse(on) })
}

// BlackHole swallows everything in both directions while on.
func (f *faults) BlackHole(on bool) {
	f.each(f.service+" swallows everything: "+onOff(on), func(p proxy) { p.BlackHole(on) })
}

// Slow lets answers trickle at so many bytes per second; 0 ends it.
func (f *faults) Slow(bytesPerSecond int) {
	f.each(fmt.Sprintf("%s answers at %d bytes per second", f.service, bytesPerSecond),
		func(p proxy) { p.Slow(bytesPerSecond) })
}

// Heal ends every fault.
func (f *faults) Heal() {
	f.each(f.service+" is well again", func(p proxy) { p.Heal() })
}

// Bites returns how often faults took effect, so that a check can make sure
// that they did.
func (f *faults) Bites() []wire.FaultCounts {
	var counts []wire.FaultCounts
	for _, p := range f.wires {
		counts = append(counts, p.Bites())
	}
	return counts
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
