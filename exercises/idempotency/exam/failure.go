package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// promise is after what time the key of a program that was killed is free, and
// patience how long the examiner waits for one answer.
const (
	promise  = 2 * time.Second
	patience = 10 * time.Second
)

// freeAfterRefusal corrects an order that was refused, under the same key.
func freeAfterRefusal(c *exam.C) {
	a, clients, held := newAttempt(c), bothInstances(c), look(c)
	wrong := a
	wrong.quantity = 0
	refusal(c, wrong.send(clients[0]), http.StatusBadRequest)
	unknown := a
	unknown.item = c.Unique("later")
	refusal(c, unknown.send(clients[0]), http.StatusBadRequest)
	held.settled("an order of something that is not sold, answered with 400")
	did := "an order was refused with 400, corrected, and sent with the same key"
	a.freed(clients[1], clients, did)

	// The same body may be in order a minute later.
	b := newAttempt(c)
	sold := b.item
	b.item = c.Unique("later")
	refusal(c, b.send(clients[0]), http.StatusBadRequest)
	c.DB().Exec(`insert into items (name, price) select $1, price from items where name = $2`, b.item, sold)
	b.freed(clients[0], clients, "an order of something that is not sold was refused with 400; then it went on sale, and the same order came again with the same key")
}

// freed sends an order whose key must be free, and fails unless it is made; then
// it is a key in use like any other.
func (a attempt) freed(cl *exam.Client, clients [2]*exam.Client, did string) {
	before := len(a.c.Statements())
	r := a.send(cl)
	f := exam.Finding{Did: did, Expected: "201, and one order: nothing had been made under that key", Saw: "the answer was " + r.String()}
	switch {
	case r.Status == http.StatusUnprocessableEntity:
		f.Saw += ". The first request still stands under the key, though no order came of it, and this one was compared with it"
		a.c.Fail(f)
	case r.Status == http.StatusConflict:
		f.Saw += ". The key is marked as under way, and whatever was under way has ended"
		a.c.Fail(f)
	case r.Status >= http.StatusInternalServerError:
		a.c.Fail(a.because500Again(f, r, before))
	case r.Status != http.StatusCreated:
		f.Saw += ". The refusal was kept, as if it were the order"
		a.c.Fail(f)
	case a.orders() == 0:
		f.Saw = fmt.Sprintf("the answer was %d with Location %q, and there is no order: key and answer were kept, and the order was not", r.Status, r.Header.Get("Location"))
		a.c.Fail(f)
	}
	a.placed(r)
	a.count(1, exam.Finding{Did: did})
	for _, cl := range clients {
		a.same(r, a.send(cl), "sent an order again that had been made at the second try")
	}
}

// freeAfterFailure lets PostgreSQL refuse the order, and then the COMMIT, as it
// does when a disk is full.
func freeAfterFailure(c *exam.C) {
	clients := bothInstances(c)
	for _, refused := range []struct{ kind, when, what string }{
		{"trigger", "before insert on orders", "PostgreSQL refused the row in orders (53100, no space left on device)"},
		{"constraint trigger", "after insert on orders deferrable initially deferred", "PostgreSQL took every write and refused to commit them (53100, no space left on device)"},
	} {
		a := newAttempt(c)
		full(c, refused.kind, refused.when, a.item)
		r := a.send(clients[0])
		did := "sent an order while " + refused.what
		f := exam.Finding{Did: did, Expected: "500 or 503, and no order", Saw: "the answer was " + r.String() + "; " + thereAre(a.orders())}
		if r.Status != http.StatusInternalServerError && r.Status != http.StatusServiceUnavailable {
			if r.Status == http.StatusCreated {
				f.Saw += ignored(c)
				f.Why = "Until COMMIT has succeeded, nothing has happened that a caller may be told. This one will never try again."
				f.Read = lesson + "one-transaction"
			}
			c.Fail(f)
		}
		refusal(c, r, r.Status)
		a.count(0, exam.Finding{Did: did})
		c.DB().Exec(`drop function no_space() cascade`)
		a.freed(clients[1], clients, did+"; when the disk had room again, sent it once more")

		b := newAttempt(c)
		full(c, refused.kind, refused.when, b.item)
		b.send(clients[0])
		c.DB().Exec(`drop function no_space() cascade`)
		b.quantity++
		b.freed(clients[0], clients, did+"; when the disk had room again, sent another order with that key")
	}
}

