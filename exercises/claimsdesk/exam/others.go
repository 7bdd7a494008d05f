package exam

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

var reading = []string{"GET    /claims/{id}", "GET    …/notes", "GET    …/notes/{note}"}

// item is about reading: by another customer, and by those who may.
func item(c *exam.C) {
	d := newCompany(c)
	d.hold(pick(reading...), "other", "none", "owner", "admin", "admin's")
	for _, path := range []string{"/claims/abc", "/claims/abc/notes", "/claims/1.5", "/claims/99999999999999999999", d.file(d.owner).path() + "/notes/abc"} {
		r := d.do(d.owner, http.MethodGet, path, nil)
		d.good(d.owner, r, http.StatusNotFound)
		c.Require(hasError(r), exam.Finding{Did: did(d.owner, r), Expected: "404, with an object whose error is a sentence", Saw: r.String()})
	}
}

// write is about the rest, by another customer.
func write(c *exam.C) {
	d := newCompany(c)
	d.hold(pick("PATCH  /claims/{id}", "DELETE /claims/{id}", "PUT    …/decision", "POST   …/notes", "DELETE …/notes/{own}", "DELETE …/notes/{other}"), "other", "none")
}

// forbidden is about those who can see a claim.
func forbidden(c *exam.C) {
	d := newCompany(c)
	d.hold(pick("PUT    …/decision"), "owner", "admin's", "admin")
	d.hold(pick("PATCH  /claims/{id}", "DELETE /claims/{id}"), "admin", "admin's")
	d.hold(pick("DELETE …/notes/{other}", "DELETE …/notes/{own}"), "owner", "admin", "admin's")
	f := d.file(d.colleague)
	d.denied(d.admin, http.MethodPatch, f.path(), map[string]any{"title": c.Words(2)}, ". The claim is "+d.colleague.name+"'s, who is an admin too")
	d.denied(d.admin, http.MethodDelete, f.path(), nil, ". The claim is "+d.colleague.name+"'s, who is an admin too")
	f = d.file(d.owner)
	namesake := d.joinAs("admin", d.owner.name, c.Unique("mail")+"@people.example")
	d.denied(namesake, http.MethodDelete, f.note(f.ownNote), nil, fmt.Sprintf(", id %d. The note is by another %s, id %d", namesake.id, d.owner.name, d.owner.id))
}

// denied fails unless a request of somebody who can see the object gets 403 and changes nothing.
func (d *company) denied(p *person, method, path string, body any, note string) {
	before := d.before()
	r := d.do(p, method, path, body)
	f := exam.Finding{Did: did(p, r, note), Expected: "403 Forbidden, and nothing changed", Saw: r.String()}
	changed := d.changes(before)
	if changed != "" {
		f.Saw += ": " + changed
	}
	d.c.Require(r.Status == http.StatusForbidden && changed == "", f)
}

// anyTotal is for lists of which only the claims are looked at.
const anyTotal = -1

