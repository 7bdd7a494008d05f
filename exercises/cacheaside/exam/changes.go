package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// soon bounds waiting for what is under way.
const soon = 3 * time.Second

// wants reads a product in both languages through each client, and finds the first
// answer that is not it.
func (p *product) wants(did string, clients ...caller) *exam.Finding {
	for _, cl := range clients {
		for _, lang := range languages {
			r := p.get(cl, lang, exam.Timeout(soon))
			if p.shown(r, lang) {
				continue
			}
			f := p.found(did, lang, p.page(lang), r, cl)
			if lang != languages[0] {
				f.Saw += "With lang=" + languages[0] + " the page was right. "
			}
			f.Saw += p.origin(lang, cl, clients)
			if r.Status == http.StatusNotFound {
				f.Why = whyDenied
			}
			return f
		}
	}
	return nil
}

// found is about a wrong answer after a change. A cause is to follow in Saw.
func (p *product) found(did, lang, expected string, r *exam.Response, cl caller) *exam.Finding {
	return &exam.Finding{
		Did:      did + fmt.Sprintf("; then GET %s?lang=%s through instance %d", p.path(), lang, cl.instance),
		Expected: expected,
		Saw:      r.String() + ". ",
	}
}

// origin says where a wrong page of one client must come from.
func (p *product) origin(lang string, cl caller, clients []caller) string {
	for _, other := range clients {
		if other == cl || !p.shown(p.get(other, lang, exam.Timeout(soon)), lang) {
			continue
		}
		if p.shown(p.get(cl, lang, exam.Timeout(soon)), lang) {
			break // it is right by now
		}
		return fmt.Sprintf("Instance %d shows the right page: the old one is in the memory of instance %d, which has not heard of the change", other.instance, cl.instance)
	}
	return p.told()
}

// told says what the last change of the product told Redis, for the end of a
// sentence.
func (p *product) told() string {
	if p.change == nil {
		return p.held()
	}
	return p.change.told()
}

// gone reads a product in both languages, and finds an answer that is no 404.
func (p *product) gone(did string, clients ...caller) *exam.Finding {
	for _, cl := range clients {
		for _, lang := range languages {
			r := p.get(cl, lang, exam.Timeout(soon))
			if r.Status != http.StatusNotFound {
				f := p.found(did, lang, "404", r, cl)
				f.Saw += p.told()
				return f
			}
		}
	}
	return nil
}

func showChanges(c *exam.C) {
	a, b := pair(c)
	thrice(c, func() *exam.Finding {
		p, other := stored(c), absent(c)
		other.sku = p.sku + "0" // a pattern that is meant for p finds it too
		other.insert()
		p.warm(a, b)
		other.warm(a)
		q := p.changed()
		q.put(a).Want(http.StatusNoContent)
		if f := other.hits(b, "de", "read a product, changed another one, and read the first again"); f != nil {
			f.Saw, _, _ = strings.Cut(f.Saw, ". Redis holds")
			f.Saw += ". Its page was there, and went with the change of the other one. " + q.told()
			if strings.Contains(q.change.told(), other.sku) {
				f.Saw += ". Its SKU begins with that of the other one, and it was dropped as if it were the same"
			}
			f.Why = "A shop changes some product all the time. If each change empties the cache, there is none."
			return f
		}
		if f := q.wants("read a product in both languages through two instances, changed it through instance 1", a, b); f != nil {
			return f
		}
		r := q.changed()
		r.put(b).Want(http.StatusNoContent)
		if f := r.wants("changed it again, through instance 2", a, b); f != nil {
			return f
		}
		p.remove(a).Want(http.StatusNoContent)
		if f := p.gone("read a product through two instances, and deleted it through instance 1", b, a); f != nil {
			f.Saw += ". After the two PUTs before it every page was right"
			f.Why = whyGone
			return f
		}
		p.put(b).Want(http.StatusNoContent)
		return p.wants("deleted a product, read it, which gave 404, and created it again", a, b)
	})
}

// slowWay is how long commands of one instance take to Redis: less than a program
// has to wait for them.
const slowWay = 60 * time.Millisecond