// full makes PostgreSQL refuse orders of an item.
func full(c *exam.C, kind, when, item string) {
	c.DB().Exec(`
		create function no_space() returns trigger language plpgsql as $$
		begin
			raise exception using errcode = '53100',
				message = 'could not extend file "base/16384/16402": No space left on device';
		end $$`)
	c.DB().Exec(fmt.Sprintf(`create %s no_space %s for each row when (new.item = '%s') execute function no_space()`, kind, when, item))
}

// holdItem locks an item, so that orders of it can't be written: their foreign key
// waits for that row.
func (a attempt) holdItem() *exam.Hold {
	return a.c.DB().Hold(`select price from items where name = $1 for update`, a.item)
}

// stuck sends an order that can't be written and returns when PostgreSQL works on
// it. did says what the check is about.
func (a attempt) stuck(cl *exam.Client, did string) *exam.Pending {
	p := a.begin(cl)
	eventually(a.c, patience, func() bool { return waiting(a.c) > 0 || p.Answered() })
	if p.Answered() {
		r, err := p.Answer()
		f := exam.Finding{Did: did, Expected: "no answer before the order is written", Saw: fmt.Sprintf("no answer at all: %v", err)}
		if err == nil {
			f.Saw = "the answer was " + r.String() + " while PostgreSQL was still kept from writing the order"
		}
		a.c.Fail(f)
	}
	return p
}

// waiting is how many of the program's sessions wait for a lock.
func waiting(c *exam.C) int64 {
	return c.DB().Int(`
		select count(*) from pg_stat_activity
		where datname = current_database() and usename <> current_user
		  and wait_event_type = 'Lock'`)
}

// settle waits until what the program has sent to PostgreSQL is over, also where
// nobody waits for the answer any more.
func settle(c *exam.C) {
	eventually(c, 3*time.Second, func() bool {
		return c.DB().Int(`
			select count(*) from pg_stat_activity
			where datname = current_database() and usename <> current_user
			  and (state = 'active' or state like 'idle in transaction%')`) == 0
	})
}

// dieBefore kills a program that has not committed.
func dieBefore(c *exam.C) {
	a, clients := newAttempt(c), bothInstances(c)
	did := "sent an order, killed the instance before it could commit, and sent the order again through the other"
	hold := a.holdItem()
	p := a.stuck(clients[0], did)
	c.Instance(0).Kill()
	since := time.Now()
	_, _ = p.Answer()
	hold.Release()
	settle(c)
	a.madeOnce(clients[1], since, did)
}

// dieAfter kills a program that has committed and does not know it yet.
func dieAfter(c *exam.C) {
	a, clients := newAttempt(c), bothInstances(c)
	did := "sent an order, killed the instance when the order was committed and not yet answered, and sent it again through the other"
	p := a.strike(clients[0], did, func() { c.Instance(0).Kill() })
	since := time.Now()
	_, _ = p.Answer()
	settle(c)
	c.DB().Exec(`update orders set status = 'shipped' where user_id = $1`, a.user)
	c.Note("the order has been shipped before the retry")
	r := a.madeOnce(clients[1], since, did)
	c.Instance(0).Restart()
	a.same(r, a.send(clients[0]), did+", and then through the first, which had been started again")
}

// strike sends an order and does harm in the moment in which it is committed,
// before the program hears of that.
func (a attempt) strike(cl *exam.Client, did string, harm func()) *exam.Pending {
	c := a.c
	steps := c.Postgres(0).Steps()
	p := a.begin(cl)
	for steps.Next(p) {
		if a.orders() > 0 {
			c.Note("the order is committed, and the program has not heard of it")
			harm()
			steps.Stop()
			return p
		}
	}
	steps.Stop()
	r, err := p.Answer()
	f := exam.Finding{Did: did, Expected: "an order is committed before it is answered", Saw: fmt.Sprintf("there was no answer: %v", err)}
	if err == nil {
		f.Saw = fmt.Sprintf("the answer was %s, and until then no order had been committed", r)
	}
	c.Fail(f)
	return nil
}

// cutBefore cuts the program's connections while it writes the order.
func cutBefore(c *exam.C) {
	a, clients := newAttempt(c), bothInstances(c)
	did := "sent an order, cut the program's connections to PostgreSQL before it could commit, and sent the order again"
	hold := a.holdItem()
	p := a.stuck(clients[0], did)
	c.Postgres(0).Cut()
	eventually(c, 300*time.Millisecond, p.Answered)
	hold.Release()
	first := a.afterCut(p, did)
	settle(c)
	r := a.madeOnce(clients[0], time.Now(), did)
	if first.Status == http.StatusCreated {
		a.same(first, r, did)
	}
}

