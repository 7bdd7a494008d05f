package exam

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// sign is what /readyz showed between the signal and the closed door.
type sign struct {
	flipped bool          // 503 was seen
	closed  time.Duration // when a connection was refused before that, after the signal; 0 for never
	last    time.Duration // when 200 was seen for the last time, after the signal
}

// watchSign asks for /readyz over new connections until it says 503 or nobody
// listens any more.
func (o *office) watchSign() (s sign) {
	o.awaitFor(stopTimeout+grace, func() bool {
		r, err := o.fresh.Try(http.MethodGet, "/readyz", nil)
		switch {
		case err == nil && r.Status == http.StatusServiceUnavailable:
			s.flipped = true
		case err == nil && r.Status == http.StatusOK:
			s.last = o.since()
		case errors.Is(err, syscall.ECONNREFUSED):
			s.closed = o.since()
		}
		return s.flipped || s.closed > 0
	})
	return s
}

// missed tells whether the examiner, on a busy machine, looked too rarely to say
// that there was no sign.
func (s sign) missed() bool { return !s.flipped && s.closed >= drainDelay && s.last < drainDelay/2 }

// flipReadiness watches /readyz from the signal on: 503 must come, and it must
// come before the first connection is refused.
func flipReadiness(c *exam.C) {
	o := opened(c, forReady)
	o.signal(syscall.SIGTERM)
	s := o.watchSign()
	for range 3 {
		if !s.missed() {
			break
		}
		o.in.Restart()
		o = opened(c, forReady)
		o.signal(syscall.SIGTERM)
		s = o.watchSign()
	}
	f := exam.Finding{
		Did:      "SIGTERM, then GET /readyz over a new connection, again and again",
		Expected: fmt.Sprintf("503 soon after the signal; connections are refused only when the drain delay of %s is over", drainDelay),
	}
	switch {
	case s.closed > 0 && s.closed < drainDelay:
		f.Saw = "connections were refused at once, and no answer had said 503 before: the listener was closed before anybody could see the sign"
		c.Fail(f)
	case !s.flipped:
		f.Saw = "200 as long as the program accepted connections, then refused: nobody was told in time"
		c.Fail(f)
	}
	r, err := o.fresh.Try(http.MethodGet, "/healthz", nil)
	if err != nil && o.since() >= drainDelay {
		return // the door is closed by now, as it should be
	}
	if err != nil || r.Status != http.StatusOK {
		c.Fail(exam.Finding{
			Did:      "SIGTERM, then GET /healthz while /readyz said 503",
			Expected: "200: the program is alive, it only takes no new traffic",
			Saw:      outcome(r, err),
			Why:      "/healthz decides whether the platform kills the program. One that calls itself dead while it finishes its work may not live to finish it.",
			Read:     lesson + "alive-is-not-ready",
		})
	}
}

// serveWhileDraining sends orders over new connections after the signal. What
// comes to an end before the drain delay is over must have been answered.
func serveWhileDraining(c *exam.C) {
	o := opened(c, forDrain)
	o.signal(syscall.SIGTERM)
	o.await(func() bool { return o.readiness() != http.StatusOK })
	var issued []int
	for {
		lines := order(c, 2)
		r, err := o.fresh.Try(http.MethodPost, "/invoices", lines)
		if after := o.since(); after >= drainDelay {
			break
		}
		f := exam.Finding{
			Did:      "SIGTERM, then POST /invoices over a new connection, before the drain delay was over",
			Expected: "201 with the invoice, as ever",
			Saw:      outcome(r, err),
		}
		if err == nil && r.Status == http.StatusServiceUnavailable {
			f.Saw += ". /readyz speaks to the load balancer; a caller who has been sent here gets served"
		}
		c.Require(err == nil && r.Status == http.StatusCreated, f)
		number, fault := invoice(r, lines)
		c.Require(fault == "", exam.Finding{Did: f.Did, Expected: f.Expected, Saw: fault + ": " + r.String()})
		issued = append(issued, number)
		time.Sleep(50 * time.Millisecond) // not a load test
	}
	o.exit(stopTimeout + grace)
	if fault := o.journal().missing(issued...); fault != "" {
		c.Fail(exam.Finding{Did: "SIGTERM, then POST /invoices during the drain delay, then the journal after the exit",
			Expected: "an entry for every number", Saw: fault})
	}
}