// answerInOrder makes the way of one instance to Redis a long one, and looks through
// another as soon as the first has answered.
func answerInOrder(c *exam.C) {
	a, b := pair(c)
	faults := c.RedisFaults(first)
	thrice(c, func() *exam.Finding {
		p, n := stored(c), stored(c)
		p.warm(a, b)
		q := p.changed()
		defer faults.Delay(0)
		faults.Delay(slowWay)
		q.put(a).Want(http.StatusNoContent)
		f := q.wants(fmt.Sprintf("changed a product through instance 1, whose commands take %s to Redis, and read it through instance 2 as soon as the change was answered", slowWay), b)
		if f != nil {
			f.Did, _, _ = strings.Cut(f.Did, ";")
			eventually(c, soon, func() bool { return len(q.change.sent()) > 0 })
			f.Saw, _, _ = strings.Cut(f.Saw, ". For the ")
			f.Saw += ". " + q.told()
			return f
		}
		n.wantPage(n.get(a, "en"), "en")
		return n.hits(b, "en", fmt.Sprintf("read a product through instance 1, whose commands take %s to Redis, and through another as soon as it was answered", slowWay))
	})
}

// atCommit lets PostgreSQL run body when a transaction commits that has changed one
// of these products. It returns what takes that back.
func atCommit(c *exam.C, name, body string, products ...*product) (undo func()) {
	skus := make([]string, len(products))
	for i, p := range products {
		skus[i] = "'" + p.sku + "'"
	}
	c.DB().Exec(fmt.Sprintf(`create function %s() returns trigger language plpgsql as $$ begin %s; return null; end $$`, name, body))
	c.DB().Exec(fmt.Sprintf(`create constraint trigger %s after insert or update on products
		deferrable initially deferred for each row when (new.sku in (%s)) execute function %s()`,
		name, strings.Join(skus, ", "), name))
	return func() { c.DB().Exec(fmt.Sprintf(`drop function %s() cascade`, name)) }
}

// waiting is how many of the program's sessions wait for a lock.
func waiting(c *exam.C) int64 {
	return c.DB().Int(`
		select count(*) from pg_stat_activity
		where datname = current_database() and usename <> current_user
		  and wait_event_type = 'Lock'`)
}

// waitForCommit keeps a COMMIT from ending, and reads meanwhile.
func waitForCommit(c *exam.C) {
	thrice(c, func() *exam.Finding {
		p := stored(c)
		return holdCommit(c, p, "changed a product that was cached", p.wants)
	})
	thrice(c, func() *exam.Finding {
		p := absent(c)
		return holdCommit(c, p, "created a product of which the cache knew that it does not exist", p.gone)
	})
	thrice(c, func() *exam.Finding {
		p := stored(c)
		return holdCommit(c, p, "changed a product that was not cached", p.coldly)
	})
}

// holdCommit keeps the COMMIT of a change from ending. before finds whether reads
// show something else than what was there before.
func holdCommit(c *exam.C, p *product, what string, before func(string, ...caller) *exam.Finding) *exam.Finding {
	const lock = 7701
	a, b := pair(c)
	q := p.changed()
	if !strings.HasSuffix(what, "not cached") {
		if f := before("read a product", a, b); f != nil {
			return f
		}
	}
	undo := atCommit(c, "wait_at_commit", fmt.Sprintf("perform pg_advisory_xact_lock(%d)", lock), p)
	hold := c.DB().Hold(fmt.Sprintf(`select pg_advisory_xact_lock(%d)`, lock))
	change := begin(p, http.MethodPut, a)
	p.change, q.change = change, change
	put := a.Send(http.MethodPut, p.path(), q.body())
	eventually(c, soon, func() bool { return waiting(c) > 0 || put.Answered() })
	c.Note("the change waits in its COMMIT")
	change.readsFrom = time.Now()
	f := before(what+", and read it while the COMMIT was not done", b, a)
	change.readsTo = time.Now()
	early := put.Answered()
	hold.Release()
	r, err := put.Answer()
	change.to = time.Now()
	undo()
	switch {
	case f != nil:
		if f.Why == "" || f.Why == whyDenied {
			f.Why = whyEarly
		}
		return f
	case err != nil:
		c.Fail(exam.Finding{Did: what, Expected: "204", Saw: "no answer: " + err.Error()})
	case early:
		c.Fail(exam.Finding{Did: what + ", while its COMMIT was not done", Expected: "no answer yet", Saw: r.String()})
	}
	r.Want(http.StatusNoContent)
	f = q.wants(what+", read it while the COMMIT was not done, and waited for the 204", a, b)
	if f != nil && change.droppedEarly() {
		f.Saw += ". Whoever read in between found the old row, and put it back"
	}
	return f
}