// lists fails unless a list has these claims and this total.
func (d *company) lists(p *person, path string, total int, want ...int64) {
	from := len(d.c.Statements())
	r := d.good(p, d.do(p, http.MethodGet, path, nil), http.StatusOK)
	seen := d.c.Statements()[from:]
	var got struct {
		Total  int         `json:"total"`
		Claims []claimSeen `json:"claims"`
	}
	r.WantType("application/json").JSON(&got)
	var ids []int64
	f := exam.Finding{Did: did(p, r), Expected: fmt.Sprintf("total %d and the claims %v", total, want)}
	switch {
	case total == anyTotal:
		f.Expected = fmt.Sprintf("the claims %v", want)
	case len(want) == 0:
		f.Expected = "total 0 and an empty array"
	}
	for _, claim := range got.Claims {
		ids = append(ids, claim.ID)
		if p.role != "admin" && claim.Owner != p.id {
			f.Saw = fmt.Sprintf("%d claims, and claim %d among them is %s's", len(got.Claims), claim.ID, d.named(claim.Owner))
		}
	}
	switch {
	case f.Saw != "":
		if strings.Contains(path, "owner=") {
			f.Saw += ". What stands behind owner= has taken the place of what the caller can see"
		}
		for _, st := range seen {
			if concerns(st) && strings.Contains(st.SQL, "order by") {
				f.Saw += ". This was run: " + ran(st)
			}
		}
	case got.Claims == nil:
		f.Saw = r.String()
	case !slices.Equal(ids, want):
		f.Saw = fmt.Sprintf("the claims %v", ids)
		if newer := d.c.DB().Int(`select count(*) from claims where id > $1`, slices.Max(append(want, 0))); len(ids) < len(want) && newer >= 20 {
			f.Saw += fmt.Sprintf(". %d claims of others are newer: were the rows counted off before it was looked whose they are?", newer)
		}
	case got.Total != total && total != anyTotal:
		f.Saw = fmt.Sprintf("the right claims, and total %d", got.Total)
		if all := int(d.c.DB().Int(`select count(*) from claims`)); got.Total == all {
			f.Saw += ": that is how many claims there are of all customers together"
		}
		if got.Total == len(got.Claims) {
			f.Saw += ": that is how many are in this answer"
		}
	default:
		return
	}
	d.c.Fail(f)
}

func list(c *exam.C) {
	d := newCompany(c)
	empty := d.join("customer")
	var mine, theirs []int64
	for range 3 {
		mine = slices.Insert(mine, 0, d.file(d.owner).id)
		theirs = slices.Insert(theirs, 0, d.file(d.other).id)
	}
	theirs = theirs[:2]
	c.DB().Exec(`delete from claims where owner = $1 and id <> all($2)`, d.other.id, theirs)
	d.lists(d.owner, "/claims", 3, mine...)
	d.lists(d.other, "/claims", 2, theirs...)
	d.lists(empty, "/claims", 0)
	owned := func(p *person) string { return fmt.Sprintf("/claims?owner=%d", p.id) }
	d.lists(d.owner, owned(d.owner), 3, mine...)
	d.lists(d.owner, owned(d.other), 0)
	d.lists(empty, owned(d.owner), 0)
	d.lists(d.admin, owned(d.other), 2, theirs...)
	d.lists(d.admin, owned(empty), 0)
	d.lists(d.admin, fmt.Sprintf("/claims?owner=%d", d.never()), 0)
	d.good(d.owner, d.do(d.owner, http.MethodGet, "/claims?owner=abc", nil), http.StatusBadRequest)
	c.DB().Exec(`insert into claims (owner, title, amount) select $1, 'one of many', 100 from generate_series(1, 21)`, empty.id)
	var newest []int64
	for _, row := range c.DB().Rows(`select id from claims order by id desc limit 20`) {
		newest = append(newest, row["id"].(int64))
	}
	d.lists(empty, "/claims", 21, newest...)
	d.lists(d.admin, "/claims", int(c.DB().Int(`select count(*) from claims`)), newest...)
	// Now the 20 newest of all are somebody else's.
	c.DB().Exec(`insert into claims (owner, title, amount) select $1, 'one of many', 100 from generate_series(1, 21)`, d.other.id)
	d.lists(d.owner, "/claims", 3, mine...)
	d.lists(empty, "/claims", 21, newest...)
}

