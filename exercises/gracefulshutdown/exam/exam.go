// Package exam examines how the invoice office stops. Most checks have an
// instance of the program to themselves, because a program can be stopped only
// once, and run side by side, because stopping is mostly waiting.
package exam

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	lesson = "foundations/graceful-shutdown#"

	whyStatus = "The status is all that the platform learns. Anything but 0 counts as a crash: it is shown as one, alerted on as one, and some platforms start the old version again."
	whyKilled = "A platform that has waited long enough sends SIGKILL, which no program can catch. Everything that was under way is gone then, at a moment that nobody chose."
)

// What the instances are started with.
const (
	drainDelay  = time.Second
	stopTimeout = 4 * time.Second
	// grace is how much later than promised an exit may be seen: the second that
	// the task allows, and twice that for a busy machine.
	grace = 3 * time.Second
)

// The instances, one for each check that overlaps with others.
const (
	forBasics = iota
	forReady
	forDrain
	forInFlight
	forIdle
	forInterrupt
	forMails
	forDeadline
	forStalled
	forBacklog
	forAgain
	instances
)

// Exam declares the checks. Two show that the office works; the third, that it
// stops at all.
func Exam(x *exam.X) {
	x.Instances(instances)
	x.Env("DRAIN_DELAY", drainDelay.String())
	x.Env("STOP_TIMEOUT", stopTimeout.String())
	x.Check("ready", "is ready once it can issue an invoice, and not before", readyWhenLoaded,
		exam.Why("A load balancer believes /readyz. The first requests after every deployment go to a program that is not able to answer them."),
		exam.Read(lesson+"alive-is-not-ready"))
	x.Check("invoice", "issues an invoice", issueOne, exam.After("ready"),
		exam.Why("This is what the office is for. What follows is about not losing it."))
	x.Check("stops", "ends by itself on SIGTERM, with status 0", stopIdle, exam.After("ready", "invoice"),
		exam.Why(whyStatus), exam.Read(lesson+"somebody-has-to-listen"))
	traffic(x)
	deadline(x)
}

func traffic(x *exam.X) {
	x.Check("not-ready", "says that it is not ready any more before it stops listening", flipReadiness,
		exam.Parallel(), exam.After("stops"),
		exam.Why("The load balancer learns it from /readyz or from its users. Until it has learned it, every request that it sends here is refused."),
		exam.Read(lesson+"first-the-sign-then-the-door"))
	x.Check("in-flight", "finishes the request that is under way, behind a closed door", finishInFlight,
		exam.Parallel(), exam.After("stops"),
		exam.Why("The caller sees a connection that broke off, and cannot know whether there is an invoice now. At ten deployments a day this is where the daily errors come from."),
		exam.Read(lesson+"shutdown-waits-if-you-wait"))
	x.Check("drain", "serves as ever for the drain delay", serveWhileDraining, exam.Parallel(), exam.After("stops"),
		exam.Why("A load balancer asks every few seconds. Whoever it sends until then has done nothing wrong."),
		exam.Read(lesson+"first-the-sign-then-the-door"))
	x.Check("idle", "does not wait for connections on which nothing is under way", leaveIdle,
		exam.Parallel(), exam.After("stops"),
		exam.Why("Load balancers keep connections open for minutes. A program that waits for them is killed at every deployment, together with whatever it had left to do."),
		exam.Read(lesson+"shutdown-waits-if-you-wait"))
	x.Check("interrupt", "stops in the same way on SIGINT", stopOnInterrupt, exam.Parallel(), exam.After("stops"),
		exam.Why("Ctrl-C is how you try your shutdown yourself. If it takes another way, the one that production takes stays untried."),
		exam.Read(lesson+"somebody-has-to-listen"))
	x.Check("mails", "mails what it has issued, or hands it back, before it exits", finishMails,
		exam.Parallel(), exam.After("stops"),
		exam.Why("The customer never gets the invoice and pays nothing. No request failed, so no graph shows it."),
		exam.Read(lesson+"work-that-nobody-waits-for"))
}

