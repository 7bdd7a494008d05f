package exam

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// crowd is how many requests come at once.
const crowd = 50

// fiftyAtOnce sends one order fifty times. Meanwhile nothing can be written, so
// that all who take themselves for the first have the time to do so.
func fiftyAtOnce(c *exam.C) {
	a, clients := newAttempt(c), bothInstances(c)
	f := exam.Finding{Did: "sent one order fifty times at once, half through each instance", Expected: "one order; each gets the same 201, or 409 with Retry-After"}
	hold := a.holdItem()
	var sent [crowd]*exam.Pending
	for i := range sent {
		sent[i] = a.begin(clients[i%2], exam.Timeout(19*time.Second))
	}
	gather(c)
	hold.Release()
	if !arrive(c, sent[:]) {
		f.Saw = fmt.Sprintf("many of them had no answer; in your program and in PostgreSQL nothing had happened for %s", standstill)
		c.Fail(becauseStuck(f, c))
	}
	var answers [crowd]*exam.Response
	for i, p := range sent {
		answers[i] = a.answered(p, f.Did)
	}
	first := a.firstOf(answers[:], f)
	n := a.orders()
	f.Saw = orderWords(n)
	if n != 1 {
		f.Saw = "more than one order"
		c.Fail(a.because(f))
	}
	a.placed(first, exam.Did(f.Did))
	for i, r := range answers {
		if r.Status == http.StatusConflict {
			wantRetryAfter(c, r)
			r = a.send(clients[i%2])
		}
		a.same(first, r, f.Did)
	}
	a.count(1, exam.Finding{Did: f.Did})
}

// standstill is how long nothing happens in a program that waits for itself.
const standstill = 3 * time.Second