// nested asks for a note under a claim that it does not belong to.
func nested(c *exam.C) {
	d := newCompany(c)
	for _, t := range []struct {
		caller           *person
		under, belonging *person
		note             func(f file) int64
	}{
		{d.owner, d.owner, d.other, func(f file) int64 { return f.ownNote }},
		{d.owner, d.owner, d.other, func(f file) int64 { return f.adminsNote }},
		{d.owner, d.owner, d.owner, func(f file) int64 { return f.ownNote }},
		{d.admin, d.owner, d.other, func(f file) int64 { return f.ownNote }},
		{d.colleague, d.owner, d.other, func(f file) int64 { return f.adminsNote }},
		{d.other, d.owner, d.other, func(f file) int64 { return f.ownNote }},
	} {
		under, home := d.file(t.under), d.file(t.belonging)
		note := t.note(home)
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			before := d.before()
			from := len(c.Statements())
			r := d.do(t.caller, method, under.note(note), nil)
			f := exam.Finding{
				Did: did(t.caller, r, fmt.Sprintf(". Claim %d is %s's; note %d belongs to claim %d, which is %s's",
					under.id, under.owner.name, note, home.id, home.owner.name)),
				Expected: "404 Not Found, and nothing changed", Saw: r.String(),
			}
			if changed := d.changes(before); changed != "" {
				f.Saw += ": " + changed
			} else if r.Status == http.StatusNotFound {
				continue
			}
			for _, st := range c.Statements()[from:] {
				if strings.Contains(st.SQL, "notes") && slices.Contains(st.Params, fmt.Sprint(note)) && !slices.Contains(st.Params, fmt.Sprint(under.id)) {
					f.Saw += ". The note was found by its id alone: " + ran(st)
					break
				}
			}
			c.Fail(f)
		}
	}
}

// telling compares the answer about an object that the caller can't see with that
// about one that does not exist.
func telling(c *exam.C) {
	d := newCompany(c)
	about := slices.DeleteFunc(slices.Clone(routes), func(rt route) bool { claim, _ := rt.about(); return !claim })
	for _, rt := range about {
		var bodies []any
		if rt.body != nil {
			bodies = []any{rt.body(d, place{}), map[string]any{"title": "", "surprise": 1}, "{"}
		} else {
			bodies = []any{nil}
		}
		for _, body := range bodies {
			hidden, none := d.place(rt, "other"), d.place(rt, "none")
			d.alike(rt, hidden, none, body, "The claim is "+d.owner.name+"'s")
			if _, note := rt.about(); note {
				none = hidden
				none.note = d.never()
				d.alike(rt, hidden, none, body, "The claim is "+d.owner.name+"'s, and has no such note as the second")
			}
		}
	}
	for _, rt := range pick("GET    …/notes/{note}", "DELETE …/notes/{own}") {
		mine, theirs := d.file(d.other), d.file(d.owner)
		at := place{caller: d.other, claim: mine.id, note: theirs.ownNote}
		none := at
		none.note = d.never()
		d.alike(rt, at, none, nil, fmt.Sprintf("The claim is %s's own; note %d exists under another, and the second nowhere", d.other.name, at.note))
	}
}

// alike fails unless both get the same answer.
func (d *company) alike(rt route, hidden, none place, body any, note string) {
	a := d.do(d.other, rt.method, rt.path(d, hidden), body)
	b := d.do(d.other, rt.method, rt.path(d, none), body)
	x, y := masked(a, hidden), masked(b, none)
	if x == y {
		return
	}
	f := exam.Finding{
		Did:      fmt.Sprintf("%s, then the same with %s, as %s. %s", a.Did(), b.Path, d.other.who(), note),
		Expected: "twice the same answer, but for the id",
		Saw:      fmt.Sprintf("%s, and %s", a.String(), b.String()),
	}
	switch {
	case a.Status != b.Status:
		f.Saw += ". The status tells which of the two exists"
	case a.Header.Get("Content-Type") != b.Header.Get("Content-Type"):
		f.Saw = fmt.Sprintf("Content-Type %q, and %q. It tells which of the two exists", a.Header.Get("Content-Type"), b.Header.Get("Content-Type"))
	default:
		f.Saw += ". The status is the same, and the sentence tells which of the two exists"
	}
	d.c.Fail(f)
}

// masked is an answer without the ids that were asked for.
func masked(r *exam.Response, at place) string {
	ids := regexp.MustCompile(fmt.Sprintf(`\b(%d|%d)\b`, at.claim, at.note))
	return fmt.Sprint(r.Status, r.Header.Get("Content-Type"), ids.ReplaceAllString(string(r.Body), "id"))
}
