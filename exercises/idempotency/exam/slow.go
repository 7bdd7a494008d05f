package exam

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// The task lets a first attempt take mayTake. It is kept from its end for slow:
// longer than the key of a program that is dead may stay taken.
const (
	mayTake = 3 * time.Second
	slow    = 2500 * time.Millisecond
)

const didSlow = "kept PostgreSQL from writing an order for two and a half seconds, and sent the order again through the other instance meanwhile"

// takeTime lets a first attempt be slow, and retries until it can go on.
func takeTime(c *exam.C) {
	a, clients := newAttempt(c), bothInstances(c)
	hold := a.holdItem()
	first := a.stuck(clients[0], didSlow)
	since := time.Now()
	retry := a.begin(clients[1])
	for time.Since(since) < slow && !first.Answered() {
		time.Sleep(100 * time.Millisecond)
		if !retry.Answered() {
			continue
		}
		r := a.answered(retry, didSlow)
		if r.Status != http.StatusConflict {
			break
		}
		wantRetryAfter(c, r)
		retry = a.begin(clients[1])
	}
	hold.Release()
	answers := []*exam.Response{a.answered(first, didSlow), a.answered(retry, didSlow)}
	if n := a.orders(); n > 1 {
		c.Fail(a.takenOver(exam.Finding{Did: didSlow, Expected: "one order in the table orders", Saw: orderWords(n)}))
	}
	for i, r := range answers {
		gaveUpOn(c, r, []string{"the first request", "the retry"}[i], didSlow)
	}
	want := a.insist(clients[0], time.Now(), exam.Finding{Did: didSlow + ", and once more when it was written", Expected: "201"})
	a.placed(want, exam.Did(didSlow))
	for _, r := range answers {
		if r.Status != http.StatusConflict && r.Status < http.StatusInternalServerError {
			a.same(want, r, didSlow)
		}
	}
	a.count(1, exam.Finding{Did: didSlow})
}

// takenOver says why a slow attempt and its retry made an order each.
func (a attempt) takenOver(f exam.Finding) exam.Finding {
	var made []wire.Statement
	for _, s := range a.c.Statements() {
		if intoOrders.MatchString(s.SQL) && a.mentions(s, a.item) && s.Err == nil {
			made = append(made, s)
		}
	}
	if len(made) < 2 || made[1].Start.After(made[0].End()) {
		return a.because(f)
	}
	f.Saw += ". While one INSERT into orders was still under way, another request sent a second one: it took the key over from a request that was not dead, only slow, and that one was not kept from its COMMIT"
	return f
}

// gaveUpOn fails when an answer is a 5xx that came before the time was over.
func gaveUpOn(c *exam.C, r *exam.Response, who, did string) {
	if r.Status < http.StatusInternalServerError || r.Duration >= mayTake {
		return
	}
	f := exam.Finding{
		Did:      did,
		Expected: "201 or 409 for both: a first attempt may take 3 seconds, and nobody gives up sooner",
		Saw:      who + " got " + r.String() + " before 3 seconds were over",
		Why:      "An order that takes its time is no failure. Whoever breaks it off turns one slow moment into retries, and these into more of it.",
	}
	refused := slices.ContainsFunc(c.Statements(), func(s wire.Statement) bool {
		return s.Err != nil && !strings.Contains(s.Err.Message, "user request")
	})
	if refused {
		c.Fail(because500(f, c))
	}
	f.Saw += ". PostgreSQL had refused nothing: your program broke off by itself what was under way"
	c.Fail(f)
}
