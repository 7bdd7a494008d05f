package exam

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

var languages = []string{"en", "de"}

// product is one product of a check's own, as it should be shown.
type product struct {
	c     *exam.C
	sku   string
	name  map[string]string
	price int64
	// change is the last one that the check has sent, nil before.
	change *change
}

// absent draws a product that nobody has stored.
func absent(c *exam.C) *product {
	return &product{c: c, sku: c.Unique("MUG"), price: int64(c.Int(100, 9999)),
		name: map[string]string{"en": c.Words(2), "de": c.Words(3)}}
}

// stored draws a product and puts it into the table.
func stored(c *exam.C) *product {
	p := absent(c)
	p.insert()
	return p
}

func (p *product) insert() {
	p.c.DB().Exec(`insert into products (sku, name_en, name_de, price) values ($1, $2, $3, $4)`,
		p.sku, p.name["en"], p.name["de"], p.price)
}

// storedMany draws so many products and puts them into the table together.
func storedMany(c *exam.C, n int) []*product {
	all := make([]*product, n)
	var skus, en, de []string
	for i := range all {
		all[i] = absent(c)
		skus, en, de = append(skus, all[i].sku), append(en, all[i].name["en"]), append(de, all[i].name["de"])
		all[i].price = int64(100 + i)
	}
	c.DB().Exec(`insert into products (sku, name_en, name_de, price)
		select sku, en, de, 99 + i from unnest($1::text[], $2::text[], $3::text[]) with ordinality as t (sku, en, de, i)`, skus, en, de)
	return all
}

// changed is the same product with other names and another price. Nothing is
// stored yet.
func (p *product) changed() *product {
	q := absent(p.c)
	q.sku, q.price = p.sku, p.price+int64(p.c.Int(1, 99))
	return q
}

func (p *product) path() string { return "/products/" + p.sku }

func (p *product) get(cl caller, lang string, opts ...exam.RequestOption) *exam.Response {
	return cl.Get(p.path()+"?lang="+lang, opts...)
}

func (p *product) body() string {
	return fmt.Sprintf(`{"name":{"en":%q,"de":%q},"price":%d}`, p.name["en"], p.name["de"], p.price)
}

func (p *product) put(cl caller) *exam.Response {
	p.change = begin(p, http.MethodPut, cl)
	r := cl.Put(p.path(), p.body())
	p.change.to = time.Now()
	return r
}

func (p *product) remove(cl caller) *exam.Response {
	p.change = begin(p, http.MethodDelete, cl)
	r := cl.Delete(p.path())
	p.change.to = time.Now()
	return r
}

// shown tells whether the answer is the product's page in this language.
func (p *product) shown(r *exam.Response, lang string) bool {
	return r.Status == http.StatusOK && p.differs(r, lang) == ""
}

// differs names the first field of a 200 that is not the product's, with what it
// is: `name is "oak", and should be "elm"`. It fails the check when the body is no object.
func (p *product) differs(r *exam.Response, lang string) string {
	o := r.Object()
	for _, f := range []struct {
		name string
		want any
	}{{"sku", p.sku}, {"lang", lang}, {"name", p.name[lang]}, {"price", p.price}} {
		if got := o[f.name]; got == nil || fmt.Sprint(got) != fmt.Sprint(f.want) {
			return fmt.Sprintf("%s is %s, and should be %s", f.name, value(got), value(f.want))
		}
	}
	return ""
}

// value is a member of an object, as JSON has it.
func value(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	if v == nil {
		return "absent"
	}
	return fmt.Sprint(v)
}

// wantPage fails the check unless the answer is the product's page.
func (p *product) wantPage(r *exam.Response, lang string, opts ...exam.Option) {
	r.Want(http.StatusOK, opts...).WantType("application/json", opts...)
	if d := p.differs(r, lang); d != "" {
		f := exam.Finding{Did: r.Did(), Expected: p.page(lang), Saw: r.String() + ": " + d}
		p.c.Fail(f)
	}
}

func (p *product) page(lang string) string {
	return fmt.Sprintf(`200 {"sku":%q,"lang":%q,"name":%q,"price":%d}`, p.sku, lang, p.name[lang], p.price)
}

// warm reads both languages through each of the clients, and fails the check
// unless the answers are right.
func (p *product) warm(clients ...caller) {
	for _, cl := range clients {
		for _, lang := range languages {
			p.wantPage(p.get(cl, lang), lang)
		}
	}
}

// keys are those that Redis holds of the product by the names of the task.
func (p *product) keys() []string { return p.c.Redis().Keys("product:" + p.sku + "*") }

// held says what Redis holds of the product, for the end of a sentence.
func (p *product) held() string {
	keys := p.keys()
	if len(keys) == 0 {
		return "Redis holds nothing of the product"
	}
	return "Redis holds " + strings.Join(keys, " and ")
}

// sql are the statements of the program since the check began, but for those that
// only try a connection.
func sql(c *exam.C) []wire.Statement {
	return slices.DeleteFunc(c.Statements(), func(s wire.Statement) bool {
		text := strings.ToLower(strings.Trim(s.SQL, " ;\n\t"))
		return text == "" || strings.HasPrefix(text, "--") || text == "select 1"
	})
}

// since are the statements that ran since there were so many.
func since(c *exam.C, before int) []wire.Statement {
	all := sql(c)
	return all[min(before, len(all)):]
}

// work are the commands to Redis that belong to no connection's start.
func work(c *exam.C) []wire.Command {
	return slices.DeleteFunc(c.Commands(), func(cmd wire.Command) bool { return cmd.Setup() || cmd.Name == "PING" })
}

// thrice fails the check when try finds something each of three times. On a busy
// machine Redis may take longer once than a program waits, and that program does
// right to go on without it. A mistake shows every time.
func thrice(c *exam.C, try func() *exam.Finding) {
	var found *exam.Finding
	for range 3 {
		f := try()
		if f == nil {
			return
		}
		if found == nil {
			found = f
		}
	}
	c.Fail(*found)
}

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

// notFound fails unless the answer denies the product.
func notFound(c *exam.C, r *exam.Response) {
	r.Want(http.StatusNotFound, exam.Did(r.Did()+", a product that does not exist"))
	refusal(c, r, http.StatusNotFound)
}

// refusal fails unless the answer has one of the statuses and says in JSON why.
func refusal(c *exam.C, r *exam.Response, statuses ...int) {
	r.WantOneOf(statuses).WantType("application/json")
	text, ok := r.Object()["error"].(string)
	c.Require(ok && strings.TrimSpace(text) != "", exam.Finding{
		Did: r.Did(), Expected: `a JSON object whose "error" says what is wrong`, Saw: r.String(),
		Why: "A status is for programs. Whoever looks for the mistake in their own needs a sentence.",
	})
}
