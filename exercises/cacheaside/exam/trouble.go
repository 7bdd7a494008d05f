package exam

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

const (
	// promise is how soon the task wants an answer when Redis is away.
	promise = time.Second
	// grace is how much later something may be seen on a busy machine.
	grace = time.Second
	// back is how soon everything must hold again.
	back = 2 * time.Second
	// patience bounds waiting for a start.
	patience = 10 * time.Second
)

// keepNoError takes PostgreSQL away from one instance for a moment.
func keepNoError(c *exam.C) {
	a := through(c, "A", first)
	known, unknown, missing := stored(c), stored(c), absent(c)
	known.warm(a)
	faults := c.Postgres(first)
	faults.Refuse(true)
	faults.Cut()
	r := known.get(a, "en")
	known.wantPage(r, "en", exam.Did(r.Did()+", which had been read before, while PostgreSQL was away"))
	away := map[*product]int{}
	for _, p := range []*product{unknown, missing} {
		p.change = begin(p, http.MethodGet, a)
		r := p.get(a, "en")
		p.change.to, away[p] = time.Now(), r.Status
		r.WantOneOf([]int{http.StatusInternalServerError, http.StatusServiceUnavailable},
			exam.Why("404 says that there is no such product. PostgreSQL has said nothing of the kind."),
			exam.Did(r.Did()+", which had not been read before, while PostgreSQL refused every connection"))
	}
	faults.Refuse(false)
	var last *exam.Response
	if !eventually(c, back+grace, func() bool { last = unknown.get(a, "en"); return unknown.shown(last, "en") }) {
		c.Fail(exam.Finding{
			Did:      "read a product while PostgreSQL was away, and again for seconds after it had come back",
			Expected: unknown.page("en"),
			Saw: fmt.Sprintf("%s. While PostgreSQL was away the answer was %d, which is right. %s",
				last, away[unknown], unknown.change.list("For that read")),
		})
	}
	missing.get(a, "en").Want(http.StatusNotFound)
}

// readForeign puts bytes into the place of an entry.
func readForeign(c *exam.C) {
	a, b := pair(c)
	for _, foreign := range []struct{ what, bytes string }{
		{"bytes that are no text", "\xff\x00\x17\x80"},
		{"half of a JSON object", `{"title":"Becher","ce`},
		{"what the version before wrote", `{"title":"Becher","cents":1290}`},
	} {
		thrice(c, func() *exam.Finding { return replaced(c, a, b, foreign.what, foreign.bytes) })
	}
}

// readList puts a list into the place of an entry.
func readList(c *exam.C) {
	a, b := pair(c)
	p := stored(c)
	p.wantPage(p.get(a, "de"), "de")
	for _, key := range p.keys() {
		c.Redis().Do("DEL", key)
		c.Redis().Do("RPUSH", key, "a", "b")
		c.Redis().Do("PEXPIRE", key, ttl.Milliseconds())
	}
	r := p.get(b, "de")
	if r.Status != http.StatusOK || !p.shown(r, "de") {
		c.Fail(exam.Finding{Did: "put a list into Redis in the place of a product's entry, and read the product", Expected: p.page("de"), Saw: r.String()})
	}
}

func replaced(c *exam.C, a, b caller, what, bytes string) *exam.Finding {
	p := stored(c)
	p.wantPage(p.get(a, "de"), "de")
	for _, key := range p.keys() {
		c.Redis().Do("SET", key, bytes, "KEEPTTL")
	}
	did := "put " + what + " into Redis in the place of a product's entry"
	r := p.get(b, "de")
	f := exam.Finding{Did: did + ", and read the product", Expected: p.page("de"), Saw: r.String()}
	if r.Status != http.StatusOK {
		c.Fail(f)
	}
	var any map[string]any
	r.JSON(&any, exam.Did(f.Did), exam.Expected(f.Expected), exam.Saw(fmt.Sprintf("200, and the foreign bytes were sent on as they were: %s", r)))
	if d := p.differs(r, "de"); d != "" {
		f.Saw += ". " + d
		if any["sku"] != nil || any["name"] != nil {
			f.Saw += ": what the decoder did not find has become an empty text or a zero"
		}
		c.Fail(f)
	}
	found := p.hits(a, "de", did+", and read the product twice")
	if found != nil {
		found.Saw += ". The entry was not replaced"
	}
	return found
}

// acceptErrors lets Redis answer every write with an error.
func acceptErrors(c *exam.C) {
	a := through(c, "A", first)
	p, q := stored(c), stored(c)
	p.warm(a)
	c.Redis().Do("CONFIG", "SET", "min-replicas-to-write", 1)
	const when = ", while Redis answered every write with an error (NOREPLICAS)"
	var answers []*exam.Response
	var causes []string
	for _, send := range []func() *exam.Response{
		func() *exam.Response { return q.get(a, "en") },
		func() *exam.Response { return absent(c).get(a, "en") },
		func() *exam.Response { return p.changed().put(a) },
		func() *exam.Response { return q.remove(a) },
	} {
		before := len(sql(c))
		answers = append(answers, send())
		causes = append(causes, because500(since(c, before)))
	}
	c.Redis().Do("CONFIG", "SET", "min-replicas-to-write", 0)
	for i, want := range []int{200, 404, 204, 204} {
		r := answers[i]
		saw := r.String()
		if r.Status >= http.StatusInternalServerError {
			saw += causes[i]
		}
		r.Want(want, exam.Did(r.Did()+when), exam.Saw(saw))
	}
}