// finishInFlight holds a request back until the door is closed, and lets it go
// on then.
func finishInFlight(c *exam.C) {
	o := opened(c, forInFlight)
	lines, later := order(c, 6), order(c, 6)
	first := o.begin(o.fresh, lines)
	o.signal(syscall.SIGTERM)
	o.await(func() bool { return o.readiness() != http.StatusOK })
	second, err := c.Client("C", exam.To(forInFlight), exam.FreshConnections()).Begin(http.MethodPost, "/invoices", later, exam.Timeout(stopTimeout+grace))
	if err != nil {
		second = nil // whether the door is open is a question of its own: drain
	}
	did := "POST /invoices, SIGTERM while its body was on the way, and the rest of the body once new connections were refused"
	if !o.awaitFor(time.Until(o.at.Add(stopTimeout)), func() bool { return first.Answered() || o.closed() }) {
		o.awaitClosed("POST /invoices, and SIGTERM while its body was on the way")
	}
	for _, p := range []struct {
		pending *exam.Pending
		lines   map[string][]string
		did     string
	}{
		{first, lines, did},
		{second, later, "the same with a request that came after the signal, during the drain delay"},
	} {
		if p.pending == nil {
			continue
		}
		r, err := p.pending.Finish()
		panicked := ""
		if err != nil {
			panicked = o.panicked()
		}
		f := exam.Finding{Did: p.did, Expected: "201 with the whole invoice", Saw: outcome(r, err)}
		switch {
		case panicked != "":
			f.Saw += ": the handler panicked with " + panicked
			f.Detail = "A channel is closed by whoever sends to it, after the last send. At the signal the last one is still to come."
		case err != nil:
			f.Saw += ": the program did not wait for it"
			f.Detail = "Two things look like this. Shutdown waits, but in another goroutine, and main has returned meanwhile. Or it was Close, which waits for nothing."
		case r.Status != http.StatusCreated:
			f.Saw += ". The work was stopped half-way"
			f.Why = "The signal is the moment from which on work should be finished. Here it is the moment at which all of it is given up, as if nobody had written a shutdown."
			f.Read = lesson + "somebody-has-to-listen"
			f.Detail = "Look where the context of a request comes from, and what ends it."
		default:
			_, fault := invoice(r, p.lines)
			c.Require(fault == "", exam.Finding{Did: f.Did, Expected: f.Expected, Saw: fault + ": " + r.String()})
			continue
		}
		c.Fail(f)
	}
	o.wantClean(did + ", answered with 201")
}

// panicked is what a handler panicked with, as net/http reports it. The report
// may come a moment after the connection was closed.
func (o *office) panicked() (text string) {
	o.awaitFor(time.Second, func() bool {
		var found bool
		exited := !o.in.Running() // then all of its output is there
		_, text, found = strings.Cut(o.in.Log(), "panic serving ")
		return found || exited
	})
	text, _, _ = strings.Cut(text, "\n")
	_, text, _ = strings.Cut(text, ": ")
	return text
}

// wantClean fails unless the program, whose work is done, exits with status 0
// and has accounted for every number.
func (o *office) wantClean(did string) {
	code, exited := o.exit(stopTimeout + grace)
	f := exam.Finding{Did: did, Expected: "the program exits with status 0", Saw: "it exited with status " + statusOf(code), Why: whyStatus}
	switch {
	case !exited:
		f.Saw = fmt.Sprintf("it still ran %s after the signal", stopTimeout+grace)
		f.Why = whyKilled
		f.Read = lesson + "the-deadline-is-not-yours"
		f.Detail = o.in.Goroutines()
		o.c.Fail(f)
	case code != 0:
		o.c.Fail(f)
	}
}

