package exam

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// refuseHistory lets PostgreSQL refuse the row in price_changes.
func refuseHistory(c *exam.C) {
	a, b := pair(c)
	p, n := stored(c), absent(c)
	p.warm(a, b)
	c.DB().Exec(`create function no_history() returns trigger language plpgsql as $$
		begin
			raise exception using errcode = '53100', message = 'could not extend file: No space left on device';
		end $$`)
	c.DB().Exec(fmt.Sprintf(`create trigger no_history before insert on price_changes
		for each row when (new.sku in ('%s', '%s')) execute function no_history()`, p.sku, n.sku))
	const what = "PostgreSQL refused the row in price_changes (53100, no space left on device)"
	q := p.changed()
	answers := []*exam.Response{q.put(a), n.put(a)}
	c.DB().Exec(`drop function no_history() cascade`)
	for _, r := range answers {
		refusal(c, r, http.StatusInternalServerError, http.StatusServiceUnavailable)
	}
	p.unwritten(1, "changed a product, and "+what)
	n.unwritten(0, "created a product, and "+what)
	thrice(c, func() *exam.Finding { return p.wants("changed a product, and "+what, a, b) })
}

// unwritten fails unless the tables hold what was there before a change that
// PostgreSQL refused: so many rows in products, and none in price_changes.
func (p *product) unwritten(rows int64, did string) {
	f := exam.Finding{
		Did: did, Expected: "products and price_changes hold what they held before: both rows are written, or neither",
		Why:  "Two tables that belong together tell the truth together, or nobody knows which of them does.",
		Read: lesson + "delete-after-the-commit",
	}
	same := p.c.DB().Int(`select count(*) from products where sku = $1 and name_en = $2 and name_de = $3 and price = $4`,
		p.sku, p.name["en"], p.name["de"], p.price)
	switch notes := p.c.DB().Int(`select count(*) from price_changes where sku = $1`, p.sku); {
	case rows == 1 && same == 0:
		f.Saw = "the answer was a failure, and products holds the change"
	case rows == 0 && p.c.DB().Int(`select count(*) from products where sku = $1`, p.sku) > 0:
		f.Saw = "the answer was a failure, and products holds the new product"
	case notes > 0:
		f.Saw = "the answer was a failure, and price_changes holds its price"
	default:
		return
	}
	f.Saw += ". " + p.together()
	p.c.Fail(f)
}

// together says how one of two rows can have been committed without the other.
func (p *product) together() string {
	seen := slices.DeleteFunc(sql(p.c), func(s wire.Statement) bool { return s.Verb() == "SELECT" })
	about := func(s wire.Statement) bool {
		return slices.ContainsFunc(append(s.Params, s.SQL), func(t string) bool { return strings.Contains(t, p.sku) })
	}
	wrote := slices.IndexFunc(seen, func(s wire.Statement) bool { return s.Err == nil && about(s) })
	refused := slices.IndexFunc(seen, func(s wire.Statement) bool { return s.Err != nil && about(s) })
	if wrote < 0 || refused < wrote {
		return "Your program went on when PostgreSQL had refused the other one"
	}
	apart := seen[wrote].TxStatus == 'I' || seen[wrote].Session != seen[refused].Session
	for _, s := range seen[wrote:refused] {
		apart = apart || s.Session == seen[wrote].Session && (s.Verb() == "COMMIT" || s.Verb() == "END")
	}
	if apart {
		return "Each was written by a transaction of its own: PostgreSQL had committed the first before it was asked for the second"
	}
	return "They were sent in one transaction, and your program committed it although one had been refused"
}

var locks = regexp.MustCompile(`(?i)\bfor\s+(no\s+key\s+update|key\s+share|update|share)\b`)

// coldly reads a product of which Redis knows nothing, while a change of it is not
// committed. It finds an answer that does not come, or is not what was there before.
func (p *product) coldly(did string, clients ...caller) *exam.Finding {
	for _, cl := range clients {
		for _, lang := range languages {
			began := time.Now()
			r, err := cl.Try(http.MethodGet, p.path()+"?lang="+lang, nil, exam.Timeout(soon))
			if err == nil && p.shown(r, lang) {
				continue
			}
			if err == nil {
				f := p.found(did, lang, p.page(lang), r, cl)
				f.Saw += p.told()
				return f
			}
			return &exam.Finding{
				Did:      did,
				Expected: "what was there before, without waiting for the change: " + p.page(lang),
				Saw:      "no answer. " + waits(about(p, began)),
				Why:      "Changes are slow at times: an import, a lock, a disk. Whoever looks at a page must not stand in that queue.",
			}
		}
	}
	return nil
}

// waits says what a read was waiting for that had no answer.
func waits(ran []wire.Statement) string {
	for _, s := range ran {
		if lock := locks.FindString(s.SQL); lock != "" {
			return "The read asks for a lock on the row (" + strings.ToLower(strings.Join(strings.Fields(lock), " ")) + "), and the change has it until it is committed"
		}
	}
	if len(ran) == 0 {
		return "PostgreSQL was asked for nothing: whatever keeps the read waiting is in your program"
	}
	return "PostgreSQL was asked: " + statements(ran)
}
