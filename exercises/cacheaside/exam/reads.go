package exam

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// serve looks at the contract without a cache: whatever is read, is read once.
func serve(c *exam.C) {
	a, b := pair(c)
	for _, cl := range []caller{a, b} {
		for _, lang := range languages {
			p := stored(c)
			p.wantPage(p.get(cl, lang), lang)
		}
		p := stored(c)
		p.wantPage(cl.Get(p.path()), "en")
		refusal(c, p.get(cl, c.Pick("fr", "it", "deu")), http.StatusBadRequest)
		notFound(c, absent(c).get(cl, "de"))
		notFound(c, cl.Delete(absent(c).path()))

		p = absent(c)
		p.put(cl).Want(http.StatusNoContent)
		p.inTable(1)
		q := p.changed()
		q.put(cl).Want(http.StatusNoContent)
		q.inTable(2)
		for _, body := range []string{`{`, `{"name":{"en":"x"},"price":1}`, `{"name":{"en":"x","de":"y"}}`, `{"name":{"en":"x","de":"y"},"price":0}`} {
			refusal(c, cl.Put(p.path(), body), http.StatusBadRequest)
		}
		q.inTable(2)
		cl.Delete(p.path()).Want(http.StatusNoContent)
		c.Equal(c.DB().Int(`select count(*) from products where sku = $1`, p.sku), 0, "how many rows products has of it, after the DELETE,")
	}
}

// inTable fails unless the product is stored, with so many price changes.
func (p *product) inTable(changes int) {
	row := p.c.DB().Rows(`select name_en, name_de, price, (select count(*) from price_changes h where h.sku = p.sku) as changes
		from products p where sku = $1`, p.sku)
	want := fmt.Sprintf("%s, %s, %d, and %d rows in price_changes", p.name["en"], p.name["de"], p.price, changes)
	saw := "no such row in products"
	if len(row) == 1 {
		saw = fmt.Sprintf("%v, %v, %v, and %v rows in price_changes", row[0]["name_en"], row[0]["name_de"], row[0]["price"], row[0]["changes"])
	}
	p.c.Require(saw == want, exam.Finding{Expected: "in the tables: " + want, Saw: saw})
}

func hit(c *exam.C) {
	a, b := pair(c)
	thrice(c, func() *exam.Finding {
		p, lang := stored(c), c.Pick(languages...)
		p.wantPage(p.get(a, lang), lang)
		if f := p.hits(a, lang, "read a product twice through one instance"); f != nil {
			return f
		}
		if f := p.hits(b, lang, "read a product through one instance, and then through another"); f != nil {
			return f
		}
		if len(p.keys()) == 0 {
			return &exam.Finding{
				Did:      "read a product, and looked for its keys in Redis",
				Expected: fmt.Sprintf("a key that begins with %q", "product:"+p.sku),
				Saw:      "none" + otherKeys(p),
				Why:      "Whoever has to find or to drop what is cached of a product has nothing but the names of the keys.",
			}
		}
		return nil
	})
}

func otherKeys(p *product) string {
	for _, key := range p.c.Redis().Keys("*" + p.sku + "*") {
		return ": it is called " + key
	}
	return ""
}

// hits reads a product that has been read before, and finds when that sends
// something to PostgreSQL.
func (p *product) hits(cl caller, lang, did string) *exam.Finding {
	c := p.c
	before := len(sql(c))
	r := p.get(cl, lang)
	p.wantPage(r, lang)
	ran := since(c, before)
	if len(ran) == 0 {
		return nil
	}
	f := &exam.Finding{
		Did:      did,
		Expected: "the second read sends nothing to PostgreSQL",
		Saw:      "it ran " + statements(ran),
	}
	switch {
	case len(work(c)) == 0 && strings.Contains(did, "another"):
		f.Saw += ", and Redis was asked for nothing: the first instance keeps its pages in its own memory, which the other can't see"
	case len(work(c)) == 0:
		f.Saw += ", and Redis was asked for nothing: every page is read from the table"
		f.Detail = "This is the place to begin. Let find ask Redis first, and leave there what it had to read from PostgreSQL."
	case len(c.Redis().Keys("*"+p.sku+"*")) == 0:
		f.Saw += ". Redis holds no key of the product"
	default:
		f.Saw += ". Redis holds " + strings.Join(c.Redis().Keys("*"+p.sku+"*"), " and ")
	}
	return f
}

// statements is what ran, in short.
func statements(ran []wire.Statement) string {
	text := strings.Join(strings.Fields(ran[0].SQL), " ")
	if len(ran) > 1 {
		text += fmt.Sprintf(" and %d more", len(ran)-1)
	}
	return text
}

func keepApart(c *exam.C) {
	a, b := pair(c)
	for _, order := range [][]string{{"en", "de", "en"}, {"de", "en", "de"}} {
		p := stored(c)
		for i, lang := range order {
			cl := []caller{a, b}[i%2]
			r := p.get(cl, lang).Want(http.StatusOK)
			d := p.differs(r, lang)
			if d == "" {
				continue
			}
			c.Fail(exam.Finding{
				Did:      fmt.Sprintf("read a product in the languages %s, in this order", strings.Join(order, ", ")),
				Expected: "each in its language",
				Saw:      fmt.Sprintf("asked for %s: %s. %s", lang, d, p.held()),
			})
		}
	}
	p := stored(c)
	for _, path := range []string{p.path() + "?lang=en", p.path(), p.path() + "?lang=en"} {
		p.wantPage(a.Get(path), "en")
	}
}