// statusOf is an exit status in words; there is none when a signal ended it.
func statusOf(code int) string {
	if code < 0 {
		return "none: it was killed by a signal"
	}
	return fmt.Sprint(code)
}

// leaveIdle keeps connections open on which a request has been answered.
func leaveIdle(c *exam.C) {
	o := opened(c, forIdle)
	c.Burst(3, func(i int) {
		r, err := c.Client(fmt.Sprintf("%c", 'C'+i), exam.To(forIdle)).Try(http.MethodPost, "/invoices", order(c, 2))
		c.Require(err == nil && r.Status == http.StatusCreated, exam.Finding{Did: "POST /invoices", Expected: "201", Saw: outcome(r, err)})
	})
	o.signal(syscall.SIGTERM)
	code, exited := o.exit(stopTimeout)
	f := exam.Finding{
		Did:      "SIGTERM, with three connections open that were answered and then kept alive",
		Expected: fmt.Sprintf("the program closes them and exits with status 0, well before the %s of STOP_TIMEOUT", stopTimeout),
		Saw:      fmt.Sprintf("it still ran %s after the signal, although no request was under way", stopTimeout),
	}
	if !exited {
		f.Detail = o.in.Goroutines()
		c.Fail(f)
	}
	f.Saw = fmt.Sprintf("it exited with status %d", code)
	c.Require(code == 0, f)
}

// stopOnInterrupt goes once through the whole of it, with the other signal.
func stopOnInterrupt(c *exam.C) {
	o := opened(c, forInterrupt)
	lines := order(c, 6)
	p := o.begin(o.fresh, lines)
	o.signal(syscall.SIGINT)
	did := "POST /invoices, and SIGINT while its body was on the way"
	s := o.watchSign()
	if !s.flipped {
		if code, exited := o.in.WaitExit(time.Second); exited && code < 0 {
			c.Fail(exam.Finding{Did: did, Expected: "the same as on SIGTERM",
				Saw: "the signal itself ended the program: it asks for SIGTERM only"})
		}
	}
	c.Require(s.flipped || s.missed(), exam.Finding{Did: did, Expected: "GET /readyz answers 503, as on SIGTERM",
		Saw: "200 until connections were refused, or nothing at all: on this signal nobody was told in time"})
	r, err := p.Finish()
	if err != nil || r.Status != http.StatusCreated {
		c.Fail(exam.Finding{Did: did + ", then the rest of the body", Expected: "201 with the whole invoice, as on SIGTERM", Saw: outcome(r, err)})
	}
	o.wantClean(did + ", answered with 201")
}

// finishMails makes the last answer the last thing that keeps the program: its
// mail is certainly not sent yet.
func finishMails(c *exam.C) {
	o := opened(c, forMails)
	lines := order(c, 1)
	p := o.begin(o.fresh, lines)
	o.signal(syscall.SIGTERM)
	o.awaitFor(time.Until(o.at.Add(stopTimeout)), func() bool { return p.Answered() || o.closed() })
	r, err := p.Finish()
	did := "POST /invoices, SIGTERM while its body was on the way, the rest of the body, and the journal after the exit"
	if err != nil || r.Status != http.StatusCreated {
		c.Fail(exam.Finding{Did: did, Expected: "201 with the whole invoice", Saw: outcome(r, err)})
	}
	o.wantClean(did)
	j := o.journal()
	f := exam.Finding{Did: did, Expected: "\"issued\", and then \"mailed\" or \"unsent\"", Saw: j.unaccounted()}
	if f.Saw != "" {
		f.Saw += ": the program exited as soon as its last answer was out, and a goroutine of its own was still at work"
		c.Fail(f)
	}
}