// arrive waits until all are answered, and reports false when nothing moves any
// more: no answer comes, and nothing new is asked of PostgreSQL.
func arrive(c *exam.C, sent []*exam.Pending) bool {
	moved, last := 0, time.Now()
	for {
		done := 0
		for _, p := range sent {
			if p.Answered() {
				done++
			}
		}
		if done == len(sent) {
			return true
		}
		if now := done + len(c.Statements()); now != moved {
			moved, last = now, time.Now()
		}
		if time.Since(last) > standstill {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// gather waits until the program's sessions wait for a lock and no more of them
// come, for a while at most.
func gather(c *exam.C) {
	before, since := int64(-1), time.Now()
	eventually(c, 500*time.Millisecond, func() bool {
		n := waiting(c)
		if n != before {
			before, since = n, time.Now()
		}
		return n > 0 && time.Since(since) > 80*time.Millisecond
	})
}

// firstOf returns one of the answers that is 201, and fails when one is neither
// that nor 409.
func (a attempt) firstOf(answers []*exam.Response, f exam.Finding) *exam.Response {
	var first, bad *exam.Response
	for _, r := range answers {
		switch {
		case r.Status == http.StatusCreated && first == nil:
			first = r
		case r.Status != http.StatusCreated && r.Status != http.StatusConflict:
			bad = r
		}
	}
	switch {
	case bad != nil:
		f.Saw = "somebody got " + bad.String()
		if bad.Status >= http.StatusInternalServerError {
			f = because500(f, a.c)
		}
		a.c.Fail(f)
	case first == nil:
		f.Saw = "all of them got 409: nobody was let in as the first"
		a.c.Fail(f)
	}
	return first
}

// becauseStuck says of requests without an answer what their sessions wait for.
func becauseStuck(f exam.Finding, c *exam.C) exam.Finding {
	f.Why = "A pool is empty when every connection in it waits for somebody who waits for a connection. No timeout of PostgreSQL ends that: nobody waits for a lock that another one will give up."
	if sql := unanswered(c.Statements()); sql != "" {
		f.Saw += ". The connections of the pool were all in use, waiting for the one request that is the first: " + sql + ". If that one needs a second connection, it never gets it"
	}
	return f
}

// retryUnderWay retries while the first request can't go on.
func retryUnderWay(c *exam.C) {
	a, clients := newAttempt(c), bothInstances(c)
	did := "sent an order again while the first request was still under way"
	hold := a.holdItem()
	first := a.stuck(clients[0], did)
	other := a
	other.quantity++
	retries := []*exam.Pending{a.begin(clients[1]), a.begin(clients[0])}
	another := other.begin(clients[1])
	eventually(c, 250*time.Millisecond, func() bool {
		return retries[0].Answered() && retries[1].Answered() && another.Answered()
	})
	hold.Release()
	want := a.answered(first, "sent an order, and sent it again while it was under way: the first request")
	gaveUpOn(c, want, "the first request", did)
	a.placed(want, exam.Did("sent an order, and sent it again while it was under way: the first request"))
	f := exam.Finding{Did: did, Expected: "the retry waits and gets the first answer, or gets 409 with Retry-After"}
	for _, p := range retries {
		r := a.answered(p, did)
		if r.Status == http.StatusConflict {
			wantRetryAfter(c, r)
			continue
		}
		if r.Status >= http.StatusInternalServerError {
			f.Saw = "the retry got " + r.String()
			c.Fail(because500(f, c))
		}
		a.same(want, r, did)
	}
	r := a.answered(another, "sent another body with the same key while the first request was under way")
	r.WantOneOf([]int{http.StatusUnprocessableEntity, http.StatusConflict},
		exam.Did("sent another body with the same key while the first request was under way"), exam.Why(whyBody))
	a.same(want, a.send(clients[1]), did+", and once more when it was done")
	a.count(1, exam.Finding{Did: did})
}

// answered is the answer to a request that nothing stops any more.
func (a attempt) answered(p *exam.Pending, did string) *exam.Response {
	r, err := p.Answer()
	if err != nil {
		f := exam.Finding{Did: did, Expected: "an answer, once the first request can go on", Saw: fmt.Sprintf("none after %s", patience)}
		if sql := unanswered(a.c.Statements()); sql != "" {
			f.Saw += "; PostgreSQL had not answered this yet: " + sql
		}
		a.c.Fail(f)
	}
	return r
}

// beside is how long an order may take that nothing stops.
const beside = 5 * time.Second

// leaveOthersAlone makes other orders while one can't be written.
func leaveOthersAlone(c *exam.C) {
	a, clients := newAttempt(c), bothInstances(c)
	b := newAttempt(c)
	b.key = a.key
	d := newAttempt(c)
	d.user = a.user
	hold := a.holdItem()
	did := "while one order could not be written, sent another one"
	first := a.stuck(clients[0], did)
	retry := a.begin(clients[1])
	for _, o := range []struct {
		attempt
		who string
	}{{b, "another user, with the same key"}, {d, "the same user, with another key"}} {
		for _, cl := range clients {
			did := did + ": " + o.who
			r, err := cl.Try(http.MethodPost, "/orders", o.body(), append(o.headers(), exam.Timeout(beside))...)
			f := exam.Finding{Did: did, Expected: "201, without waiting for the order that hangs"}
			switch {
			case err != nil:
				f.Saw = fmt.Sprintf("no answer within %s", beside)
				if sql := lastUnanswered(c.Statements()); sql != "" && waiting(c) > 1 {
					f.Saw += "; PostgreSQL had not answered this yet: " + sql
				} else {
					f.Saw += "; PostgreSQL was asked for nothing: whatever keeps it waiting is in your program"
				}
				c.Fail(f)
			case r.Status != http.StatusCreated:
				f.Saw = r.String()
				c.Fail(f)
			}
		}
	}
	hold.Release()
	want := a.answered(first, did)
	a.placed(want)
	if r := a.answered(retry, did); r.Status != http.StatusConflict {
		a.same(want, r, "sent an order again while it was under way")
	}
}

// wantRetryAfter fails unless the answer says when to come back, in seconds.
func wantRetryAfter(c *exam.C, r *exam.Response) {
	v := r.Header.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s >= 1 {
		return
	}
	saw := "409 without Retry-After"
	if v != "" {
		saw = fmt.Sprintf("409 with Retry-After: %q", v)
	}
	c.Fail(exam.Finding{
		Did:      "sent an order again while the first request was still under way",
		Expected: "409 with Retry-After, a whole number of seconds above zero",
		Saw:      saw,
		Why:      "A bare 409 tells a client that it did something wrong. It did not: it came too early, and has to know that coming back helps.",
	})
}
