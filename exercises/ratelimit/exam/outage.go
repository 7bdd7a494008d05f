package exam

import (
	"fmt"
	"net/http"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	// answer is how soon the task wants an answer when Redis is away.
	answer = 2 * time.Second
	// grace is how much later an answer may be seen on a busy machine.
	grace = 500 * time.Millisecond
	// back is how soon the limit must hold again.
	back = 2 * time.Second
)

// surviveOutage takes Redis away from one instance, in the two ways in which it
// goes: it says no, or it says nothing.
func surviveOutage(c *exam.C) {
	cl := c.Client("D", exam.To(severed))
	newCustomer(c).fill(2, cl)
	faults := c.RedisFaults(severed)

	faults.Refuse(true)
	faults.Cut()
	withoutRedis(newCustomer(c), cl, "while Redis refused every connection")
	faults.Refuse(false)
	recovers(c, cl, "Redis accepted connections again")

	faults.BlackHole(true)
	c.Burst(3, func(int) { withoutRedis(newCustomer(c), cl, "while Redis did not answer") })
	faults.BlackHole(false)
	recovers(c, cl, "Redis answered again")
}

// withoutRedis sends a message that has to be accepted unseen.
func withoutRedis(cu *customer, cl *exam.Client, when string) {
	began := time.Now()
	r, err := cl.Try(http.MethodPost, "/messages", map[string]string{"to": "+49 30 123456", "text": "hello"},
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
		f.Saw = r.String()
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
