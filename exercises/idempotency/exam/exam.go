// Package exam examines the order service: two instances of the program against
// one PostgreSQL, and clients that send everything twice.
package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	lesson = "apis/idempotency#"

	whyContract = "Callers go by the status and by the fields of the contract. What they were not told about, they can't handle."
	whyKey      = "A client that forgets the key works well until its first retry. Refused from the first request on, its author notices on the first day."
	whyRetry    = "Whoever retries does not know what became of the first try. The retry is the only way to find out, so it has to tell exactly that."
	whyBody     = "A key that comes with another body is a fault of the client: a counter that began anew, a key kept for the next order. Answered with the old order, it goes unnoticed, and the new order is never made."
	whyUser     = "Keys are chosen by clients, which know nothing of each other. Two will choose the same, by accident or by intent."
	whyFree     = "The customer corrects the order, or the shop its disk, and the app sends it again. A key that remembers the refusal has turned a moment's trouble into one that lasts."
	whyKilled   = "Deployments, full memories and dead machines end programs at any moment. With enough orders a day one of them is between any two of your lines."
	whyLost     = "A connection can break while COMMIT is under way. The program then can't know whether it happened, so it must not act as if it knew."
	whyAtOnce   = "Retries do not come politely one after the other: an app sends again while the first request is still in a queue, and a load balancer takes it to the other instance."
	whyOthers   = "One order that hangs must stay one customer's trouble. A lock wider than the key makes it everybody's."
	whyLeft     = "A lock that outlives its request stops the next retry, and a pool runs dry one forgotten transaction at a time."
)

// Exam declares the checks: first one client that nobody disturbs, then failures
// and crashes at chosen moments, then many at once.
func Exam(x *exam.X) {
	x.Instances(2)
	x.Check("order", "takes an order and shows it to its buyer", takeOrder, exam.Why(whyContract))
	x.Check("bad-order", "refuses what is no order", refuseBadOrders, exam.After("order"), exam.Why(whyContract))
	x.Check("key-required", "refuses an order without a usable key", requireKey, exam.After("order"),
		exam.Why(whyKey), exam.Read(lesson+"a-key-from-the-client"))
	x.Check("retry", "gives a retry the first answer, byte for byte", replay, exam.After("order", "key-required"),
		exam.Why(whyRetry), exam.Read(lesson+"keep-the-answer"))
	x.Check("other-body", "refuses another body under the same key", refuseOtherBody, exam.After("retry"),
		exam.Why(whyBody), exam.Read(lesson+"the-same-request"))
	x.Check("own-keys", "keeps keys and users apart", keepUsersApart, exam.After("retry"),
		exam.Why(whyUser), exam.Read(lesson+"whose-key"))
	x.Check("refused-first", "leaves a key free when the order was refused", freeAfterRefusal, exam.After("retry", "bad-order"),
		exam.Why(whyFree), exam.Read(lesson+"only-an-order-uses-a-key-up"))
	x.Check("failed-first", "leaves a key free when PostgreSQL refused the order", freeAfterFailure, exam.After("retry"),
		exam.Why(whyFree), exam.Read(lesson+"only-an-order-uses-a-key-up"))
	x.Check("crash-before", "frees the key of a program that died before COMMIT", dieBefore, exam.After("retry"),
		exam.Why(whyKilled), exam.Read(lesson+"one-transaction"))
	x.Check("crash-after", "gives the first answer after a death between COMMIT and answer", dieAfter, exam.After("retry"),
		exam.Why(whyKilled), exam.Read(lesson+"one-transaction"))
	x.Check("cut-before", "makes the order once when the connection broke before COMMIT", cutBefore, exam.After("retry"),
		exam.Why(whyLost), exam.Read(lesson+"when-nobody-knows"))
	x.Check("cut-after", "makes the order once when the answer to COMMIT was lost", cutAfter, exam.After("retry"),
		exam.Why(whyLost), exam.Read(lesson+"when-nobody-knows"))
	x.Check("at-once", "makes one order of fifty requests at once", fiftyAtOnce, exam.After("retry"),
		exam.Why(whyAtOnce), exam.Read(lesson+"who-comes-second"))
	x.Check("under-way", "lets a retry wait, or says 409, while the first is under way", retryUnderWay, exam.After("retry"),
		exam.Why(whyAtOnce), exam.Read(lesson+"who-comes-second"))
	x.Check("slow-first", "makes one order when the first request is slow", takeTime, exam.After("at-once", "under-way"),
		exam.Why(whyAtOnce), exam.Read(lesson+"who-comes-second"))
	x.Check("other-keys", "takes other orders while one hangs", leaveOthersAlone, exam.After("retry", "own-keys"),
		exam.Why(whyOthers), exam.Read(lesson+"who-comes-second"))
}

func takeOrder(c *exam.C) {
	for i, cl := range bothInstances(c) {
		a := newAttempt(c)
		r := a.send(cl)
		id := a.placed(r)
		path := fmt.Sprintf("/orders/%d", id)
		got := bothInstances(c)[1-i].Get(path, exam.Header("X-User", a.user)).
			Want(http.StatusOK).WantType("application/json").Object()
		for field, want := range r.Object() {
			c.Equal(got[field], want, field+" in what the other instance shows of the order")
		}
		refusal(c, cl.Get(path, exam.Header("X-User", c.Unique("eve"))), http.StatusNotFound)
		refusal(c, cl.Get(fmt.Sprintf("/orders/%d", id+1_000_000), exam.Header("X-User", a.user)), http.StatusNotFound)
		refusal(c, cl.Get(path), http.StatusUnauthorized)
		refusal(c, cl.Post("/orders", a.body(), exam.Header("Idempotency-Key", c.Unique("key"))), http.StatusUnauthorized)
	}
}