// cutAfter lets COMMIT happen, and its answer get lost.
func cutAfter(c *exam.C) {
	a, clients := newAttempt(c), bothInstances(c)
	did := "sent an order, cut the program's connections to PostgreSQL when the order was committed and the program had not heard of it, and sent it again"
	p := a.strike(clients[0], did, func() { c.Postgres(0).Cut() })
	first := a.afterCut(p, did)
	settle(c)
	r := a.madeOnce(clients[1], time.Now(), did)
	if first.Status == http.StatusCreated {
		a.same(first, r, did)
	}
	a.same(r, a.insist(clients[0], time.Now(), exam.Finding{Did: did + " twice", Expected: "the same answer"}), did+" twice")
}

// afterCut is the answer to a request whose connection to PostgreSQL was cut.
func (a attempt) afterCut(p *exam.Pending, did string) *exam.Response {
	r, err := p.Answer()
	f := exam.Finding{Did: did, Expected: "500, 503, or 201 for the first request"}
	if err != nil {
		f.Saw = "the first request got no answer: " + strings.TrimPrefix(err.Error(), "Post ")
		a.c.Fail(f)
	}
	switch r.Status {
	case http.StatusCreated:
	case http.StatusInternalServerError, http.StatusServiceUnavailable:
		refusal(a.c, r, r.Status)
	default:
		f.Saw = "the first request got " + r.String()
		a.c.Fail(f)
	}
	return r
}

// madeOnce retries until the answer is no 409, as long as that may be, and fails
// unless there is one order and the answer is about it, twice.
func (a attempt) madeOnce(cl *exam.Client, since time.Time, did string) *exam.Response {
	c := a.c
	f := exam.Finding{Did: did, Expected: "201 for the retry, at the latest 2 seconds later, and one order"}
	first := c.Statements()
	r := a.insist(cl, since, f)
	n := a.orders()
	f.Saw = fmt.Sprintf("the retry got %s; %s", r, thereAre(n))
	switch {
	case r.Status == http.StatusConflict:
		f.Saw = fmt.Sprintf("2 seconds later the retry still got %s; %s. The key was committed as one under way, and whoever could end that is gone", r, thereAre(n))
		c.Fail(f)
	case n > 1:
		f.Saw = fmt.Sprintf("the retry got %d, and now %s. %s", r.Status, thereAre(n), a.becauseTwice(first))
		c.Fail(f)
	case r.Status == http.StatusCreated && n == 0:
		f.Saw = fmt.Sprintf("the retry got 201 with Location %q, and there is no order: key and answer had been committed, and the order had not", r.Header.Get("Location"))
		f.Why = "A 201 for an order that does not exist is the worst answer: nobody will ever try again."
		c.Fail(f)
	case r.Status >= http.StatusInternalServerError:
		c.Fail(because500(f, c))
	case r.Status != http.StatusCreated:
		c.Fail(f)
	case r.Object()["status"] == "shipped":
		f.Expected = "the answer that the first request would have got, with the status placed"
		f.Saw = fmt.Sprintf("the retry got %s. The order was shipped after the instance had died: this answer was made anew, from the order as it is now. With the order none had been committed", r)
		c.Fail(f)
	}
	a.placed(r, exam.Did(did))
	a.same(r, a.insist(cl, since, f), did+", twice")
	a.count(1, exam.Finding{Did: did + ", twice"})
	return r
}

// attempts is how often a request is sent that is answered with 500 or 503. After
// a cut, a pool may hand out some connections more that are dead.
const attempts = 20

// insist does what the task allows a client: it sends the order until the answer is
// neither 409, as long as that may be, nor a failure that passes.
func (a attempt) insist(cl *exam.Client, since time.Time, f exam.Finding) *exam.Response {
	for failed := 0; ; {
		asked := time.Now()
		r, err := a.try(cl)
		switch {
		case err != nil:
			f.Saw = fmt.Sprintf("the retry had no answer after %s", patience)
			if sql := unanswered(a.c.Statements()); sql != "" {
				f.Saw += "; PostgreSQL had not answered this yet: " + sql
			}
			a.c.Fail(f)
		case r.Status == http.StatusInternalServerError, r.Status == http.StatusServiceUnavailable:
			if failed++; failed == attempts {
				return r
			}
		case r.Status != http.StatusConflict:
			return r
		default:
			wantRetryAfter(a.c, r)
			if asked.Sub(since) > promise {
				return r
			}
			time.Sleep(40 * time.Millisecond)
		}
	}
}