func deadline(x *exam.X) {
	x.Check("deadline", "cuts what is not finished in time, accounts for it, and exits with 1", cutAtDeadline,
		exam.Parallel(), exam.After("stops"),
		exam.Why(whyKilled), exam.Read(lesson+"the-deadline-is-not-yours"))
	x.Check("stalled", "is not held up by a client that does not go on", leaveStalled,
		exam.Parallel(), exam.After("stops"),
		exam.Why(whyKilled), exam.Read(lesson+"the-deadline-is-not-yours"))
	x.Check("backlog", "hands back the mails for which there is no time left", handBack,
		exam.Parallel(), exam.After("stops"),
		exam.Why("What is handed back can be sent tomorrow. What is forgotten is found when a customer complains about a reminder."),
		exam.Read(lesson+"work-that-nobody-waits-for"))
	x.Check("again", "ends at once on a second signal", stopTwice, exam.Parallel(), exam.After("stops"),
		exam.Why("The second Ctrl-C comes from a person who has decided not to wait. A program that ignores it leaves them SIGKILL only."),
		exam.Read(lesson+"the-second-signal"))
}

// readyWhenLoaded begins with a program that has just been started, and asks
// for an invoice in the moment in which it says that it is ready.
func readyWhenLoaded(c *exam.C) {
	in := c.Instance(forBasics)
	in.Restart()
	o := open(c, forBasics)
	r := c.Get("/healthz")
	r.Want(http.StatusOK, exam.Did("GET /healthz, as soon as the program listened"),
		exam.Why("Whoever runs the program asks this to see whether it is alive, and kills it if it is not. Loading is no illness."))
	if !o.await(func() bool { return o.readiness() == http.StatusOK }) {
		c.Fail(exam.Finding{Did: fmt.Sprintf("GET /readyz, again and again for %s after the start", patience),
			Expected: "503 at first, 200 when Load has returned", Saw: "never 200"})
	}
	r, err := o.fresh.Try(http.MethodPost, "/invoices", order(c, 2))
	if err != nil || r.Status != http.StatusCreated {
		c.Fail(exam.Finding{
			Did:      "POST /invoices, right after GET /readyz had said 200 for the first time",
			Expected: "201: ready means that it can be done",
			Saw:      outcome(r, err),
		})
	}
}

func issueOne(c *exam.C) {
	o := open(c, forBasics)
	lines := order(c, 3)
	r := c.Post("/invoices", lines)
	first := o.wantInvoice(r, lines)
	second := o.wantInvoice(c.Post("/invoices", lines), lines)
	c.Require(first != second, exam.Finding{
		Did:      "two POST /invoices, one after the other",
		Expected: "two numbers",
		Saw:      fmt.Sprintf("%d both times", first),
		Why:      "The number is how the tax office tells invoices apart.",
	})
	for _, body := range []string{`{"lines":[]}`, `{}`, `lines`} {
		c.Post("/invoices", body).Want(http.StatusBadRequest)
	}
}

// stopIdle stops a program on which nothing is under way.
func stopIdle(c *exam.C) {
	o := open(c, forBasics)
	o.signal(syscall.SIGTERM)
	code, exited := o.exit(stopTimeout)
	f := exam.Finding{
		Did:      "SIGTERM, with nothing under way",
		Expected: fmt.Sprintf("the program exits with status 0 when the drain delay of %s is over, without waiting for the %s of STOP_TIMEOUT", drainDelay, stopTimeout),
	}
	switch {
	case !exited:
		f.Saw = fmt.Sprintf("it still ran %s after the signal", stopTimeout)
		f.Why = whyKilled
		f.Read = lesson + "the-deadline-is-not-yours"
		f.Detail = o.in.Goroutines()
	case code == -1:
		f.Saw = "the signal itself ended it: nobody in the program had asked for SIGTERM, and then this is what the system does"
		f.Why = "Whatever was under way at that moment is gone: half an answer, an invoice without an entry, a mail. And it happens at every deployment."
		f.Detail = "This is the place to begin. In Run, ask for the signals with signal.NotifyContext, let the server listen in a goroutine of its own, and wait for either of the two: the server failing, or the signal."
	case code != 0:
		f.Saw = fmt.Sprintf("it exited with status %d", code)
		if log := o.in.Log(); strings.Contains(log, "Server closed") {
			f.Saw += ", and its log has \"http: Server closed\": ListenAndServe returns this error after every Shutdown, also a good one"
			f.Read = lesson + "shutdown-waits-if-you-wait"
		}
	default:
		return
	}
	c.Fail(f)
}