func refuseBadOrders(c *exam.C) {
	a := newAttempt(c)
	for _, body := range []string{
		fmt.Sprintf(`{"item":%q,"quantity":0}`, a.item),
		fmt.Sprintf(`{"item":%q,"quantity":-1}`, a.item),
		fmt.Sprintf(`{"item":%q,"quantity":1001}`, a.item),
		fmt.Sprintf(`{"item":%q,"quantity":1.5}`, a.item),
		fmt.Sprintf(`{"item":%q,"quantity":"2"}`, a.item),
		fmt.Sprintf(`{"item":%q}`, a.item),
		`{"quantity":1}`,
		fmt.Sprintf(`{"item":%q,"quantity":1}`, c.Unique("unknown")),
		`one rope`,
	} {
		r := c.Post("/orders", body, exam.Header("X-User", a.user), exam.Header("Idempotency-Key", c.Unique("key")))
		refusal(c, r, http.StatusBadRequest)
		a.count(0, exam.Finding{Did: r.Did()})
	}
}

// requireKey sends orders with all sorts of keys.
func requireKey(c *exam.C) {
	a := newAttempt(c)
	for _, bad := range []struct{ key, what string }{
		{"", "no Idempotency-Key"},
		{" ", "an empty Idempotency-Key"},
		{strings.Repeat("k", 256), "an Idempotency-Key of 256 characters"},
		{"clé-" + a.key, "an Idempotency-Key with an é in it"},
		{"a b" + a.key, "an Idempotency-Key with a space in it"},
	} {
		a.key = bad.key
		r := a.send(c.Client("A", exam.To(0)))
		did := r.Did() + " and " + bad.what
		refusal(c, r, http.StatusBadRequest, exam.Did(did))
		a.count(0, exam.Finding{Did: did})
	}
	for _, good := range []struct{ key, what string }{
		{c.Unique("k") + strings.Repeat("k", 255-10), "an Idempotency-Key of 255 characters"},
		{c.Unique("k") + "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~Aa0", "an Idempotency-Key of all sorts of visible characters"},
	} {
		a.key = good.key
		r := a.send(c.Client("A", exam.To(0)))
		r.Want(http.StatusCreated, exam.Did(r.Did()+" and "+good.what), exam.Why(whyContract))
	}
}

// leavings are what the program's sessions hold while they have nothing to do.
type leavings struct {
	c     *exam.C
	since string // what was left before is another check's finding
}

func look(c *exam.C) leavings {
	return leavings{c, c.DB().Text(`select clock_timestamp()::text`)}
}

// settled fails unless, within a second, no session of the program holds anything
// that it did not hold before. A rollback may come a moment after the answer.
func (l leavings) settled(did string) {
	var rows []map[string]any
	if eventually(l.c, time.Second, func() bool {
		rows = l.c.DB().Rows(`
			select * from (
				select a.state, a.query,
				       (select count(*) from pg_locks l
				        where l.pid = a.pid and l.granted and l.locktype = 'advisory') as locks
				from pg_stat_activity a
				where a.datname = current_database() and a.usename <> current_user
				  and a.state_change >= $1::timestamptz
			) s
			where s.state like 'idle in transaction%' or s.state = 'idle' and s.locks > 0`, l.since)
		return len(rows) == 0
	}) {
		return
	}
	state, query := fmt.Sprint(rows[0]["state"]), oneLine(fmt.Sprint(rows[0]["query"]))
	f := exam.Finding{
		Did:      did,
		Expected: "no transaction is open and no lock held once the answer is out",
		Saw:      fmt.Sprintf("a second later a session of yours was still %q; its last statement was: %s", state, query),
		Why:      whyLeft,
		Read:     lesson + "who-comes-second",
	}
	if state == "idle" {
		f.Saw = "a second later an idle session of yours still held an advisory lock; its last statement was: " + query
	}
	l.c.Fail(f)
}

// refusal fails unless the answer has the status and says in JSON why.
func refusal(c *exam.C, r *exam.Response, status int, opts ...exam.Option) {
	r.Want(status, opts...)
	r.WantType("application/json", opts...)
	text, ok := r.Object(opts...)["error"].(string)
	c.Require(ok && strings.TrimSpace(text) != "", exam.Finding{
		Did:      r.Did(),
		Expected: `a JSON object whose "error" says what is wrong`,
		Saw:      r.String(),
		Why:      "Whoever calls this has a status to act on; a person who looks at it needs a sentence.",
	})
}

func bothInstances(c *exam.C) [2]*exam.Client {
	return [2]*exam.Client{c.Client("A", exam.To(0)), c.Client("B", exam.To(1))}
}

// eventually asks again every few milliseconds until ok is true, or gives up
// after d.
func eventually(c *exam.C, d time.Duration, ok func() bool) bool {
	for end := time.Now().Add(d); ; time.Sleep(3 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(end) || c.Context().Err() != nil {
			return false
		}
	}
}