// refuseCommit lets PostgreSQL take the writes and refuse the COMMIT.
func refuseCommit(c *exam.C) {
	a, b := pair(c)
	thrice(c, func() *exam.Finding {
		p, n := stored(c), absent(c)
		p.warm(a, b)
		undo := atCommit(c, "no_space", `raise exception using errcode = '53100', message = 'could not extend file: No space left on device'`, p, n)
		const what = "PostgreSQL refused the COMMIT (53100, no space left on device)"
		q := p.changed()
		refusal(c, q.put(a), http.StatusInternalServerError, http.StatusServiceUnavailable)
		refusal(c, n.put(a), http.StatusInternalServerError, http.StatusServiceUnavailable)
		undo()
		p.change = q.change
		if f := p.wants("changed a product, and "+what, a, b); f != nil {
			if strings.Contains(f.Saw, q.name["en"]) || strings.Contains(f.Saw, q.name["de"]) {
				f.Saw += ". The page is that of the refused change"
			}
			return f
		}
		p.unwritten(1, "changed a product, and "+what)
		n.unwritten(0, "created a product, and "+what)
		return n.gone("created a product, and "+what, a, b)
	})
	refuseHistory(c)
}

// loseCommit cuts the connection when a COMMIT was done, before its answer.
func loseCommit(c *exam.C) {
	a, b := pair(c)
	faults := c.Postgres(first)
	thrice(c, func() *exam.Finding {
		p := stored(c)
		p.warm(a, b)
		q := p.changed()
		before := faults.Bites()[0].CutAfter
		faults.CutAfter(func(s wire.Statement) bool { return commits(s, p) }, wire.CutBeforeAnswer)
		r := q.put(a)
		if faults.Bites()[0].CutAfter == before {
			return nil // the program commits in a way of its own
		}
		if r.Status == http.StatusNoContent {
			return q.wants("lost the answer to a COMMIT, which was done, and the program answered 204", a, b)
		}
		refusal(c, r, http.StatusInternalServerError, http.StatusServiceUnavailable)
		p.change = q.change
		want := p
		if c.DB().Int(`select price from products where sku = $1`, p.sku) == q.price {
			want = q
		}
		return want.wants("changed a product, and cut the connection when PostgreSQL had done the COMMIT, before its answer: "+r.String(), a, b)
	})
}

// commits tells whether the statement is the last of a change of the product.
func commits(s wire.Statement, p *product) bool {
	if s.Verb() == "COMMIT" || s.Verb() == "END" {
		return true
	}
	return s.Verb() == "WITH" && strings.Contains(s.SQL, "price_changes")
}

// changeTwice lets the first of two changes be late on its way to Redis.
func changeTwice(c *exam.C) {
	thrice(c, func() *exam.Finding { return changeLate(c, http.MethodPut) })
	thrice(c, func() *exam.Finding { return changeLate(c, http.MethodDelete) })
}

func changeLate(c *exam.C, method string) *exam.Finding {
	a, b := pair(c)
	faults := c.RedisFaults(first)
	p := stored(c)
	p.warm(a, b)
	q := p.changed()
	r := q.changed()
	faults.Delay(soon)
	before := faults.Bites()[0].Delayed
	q.change = begin(q, method, a)
	var body any
	if method == http.MethodPut {
		body = q.body()
	}
	late := a.Send(method, q.path(), body)
	eventually(c, time.Second, func() bool { return faults.Bites()[0].Delayed > before || late.Answered() })
	r.put(b).Want(http.StatusNoContent)
	faults.Delay(0)
	answer, err := late.Answer()
	q.change.to = time.Now()
	c.Require(err == nil && answer.Status == http.StatusNoContent, exam.Finding{Did: "changed a product", Expected: "204", Saw: fmt.Sprint(answer, err)})
	if method == http.MethodDelete {
		return r.afterDelete(q.change, a, b)
	}
	want, other := r, q
	if c.DB().Int(`select price from products where sku = $1`, p.sku) == q.price {
		want, other = q, r
	}
	f := want.wants("changed a product through each of two instances at once, while what instance 1 sent was late at Redis", a, b)
	if f == nil {
		return nil
	}
	f.Saw += ". " + other.told()
	wrote, ok := want.change.lastWrite()
	if late, also := other.change.lastWrite(); ok && also && late.After(wrote) {
		f.Saw += ". Both have written to the cache what they had stored, and the later write is of the earlier change"
	}
	return f
}

// afterDelete looks at a product that was deleted and put at once.
func (p *product) afterDelete(gone *change, clients ...caller) *exam.Finding {
	const did = "deleted a product through instance 1, whose commands were late at Redis, and put it again through instance 2 meanwhile"
	if p.c.DB().Int(`select count(*) from products where sku = $1`, p.sku) == 0 {
		return p.gone(did, clients...) // the DELETE came later after all
	}
	f := p.wants(did, clients...)
	if f == nil {
		return nil
	}
	f.Saw += ". " + gone.told()
	if _, wrote := gone.lastWrite(); wrote {
		f.Saw += ". The DELETE has written to the cache that there is no such product, when there was one again"
	}
	return f
}
