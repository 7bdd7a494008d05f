package exam

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// tooLong is a number of lines that takes longer to render than the program has:
// at 20 ms each, more than twice STOP_TIMEOUT.
const tooLong = 500

// cutAtDeadline has a short and a long invoice under way when the signal comes.
func cutAtDeadline(c *exam.C) {
	o := opened(c, forDeadline)
	short, long := order(c, 3), order(c, tooLong)
	a, b := o.begin(o.fresh, short), o.begin(c.Client("C", exam.To(forDeadline), exam.FreshConnections()), long)
	o.signal(syscall.SIGTERM)
	var r *exam.Response
	var err error
	c.Parallel(
		func() {
			r, err := a.Finish()
			c.Require(err == nil && r.Status == http.StatusCreated, exam.Finding{
				Did:      "two POST /invoices, one short and one that takes longer than there is time, and SIGTERM while both were under way",
				Expected: "201 for the short one", Saw: outcome(r, err)})
		},
		func() { r, err = b.Finish() },
		func() { o.exit(stopTimeout + grace) },
	)
	did := fmt.Sprintf("POST /invoices with %d lines, which take 10 s, and SIGTERM while it was under way", tooLong)
	o.wantCut(did)
	c.Require(err != nil || r.Status >= 500, exam.Finding{Did: did,
		Expected: "503, or the connection closed: it was cut",
		Saw:      outcome(r, err)})
	f := exam.Finding{
		Did:      did + "; after the exit, the journal",
		Expected: "\"issued\" for the short invoice before it, \"void\" for this one: its number was given out",
		Why:      "Invoice numbers must have no gaps. One that was given out and leads nowhere is a question of the tax office, years later.",
		Read:     lesson + "the-deadline-is-not-yours",
	}
	var void bool
	for _, entries := range o.journal() {
		void = void || slices.Contains(entries, "void")
	}
	if !void {
		f.Saw = "no entry \"void\": the program exited before the handler could write it"
		if strings.Contains(fmt.Sprint(o.journal()), "issued") {
			f.Saw += ". Its context ended too late, or not at all, or nobody waited for it"
		}
		c.Fail(f)
	}
}

// wantCut fails unless the program exits with status 1 soon after its timeout.
func (o *office) wantCut(did string) {
	code, exited := o.exit(stopTimeout + grace)
	f := exam.Finding{
		Did:      did,
		Expected: fmt.Sprintf("the request is cut %s after the signal, and within another second the program exits with status 1", stopTimeout),
	}
	switch {
	case !exited:
		f.Saw = fmt.Sprintf("it still ran %s after the signal", stopTimeout+grace)
		f.Detail = o.in.Goroutines()
		o.c.Fail(f)
	case code != 1:
		f.Saw = fmt.Sprintf("it exited with status %d", code)
		if code == 0 {
			f.Saw += ", which says that nothing was lost"
			f.Why = "The status is the one sign that STOP_TIMEOUT is too short or a request too long. With 0, requests are cut at every deployment and nobody finds out."
		}
		o.c.Fail(f)
	}
}

// leaveStalled has a client that stops in the middle of its body and stays.
func leaveStalled(c *exam.C) {
	o := opened(c, forStalled)
	o.begin(o.fresh, order(c, 3))
	o.signal(syscall.SIGTERM)
	_, exited := o.exit(stopTimeout + grace)
	if exited {
		return
	}
	c.Fail(exam.Finding{
		Did:      "half of a POST /invoices, SIGTERM, and nothing more from that client",
		Expected: fmt.Sprintf("the program is gone within a second after the %s of STOP_TIMEOUT", stopTimeout),
		Saw: fmt.Sprintf("it still ran %s after the signal. The handler was reading a body that did not come, and a read does not end with a context: only closing the connection ends it",
			stopTimeout+grace),
		Detail: o.in.Goroutines(),
	})
}

// handBack fills the outbox with more than can be mailed in time.
func handBack(c *exam.C) {
	o := opened(c, forBacklog)
	const orders = 30 // 250 ms each
	issued := make([]int, orders)
	c.Burst(orders, func(i int) {
		lines := order(c, 1)
		r, err := o.fresh.Try(http.MethodPost, "/invoices", lines)
		c.Require(err == nil && r.Status == http.StatusCreated, exam.Finding{Did: "POST /invoices", Expected: "201", Saw: outcome(r, err)})
		issued[i], _ = invoice(r, lines)
	})
	o.signal(syscall.SIGTERM)
	did := fmt.Sprintf("%d POST /invoices, answered with 201, and SIGTERM: mailing all of them takes longer than there is time", orders)
	o.wantClean(did)
	j := o.journal()
	f := exam.Finding{Did: did, Expected: "every invoice is \"mailed\" or \"unsent\" in the journal", Saw: j.missing(issued...)}
	if f.Saw == "" {
		f.Saw = j.unaccounted()
	}
	c.Require(f.Saw == "", f)
	for _, n := range issued {
		if slices.Contains(j[n], "mailed") && slices.Contains(j[n], "unsent") {
			f.Saw = fmt.Sprintf("invoice %d is both", n)
			f.Why = "Somebody sends it again tomorrow, and the customer pays twice or asks which one counts."
			c.Fail(f)
		}
	}
}

// stopTwice sends the second signal when the program waits for a request.
func stopTwice(c *exam.C) {
	o := opened(c, forAgain)
	p := o.begin(o.fresh, order(c, 3))
	o.signal(syscall.SIGTERM)
	did := "POST /invoices, SIGTERM while its body was on the way, and once new connections were refused, SIGINT"
	o.awaitFor(time.Until(o.at.Add(stopTimeout)), func() bool { return p.Answered() || o.closed() })
	second := time.Now()
	o.signal(syscall.SIGINT)
	o.exit(stopTimeout + grace)
	code, exited := o.in.WaitExit(0)
	f := exam.Finding{
		Did:      did,
		Expected: "the program ends within a second, whatever is under way",
		Saw:      "it went on waiting for the request: somebody still catches the signal, and nobody looks at it",
	}
	c.Require(exited && time.Since(second) < 2*time.Second, f)
	f.Expected, f.Saw = "any exit status but 0: work was given up", "status 0"
	f.Why = whyStatus
	c.Require(code != 0, f)
}
