package exam

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// rounding is how far an expiry may be off its bounds.
const rounding = 50 * time.Millisecond

// many is how many products are read in a moment, to see their expiries differ.
const many = 30

// left is how long a key has to live, and for how long it had been there: at most
// age.
type left struct {
	key string
	ttl time.Duration
	age time.Duration
}

// expiries returns what Redis holds of the product, which was read after since. It
// finds a key without an expiry, or with one above most.
func (p *product) expiries(since time.Time, most time.Duration, what string) ([]left, *exam.Finding) {
	var all []left
	for _, key := range p.keys() {
		d := p.c.Redis().TTL(key)
		switch {
		case d == exam.NoKey:
			continue
		case d == exam.NoExpiry:
			return nil, &exam.Finding{
				Did: "looked at the key " + key + " after " + what, Expected: fmt.Sprintf("an expiry of at most %s", most),
				Saw: "none: it stays for ever",
			}
		case d > most+rounding:
			return nil, &exam.Finding{
				Did: "looked at the key " + key + " after " + what, Expected: fmt.Sprintf("an expiry of at most %s", most),
				Saw: "more than that" + times(d, most),
			}
		}
		all = append(all, left{key: strings.Replace(key, p.sku, "…", 1), ttl: d, age: time.Since(since)})
	}
	return all, nil
}

// times says how many times too long an expiry is.
func times(d, most time.Duration) string {
	switch n := math.Round(float64(d) / float64(most)); {
	case n >= 100_000:
		return ", by a factor of some hundred thousand or more: it seems to be in another unit"
	case n >= 3:
		return fmt.Sprintf(", about %.0f times as long", n)
	}
	return ", though not three times as long"
}

func expire(c *exam.C) {
	a, b := pair(c)
	thrice(c, func() *exam.Finding {
		if f := haveExpiry(c, a); f != nil {
			return f
		}
		if f := drawAnew(c, a); f != nil {
			return f
		}
		return stayShort(c, a, b)
	})
	cutShort(c, a)
}

// haveExpiry reads many products, and looks at what Redis holds of them.
func haveExpiry(c *exam.C, cl caller) *exam.Finding {
	found := map[string][]left{}
	for _, p := range storedMany(c, many) {
		began := time.Now()
		p.wantPage(p.get(cl, "en"), "en")
		all, f := p.expiries(began, ttl, "a read")
		if f != nil {
			return f
		}
		for _, l := range all {
			found[l.key] = append(found[l.key], l)
		}
		if len(all) > 0 { // where each key has another form, the one that stays longest is the entry
			last := slices.MaxFunc(all, func(a, b left) int { return int(a.ttl - b.ttl) })
			found[""] = append(found[""], last)
		}
	}
	const did = "read 30 products, and looked at the expiry of their keys"
	longest := time.Duration(0)
	for _, all := range found {
		low := slices.MinFunc(all, func(a, b left) int { return int(a.ttl + a.age - b.ttl - b.age) })
		high := slices.MaxFunc(all, func(a, b left) int { return int(a.ttl - b.ttl) })
		longest = max(longest, low.ttl+low.age)
		if len(all) >= many-2 && low.ttl+low.age >= ttl*3/4-rounding && high.ttl-low.ttl-low.age >= ttl/10 {
			return nil // these are the entries
		}
	}
	if longest < ttl*3/4-rounding {
		return &exam.Finding{
			Did: did, Expected: fmt.Sprintf("each is at least three quarters of CACHE_TTL, %s", ttl*3/4), Saw: "one is shorter",
			Why: "Whatever expires too early has to be read again for nothing.",
		}
	}
	return &exam.Finding{
		Did: did, Expected: "the longest and the shortest differ by a tenth of CACHE_TTL or more",
		Saw:  "all are the same, or nearly",
		Why:  "After a restart, everything is read within seconds. A minute later it expires within seconds, all of it, and PostgreSQL gets in one moment what should come in a minute.",
		Read: lesson + "not-all-at-once",
	}
}