// because500 says of a failure without Redis what PostgreSQL had to do with it.
// ran are the statements of that request.
func because500(ran []wire.Statement) string {
	for _, s := range ran {
		if s.Err != nil || s.Lost || s.Pending {
			return ""
		}
	}
	if len(ran) == 0 {
		return ". PostgreSQL was asked for nothing: the error of Redis became the answer"
	}
	return ". PostgreSQL had done its part: the error of Redis became the answer all the same"
}

// surviveOutage takes Redis away from one instance, in the ways in which it goes:
// it was never there, it refuses, it says nothing.
func surviveOutage(c *exam.C) {
	run := c.Run(patience, "REDIS_URL=redis://127.0.0.1:9/0")
	if !run.Listened {
		saw := "it did not listen in " + patience.String()
		if !run.Running() {
			saw = "it " + run.Ending()
		}
		c.Fail(exam.Finding{
			Did: "started the program with a REDIS_URL at which nothing listens", Expected: "it starts, and shows products", Saw: saw,
			Why: "After a power cut everything starts at once, in any order. A cache is the last thing to wait for.",
		})
	}
	p := stored(c)
	inTime(c, caller{Client: c.Client("E", exam.ToInstance(run.Instance))}, p, http.MethodGet, "when the program was started without Redis", http.StatusOK)

	cl := through(c, "D", severed)
	faults := c.RedisFaults(severed)
	p.warm(cl)
	faults.Refuse(true)
	faults.Cut()
	withoutRedis(c, cl, p, "while Redis refused every connection")
	faults.Refuse(false)
	recovers(c, cl, "Redis accepted connections again")

	// Many at once: they must not wait for each other either.
	all := storedMany(c, 3)
	all[0].warm(cl)
	faults.BlackHole(true)
	c.Burst(len(all), func(i int) { withoutRedis(c, cl, all[i], "while Redis answered nothing") })
	faults.BlackHole(false)
	recovers(c, cl, "Redis answered again")
}

// withoutRedis reads and changes through an instance that can't reach Redis. What
// it shows must come from PostgreSQL.
func withoutRedis(c *exam.C, cl caller, p *product, when string) {
	r := inTime(c, cl, p, http.MethodGet, when, http.StatusOK)
	p.wantPage(r, "en", exam.Did("GET of a product "+when))
	inTime(c, cl, absent(c), http.MethodGet, when, http.StatusNotFound)
	q := p.changed()
	inTime(c, cl, q, http.MethodPut, when, http.StatusNoContent)
	r = inTime(c, cl, q, http.MethodGet, when, http.StatusOK)
	if d := q.differs(r, "en"); d != "" {
		c.Fail(exam.Finding{Did: "changed a product " + when + ", and read it", Expected: q.page("en"), Saw: r.String(), Why: whyStale})
	}
	*p = *q
}

// inTime sends a request about a product, and fails the check unless it is answered
// in time, and as wanted.
func inTime(c *exam.C, cl caller, p *product, method, when string, want int) *exam.Response {
	var body any
	if method == http.MethodPut {
		body = p.body()
	}
	began := time.Now()
	r, err := cl.Try(method, p.path(), body, exam.Timeout(promise+grace))
	f := exam.Finding{Did: method + " of a product " + when, Expected: fmt.Sprintf("%d within %s", want, promise)}
	switch {
	case err != nil && time.Since(began) >= promise:
		f.Saw = fmt.Sprintf("no answer in %s", promise+grace)
		f.Why = "Nobody has decided how long this program waits for its cache, so the default of some library has. Requests pile up, and the shop is closed although PostgreSQL is well."
	case err != nil:
		f.Saw = "the connection was closed without an answer"
	case r.Status != want:
		f.Saw = r.String()
		if r.Status >= http.StatusInternalServerError {
			f.Saw += because500(about(p, began))
		}
	default:
		return r
	}
	c.Fail(f)
	return nil
}

// about are the statements that name a product and began after a moment.
func about(p *product, after time.Time) []wire.Statement {
	return slices.DeleteFunc(sql(p.c), func(s wire.Statement) bool {
		return s.Start.Before(after) || !slices.Contains(s.Params, p.sku) && !strings.Contains(s.SQL, p.sku)
	})
}

// recovers waits until the instance caches again, and looks whether a change is
// seen.
func recovers(c *exam.C, cl caller, what string) {
	if !usable(c, cl) {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("read products for %s after %s", back+grace, what),
			Expected: fmt.Sprintf("within %s they are cached again", back), Saw: "Redis holds no key of them",
			Why: "An outage of a second has become one without end: everything works, and everything is slow.",
		})
	}
	thrice(c, func() *exam.Finding {
		p := stored(c)
		p.warm(cl)
		q := p.changed()
		q.put(cl).Want(http.StatusNoContent)
		return q.wants("read a product when "+what+", and changed it", cl)
	})
}
