package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

const (
	// answer is how soon the task wants an answer when Redis is away.
	answer = 2 * time.Second
	// grace is how much later an answer may be seen on a busy machine.
	grace = 500 * time.Millisecond
	// patience bounds waiting for a start.
	patience = 10 * time.Second
	// back is how soon the limit must hold again.
	back = 2 * time.Second
)

// surviveOutage takes Redis away from one instance, in the ways in which it goes:
// it was never there, it says no, it says nothing.
func surviveOutage(c *exam.C) {
	neverThere(c)
	cl := c.Client("D", exam.To(severed))
	newCustomer(c).fill(2, cl)
	faults := c.RedisFaults(severed)

	faults.Refuse(true)
	faults.Cut()
	busy := newCustomer(c)
	for range limit + 2 {
		withoutRedis(busy, cl, "while Redis refused every connection")
	}
	faults.Refuse(false)
	recovers(c, cl, "Redis accepted connections again")
	busy.attempt(limit, cl)
	c.Require(busy.accepted() == limit, exam.Finding{
		Did:      fmt.Sprintf("sent %d messages of a customer, who had sent %d more while Redis refused every connection", limit, limit+2),
		Expected: "all are accepted: what nobody could count does not count",
		Saw:      fmt.Sprintf("%d were accepted", busy.accepted()),
	})

	faults.BlackHole(true)
	c.Burst(3, func(int) { withoutRedis(newCustomer(c), cl, "while Redis did not answer") })
	faults.BlackHole(false)
	recovers(c, cl, "Redis answered again")
}

// neverThere starts an instance where no Redis is.
func neverThere(c *exam.C) {
	run := c.Run(patience, "REDIS_URL=redis://127.0.0.1:9/0")
	if !run.Listened {
		saw := "it did not listen in " + patience.String()
		if !run.Running() {
			saw = "it " + run.Ending()
		}
		c.Fail(exam.Finding{
			Did: "started the program with a REDIS_URL at which nothing listens", Expected: "it starts, and accepts messages", Saw: saw,
			Why: "After a power cut everything starts at once, in any order. What waits for something else to be there waits for the slowest.",
		})
	}
	withoutRedis(newCustomer(c), c.Client("E", exam.ToInstance(run.Instance)), "to an instance that was started without Redis")
}

// countOnce loses the answer to one message, which Redis has decided.
func countOnce(c *exam.C) {
	cl := c.Client("C", exam.To(unheard))
	newCustomer(c).fill(2, cl)
	cu := newCustomer(c)
	faults := c.RedisFaults(unheard)
	before := faults.Bites()[0].CutAfter
	faults.CutAfter(func(cmd wire.Command) bool {
		return strings.Contains(strings.Join(cmd.Args, " "), cu.name)
	}, wire.CutBeforeAnswer)
	withAnswerLost := cu.post(cl)
	if faults.Bites()[0].CutAfter == before {
		return // decided without Redis; other checks look at that
	}
	withAnswerLost.Want(http.StatusAccepted, exam.Did("sent a message, and cut the connection when Redis had run its command, before the answer"))
	cu.attempt(limit-1, cl)
	c.Require(cu.accepted() == limit-1, exam.Finding{
		Did:      fmt.Sprintf("sent a message, cut the connection when Redis had run its command, before the answer; then sent %d more", limit-1),
		Expected: fmt.Sprintf("all are accepted: they are %d together", limit),
		Saw:      fmt.Sprintf("%d of the %d were accepted: the first counts twice, since the command was sent again", cu.accepted(), limit-1),
	})
}

// withoutRedis sends a message that has to be accepted unseen.
func withoutRedis(cu *customer, cl *exam.Client, when string) {
	began := time.Now()
	r, err := cl.Try(http.MethodPost, "/messages", map[string]string{"to": "+49 30 901820", "text": "Your parcel is at the door."},
		exam.Header("X-Customer", cu.name), exam.Timeout(answer+grace))
	f := exam.Finding{
		Did:      "sent a message " + when,
		Expected: fmt.Sprintf("202 within %s, without X-RateLimit-Remaining", answer),
	}
	switch {
	case err != nil && time.Since(began) >= answer:
		f.Saw = fmt.Sprintf("no answer in %s", answer+grace)
		f.Why = "Nobody has decided how long this program waits. The requests pile up, and each holds a connection and memory for as long as the default of some library says."
	case err != nil:
		f.Saw = "the connection was closed without an answer"
	case r.Status != http.StatusAccepted:
		f.Saw = said(r)
	case r.Header.Get("X-RateLimit-Remaining") != "":
		f.Saw = "202, with X-RateLimit-Remaining: a number that nobody can know"
	default:
		return
	}
	cu.c.Fail(f)
}

// recovers waits until messages are decided again, and looks whether the limit
// holds.
func recovers(c *exam.C, cl *exam.Client, what string) {
	end := time.Now().Add(back + grace)
	for {
		r := newCustomer(c).post(cl)
		if r.Header.Get("X-RateLimit-Remaining") != "" {
			break
		}
		if time.Now().After(end) {
			c.Fail(exam.Finding{
				Did:      fmt.Sprintf("sent messages for %s after %s", back+grace, what),
				Expected: fmt.Sprintf("within %s the limit holds again, and answers have X-RateLimit-Remaining", back),
				Saw:      said(r),
				Why:      "An outage of a second has become one without end, and nothing shows it but a bill.",
			})
		}
		time.Sleep(20 * time.Millisecond) // between two attempts
	}
	cu := newCustomer(c)
	cu.fill(limit, cl)
	cu.send(cl).response.Want(http.StatusTooManyRequests,
		exam.Did(fmt.Sprintf("sent %d messages, when %s", limit+1, what)))
}