// drawAnew lets the entry of one page be written some times.
func drawAnew(c *exam.C, cl caller) *exam.Finding {
	p := stored(c)
	var all []left
	for range 6 {
		for _, key := range p.keys() {
			c.Redis().Do("DEL", key)
		}
		began := time.Now()
		p.wantPage(p.get(cl, "en"), "en")
		keys, f := p.expiries(began, ttl, "a read")
		if f != nil || len(keys) == 0 {
			return f
		}
		all = append(all, slices.MaxFunc(keys, func(a, b left) int { return int(a.ttl - b.ttl) }))
	}
	low := slices.MinFunc(all, func(a, b left) int { return int(a.ttl + a.age - b.ttl - b.age) })
	high := slices.MaxFunc(all, func(a, b left) int { return int(a.ttl - b.ttl) })
	if high.ttl > low.ttl+low.age {
		return nil
	}
	return &exam.Finding{
		Did:      fmt.Sprintf("read a product %d times, and dropped its keys from Redis in between", len(all)),
		Expected: "its expiry is drawn anew each time",
		Saw:      "it is the same each time, though other products have others: it depends on the product",
		Why:      "What was dropped together and read again together then expires together, and does so again each time.",
		Read:     lesson + "not-all-at-once",
	}
}

// stayShort reads what is cached, which must not make it live longer.
func stayShort(c *exam.C, a, b caller) *exam.Finding {
	p, began := stored(c), time.Now()
	p.wantPage(p.get(a, "en"), "en")
	before, f := p.expiries(began, ttl, "a read")
	if f != nil || len(before) == 0 {
		return f
	}
	for i := range 10 {
		p.wantPage(p.get([]caller{a, b}[i%2], "en"), "en")
		after, f := p.expiries(began, ttl, "some reads")
		if f != nil {
			return f
		}
		for _, l := range after {
			k := slices.IndexFunc(before, func(b left) bool { return b.key == l.key })
			if k >= 0 && l.ttl > before[k].ttl+5*time.Millisecond {
				return &exam.Finding{
					Did:      "read a product, and then some more times, and looked at the expiry of its key each time",
					Expected: "it gets shorter: a read does not extend it",
					Saw:      "it was longer after a read than before",
					Why:      "A page that is popular never expires then, and if it is wrong it stays wrong for as long as people look at it.",
				}
			}
		}
		before = after
		time.Sleep(2 * time.Millisecond) // a moment must pass that could be seen
	}
	return nil
}

// cutShort takes Redis away right after the first command that writes.
func cutShort(c *exam.C, cl caller) {
	p := stored(c)
	faults := c.RedisFaults(first)
	faults.CutAfter(func(cmd wire.Command) bool {
		return !cmd.InTx && slices.Contains([]string{"SET", "SETNX", "HSET", "HMSET", "MSET", "JSON.SET"}, cmd.Name)
	}, wire.CutAfterAnswer)
	before := faults.Bites()[0].CutAfter
	faults.Refuse(true)
	p.wantPage(p.get(cl, "en"), "en")
	faults.Refuse(false)
	if faults.Bites()[0].CutAfter > before {
		if _, f := p.expiries(time.Now(), ttl, "a read, in which the connection to Redis was cut when the first command that writes had been answered"); f != nil {
			f.Saw += ". The expiry was to come with another command"
			c.Fail(*f)
		}
	}
	faults.CutAfter(nil, 0)
	usable(c, cl)
}

// usable waits until a program whose connections to Redis were cut uses it again.
func usable(c *exam.C, cl caller) bool {
	return eventually(c, back+grace, func() bool {
		p := stored(c)
		p.wantPage(p.get(cl, "en"), "en")
		return len(p.keys()) > 0
	})
}

// arriveLate makes the classic race happen: a reader finds the old row, a change is
// committed and the cache cleared, and then the reader brings what it has found.
func arriveLate(c *exam.C) {
	a, b := pair(c)
	thrice(c, func() *exam.Finding {
		p := stored(c)
		q := p.changed()
		faults := c.RedisFaults(first)
		hold := c.DB().Hold(`lock table products in access exclusive mode`)
		read := a.Send(http.MethodGet, p.path()+"?lang=en", nil)
		eventually(c, soon, func() bool { return waiting(c) > 0 || read.Answered() })
		before := faults.Bites()[0].Delayed
		faults.Delay(soon)
		hold.Release()
		c.Note("a read has found the old row, and is late on its way to Redis")
		eventually(c, time.Second, func() bool { return faults.Bites()[0].Delayed > before || read.Answered() })
		q.put(b).Want(http.StatusNoContent)
		faults.Delay(0)
		r, err := read.Answer()
		done := time.Now()
		const did = "let a read find a product, changed it while that read was on its way to Redis, and waited for both"
		if err != nil || (!p.shown(r, "en") && !q.shown(r, "en")) {
			c.Fail(exam.Finding{Did: did, Expected: "the read shows the product as it was or as it is", Saw: fmt.Sprint(r, err)})
		}
		for i := range 6 {
			if r := p.get([]caller{a, b}[i%2], "en").Want(http.StatusOK); q.shown(r, "en") {
				return nil
			}
			if _, f := p.expiries(done, ttl-time.Since(done), did); f != nil {
				return f
			}
		}
		return nil
	})
}

