package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	startup = 10 * time.Second // for a run to listen, on a busy machine
	patient = 2 * time.Second  // the PATIENCE of a run in which it is over
	// slow is what an answer takes for which there is patience: longer than a bound
	// that somebody made up, in a check that takes that time anyway.
	slow = patient + 500*time.Millisecond
)

// patience lets north hang: before its answer, and in the middle of it. All
// searches wait at the same time.
func patience(c *exam.C) {
	keep := keepPatience(c)
	run := c.Run(startup, "PATIENCE="+patient.String())
	cl := c.Client("A", exam.ToInstance(run.Instance))
	later := renewed(c, cl, run.Instance)
	var wants []func()
	for _, try := range []struct {
		what   string
		north  exam.Answer
		says   string
		south  bool // holds the book
		status int
	}{
		{"", never, "did not answer", true, http.StatusOK},
		{"", never, "did not answer", false, http.StatusGatewayTimeout},
		{"/first", never, "did not answer", false, http.StatusGatewayTimeout},
		{"", exam.Answer{Stall: true, Body: map[string]string{"shelf": c.Words(8)}}, "sent half of its answer and no more", false, http.StatusGatewayTimeout},
		{"/first", exam.Answer{Stall: true, Body: map[string]string{"shelf": c.Words(8)}}, "sent half of its answer and no more", false, http.StatusGatewayTimeout},
		{"", exam.Answer{Stall: true, Body: padded(`{"shelf":"K 12"}`, 200)}, unfinished("200, all of the JSON"), false, http.StatusGatewayTimeout},
		{"", exam.Answer{Stall: true, Status: http.StatusNotFound, Body: c.Words(40)}, unfinished("404"), false, http.StatusGatewayTimeout},
		{"", exam.Answer{Stall: true, Status: http.StatusInternalServerError, Body: c.Words(40)}, unfinished("500"), false, http.StatusGatewayTimeout},
	} {
		b := newBook(c)
		b.in = run.Instance
		b.at("north", try.north)
		b.at("south", notHeld)
		b.at("east", notHeld)
		did := fmt.Sprintf("GET %s%s with PATIENCE=%s; north %s, the others answered 404", b.path(), try.what, patient, try.says)
		if try.south {
			b.at("south", b.holds("south"))
			did = fmt.Sprintf("GET %s%s with PATIENCE=%s; north %s, south had the book, east answered 404", b.path(), try.what, patient, try.says)
		}
		p := b.send(cl, try.what)
		wants = append(wants, func() { b.wantTimeout(p, did, try.status, try.south) })
	}
	ends := later()
	for _, want := range wants {
		want()
	}
	keep()
	ends()
}

// unfinished is the answer of north that begins, and of which the end is missing.
func unfinished(begin string) string {
	return "answered " + begin + " and a part of its body, and never sent the rest"
}

// padded is a text with blanks behind it, so that it has n bytes.
func padded(text string, n int) string { return text + strings.Repeat(" ", n-len(text)) }

// renewed begins a search in which a branch answers shortly before the time is
// up. The function that it returns begins a second one meanwhile, in which none
// does, and returns a function that fails if the first one still goes on when the
// second one's time is up: both wait on the same machine, however busy it is.
func renewed(c *exam.C, cl *exam.Client, in *exam.Instance) func() func() {
	one, two := newBook(c), newBook(c)
	for _, b := range []*book{one, two} {
		b.in = in
		b.at("north", never)
		b.at("east", notHeld)
	}
	one.at("south", exam.Answer{Status: http.StatusNotFound, Hold: true})
	two.at("south", notHeld)
	did := fmt.Sprintf("GET %s with PATIENCE=%s; east answered 404 at once, south shortly before the time was up, and north did not answer", one.path(), patient)
	p := one.send(cl, "")
	south := one.call("south", did)
	return func() func() {
		one.awaits(time.Until(south.At.Add(patient*4/10)), p)
		q := two.send(cl, "")
		one.awaits(time.Until(south.At.Add(patient*8/10)), p)
		south.Release()
		return func() {
			two.awaits(patient+soon, q)
			c.Require(one.awaits(moment, p), exam.Finding{Did: did, Expected: fmt.Sprintf("an answer after %s", patient),
				Saw:    "a second search, which had begun later, was over before it: the answer of south had prolonged the time",
				Detail: "PATIENCE is for the whole search. A timer that is made in a loop begins anew each time round."})
		}
	}
}

// keepPatience begins a search in the program that has much patience. The
// function that it returns fails if that is over too early.
func keepPatience(c *exam.C) func() {
	b := newBook(c)
	b.at("north", b.holdsLate("north"))
	b.at("south", notHeld)
	b.at("east", notHeld)
	did := fmt.Sprintf("GET %s with PATIENCE=30s; north had the book, and said so after %s", b.path(), slow)
	p := b.send(c.Client("B"), "")
	began := b.call("north", did).At
	return func() {
		f := exam.Finding{Did: did, Expected: "200 with the copy of north"}
		if b.awaits(time.Until(began.Add(slow)), p) {
			r, err := p.Answer()
			f.Saw = fmt.Sprintf("%s, before north had answered: the time was up too early", outcome(r, err))
			f.Detail = "How long a search may take is what New was given, and no constant."
			c.Fail(f)
		}
		b.release()
		r, err := p.Answer()
		if err != nil || r.Status != http.StatusOK {
			f.Saw = outcome(r, err)
			c.Fail(f)
		}
		b.wantCopies(r, did, "north")
	}
}

// wantTimeout fails unless the search, in which north does not play along, ends
// in time, and with it the call of north.
func (b *book) wantTimeout(p *exam.Pending, did string, status int, south bool) {
	call := b.call("north", did)
	f := exam.Finding{Did: did, Expected: fmt.Sprintf("%d after %s, at most a second later", status, patient)}
	if !b.awaits(time.Until(call.At.Add(patient+soon)), p) {
		f.Saw = fmt.Sprintf("no answer within %s", patient+soon)
		b.c.Fail(f)
	}
	r, err := p.Answer()
	if err != nil || r.Status != status {
		f.Saw = outcome(r, err)
		f.Detail = timeoutHelp(r)
		b.c.Fail(f)
	}
	if south {
		b.wantCopies(r, did, "south")
	}
	b.wantFailed(r, did, failed{"north", "timeout"})
	_, gone := call.WaitGone(soon)
	f.Expected, f.Saw = "the call of north is given up together with the search", "the answer came in time, and the call of north went on behind it"
	b.c.Require(gone, f)
}

// timeoutHelp says what a wrong status for a timeout means.
func timeoutHelp(r *exam.Response) string {
	switch {
	case r == nil:
		return ""
	case r.Status == http.StatusOK:
		return "A body is whole when a read of it has returned io.EOF. That a part of it makes sense does not tell that the rest will come."
	case r.Status == http.StatusNotFound:
		return "404 is what main.go makes of ErrNotHeld. Nobody knows that: north has given no whole answer."
	case r.Status == http.StatusBadGateway, r.Status == http.StatusInternalServerError:
		return "504 is what main.go makes of an error of which errors.Is(err, context.DeadlineExceeded) is true."
	case r.Status == 499:
		return "499 is what main.go makes of an error of which errors.Is(err, context.Canceled) is true. The caller has not left; the time was over."
	}
	return ""
}