func remember404(c *exam.C) {
	a, b := pair(c)
	thrice(c, func() *exam.Finding {
		p, began := absent(c), time.Now()
		refusal(c, p.get(a, "de"), http.StatusNotFound)
		for _, cl := range []caller{a, b} {
			before := len(sql(c))
			refusal(c, p.get(cl, "de"), http.StatusNotFound)
			if ran := since(c, before); len(ran) > 0 {
				return &exam.Finding{
					Did: "read a product that does not exist, twice", Expected: "404; the second time nothing is sent to PostgreSQL",
					Saw: "it ran " + statements(ran) + ". " + p.held(),
				}
			}
		}
		all, f := p.expiries(began, ttl, "a read that was answered with 404")
		if f != nil {
			return f
		}
		if len(all) > 0 && !slices.ContainsFunc(all, func(l left) bool { return l.ttl <= missTTL+rounding }) {
			return &exam.Finding{
				Did: "looked at the keys after a read that was answered with 404", Expected: fmt.Sprintf("an expiry of at most MISS_TTL, %s", missTTL), Saw: "it is longer",
				Why: "The product may come any moment, past this program. Until the key expires, the shop denies that it is there.",
			}
		}
		if len(all) > 0 && !slices.ContainsFunc(all, func(l left) bool { return l.ttl+l.age >= missTTL/2-rounding }) {
			return &exam.Finding{
				Did: "looked at the keys after a read that was answered with 404", Expected: fmt.Sprintf("an expiry of at least half of MISS_TTL, %s", missTTL/2), Saw: "it is shorter",
			}
		}
		p.put(b).Want(http.StatusNoContent)
		return p.wants("read a product that does not exist, which gave 404, and created it", a, b)
	})
}

// passTime changes the table past a program with short expiries.
func passTime(c *exam.C) {
	const shortTTL, shortMiss = 1200 * time.Millisecond, 600 * time.Millisecond
	with := fmt.Sprintf("an instance with CACHE_TTL=%s and MISS_TTL=%s", shortTTL, shortMiss)
	run := c.Run(patience, "CACHE_TTL="+shortTTL.String(), "MISS_TTL="+shortMiss.String())
	c.Require(run.Listened, exam.Finding{Did: "started " + with, Expected: "it listens", Saw: "it does not"})
	cl := caller{Client: c.Client("E", exam.ToInstance(run.Instance))}
	p, n := stored(c), absent(c)
	q := p.changed()
	p.warm(cl)
	refusal(c, n.get(cl, "en"), http.StatusNotFound)
	c.DB().Exec(`update products set name_en = $2, name_de = $3, price = $4 where sku = $1`, q.sku, q.name["en"], q.name["de"], q.price)
	n.insert()
	c.Note("the product was changed, and the other one created, by somebody else")
	changed := time.Now()
	seen := func(p *product, within time.Duration, did, name string) {
		for {
			sent := time.Now()
			r := p.get(cl, "en")
			if p.shown(r, "en") {
				return
			}
			if sent.Sub(changed) > within+rounding {
				c.Fail(exam.Finding{Did: did + ", and read it through " + with + " until " + name + " had passed", Expected: p.page("en"), Saw: r.String()})
			}
			time.Sleep(30 * time.Millisecond) // between two reads
		}
	}
	seen(n, shortMiss, "read a product, which gave 404, inserted it into the table", "MISS_TTL")
	seen(q, shortTTL, "read a product, changed it in the table", "CACHE_TTL")
}
