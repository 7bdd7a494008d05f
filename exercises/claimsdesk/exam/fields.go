package exam

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// smuggled is a body with one field more than the route has.
type smuggled struct {
	by           *person
	method, path string
	good         map[string]any // what makes it acceptable otherwise
	name         string
	value        any
}

func (d *company) smuggling() []smuggled {
	c := d.c
	f, other := d.file(d.owner), d.file(d.other)
	var all []smuggled
	add := func(by *person, method, path string, good, bad map[string]any) {
		for _, name := range slices.Sorted(maps.Keys(bad)) {
			all = append(all, smuggled{by, method, path, good, name, bad[name]})
		}
	}
	owner, me, boss := d.owner, d.owner.id, d.admin.id
	claim := map[string]any{"owner": d.other.id, "owner_id": d.other.id, "user_id": d.other.id, "status": "approved", "payout": 90_000, "remark": "fine", "id": other.id}
	add(owner, http.MethodPost, "/claims", map[string]any{"title": c.Words(2), "amount": 500}, claim)
	add(owner, http.MethodPatch, f.path(), map[string]any{"title": c.Words(2)}, claim)
	add(owner, http.MethodPatch, f.path(), map[string]any{}, claim)
	add(owner, http.MethodPost, f.path()+"/notes", map[string]any{"text": c.Words(2)}, map[string]any{
		"author": boss, "author_id": boss, "user_id": boss, "claim": other.id, "claim_id": other.id, "id": other.ownNote})
	add(owner, http.MethodPost, f.path()+"/notes", map[string]any{"text": c.Words(2)}, map[string]any{
		"author": map[string]any{"id": boss, "name": d.admin.name}})
	profile := map[string]any{"role": "admin", "is_admin": true, "admin": true, "email": d.admin.email, "disabled": true, "id": d.other.id}
	add(owner, http.MethodPatch, "/me", map[string]any{"name": c.Words(2)}, profile)
	add(owner, http.MethodPatch, "/me", map[string]any{}, profile)
	add(d.admin, http.MethodPatch, fmt.Sprintf("/admin/users/%d", me), map[string]any{"disabled": false}, map[string]any{
		"name": "x", "email": "x@people.example", "id": d.other.id, "token": "x"})
	own := d.file(d.admin)
	add(d.admin, http.MethodPost, "/claims", map[string]any{"title": c.Words(2), "amount": 500}, claim)
	add(d.admin, http.MethodPatch, own.path(), map[string]any{"title": c.Words(2)}, claim)
	add(d.admin, http.MethodPatch, "/me", map[string]any{"name": c.Words(2)}, map[string]any{"email": d.owner.email, "role": "customer", "disabled": true, "id": d.other.id})
	add(d.admin, http.MethodPut, f.path()+"/decision", map[string]any{"status": "refused", "payout": 0, "remark": "none"}, map[string]any{
		"owner": d.admin.id, "title": "mine", "amount": 1, "id": other.id})
	return all
}

// in sends fields that no form shows.
func in(c *exam.C) {
	d := newCompany(c)
	tries := d.smuggling()
	for i, s := range tries {
		body := maps.Clone(s.good)
		body[s.name] = s.value
		before := d.before()
		r := d.do(s.by, s.method, s.path, body)
		changed := ""
		last := i+1 == len(tries) || tries[i+1].path != s.path || tries[i+1].method != s.method
		if r.Status != http.StatusBadRequest || last { // one look for all that were refused
			changed = d.changes(before)
		}
		if r.Status == http.StatusBadRequest && changed == "" && hasError(r) {
			continue
		}
		f := exam.Finding{Did: did(s.by, r), Expected: fmt.Sprintf("400, and nothing changed: %s is not for this caller to set here", s.name), Saw: r.String()}
		switch {
		case r.Status == http.StatusBadRequest && changed == "":
			f.Expected = "400, with an object whose error is a sentence"
		case changed != "" && r.Status == http.StatusBadRequest:
			f.Did += fmt.Sprintf(", and before it %s %s with other fields that are too many", s.method, s.path)
			f.Saw = "400 each time, and yet the tables say: " + changed
		case changed != "":
			f.Saw = fmt.Sprintf("%d, and the tables say: %s", r.Status, changed)
		case r.Status < 300:
			f.Saw += ". The field was dropped in silence, and whoever sent it believes it was taken"
		}
		c.Fail(f)
	}
}

var (
	claimFields = []string{"amount", "id", "owner", "payout", "status", "title"}
	adminFields = append(slices.Clone(claimFields), "remark")
	noteFields  = []string{"author", "id", "text"}
	meFields    = []string{"email", "id", "name", "role"}
	userFields  = append(slices.Clone(meFields), "disabled")
)

// shown is a request and the fields that its answer has.
type shown struct {
	by           *person
	method, path string
	body         any
	in           string // the member that holds the objects, "" for the answer itself
	fields       []string
}

func (d *company) showing(f file) []shown {
	var all []shown
	for _, p := range []*person{d.owner, d.admin} {
		fields := claimFields
		if p.role == "admin" {
			fields = adminFields
		}
		own := d.file(p)
		all = append(all,
			shown{p, http.MethodGet, own.path(), nil, "", fields},
			shown{p, http.MethodGet, f.path(), nil, "", fields},
			shown{p, http.MethodGet, "/claims", nil, "claims", fields},
			shown{p, http.MethodGet, fmt.Sprintf("/claims?owner=%d", d.owner.id), nil, "claims", fields},
			shown{p, http.MethodPost, "/claims", map[string]any{"title": d.c.Words(2), "amount": 700}, "", fields},
			shown{p, http.MethodPatch, own.path(), map[string]any{"title": d.c.Words(2)}, "", fields},
			shown{p, http.MethodGet, f.path() + "/notes", nil, "", noteFields},
			shown{p, http.MethodGet, f.note(f.ownNote), nil, "", noteFields},
			shown{p, http.MethodGet, f.note(f.adminsNote), nil, "", noteFields},
			shown{p, http.MethodPost, f.path() + "/notes", map[string]any{"text": d.c.Words(2)}, "", noteFields},
			shown{p, http.MethodGet, "/me", nil, "", meFields},
			shown{p, http.MethodPatch, "/me", map[string]any{"name": p.name}, "", meFields})
	}
	user := fmt.Sprintf("/admin/users/%d", d.other.id)
	return append(all,
		shown{d.admin, http.MethodGet, "/admin/users", nil, "", userFields},
		shown{d.admin, http.MethodPatch, user, map[string]any{"role": "customer"}, "", userFields},
		shown{d.admin, http.MethodGet, "/admin", nil, "", []string{"claims", "users"}},
		shown{d.admin, http.MethodPut, f.path() + "/decision", map[string]any{"status": "refused", "payout": 0, "remark": f.remark}, "", adminFields},
		shown{d.owner, http.MethodGet, f.path(), nil, "", claimFields})
}

// out looks at each answer that holds an object.
func out(c *exam.C) {
	d := newCompany(c)
	f := d.file(d.owner)
	for _, s := range d.showing(f) {
		r := d.do(s.by, s.method, s.path, s.body)
		c.Require(r.Status < 300, exam.Finding{Did: did(s.by, r), Expected: "an answer below 300", Saw: r.String()})
		if s.in == "claims" {
			d.exactly(s.by, r, "the list", r.Object(), []string{"claims", "total"}, f)
		}
		objects := d.objects(r, s.in)
		c.Require(len(objects) > 0, exam.Finding{Did: did(s.by, r), Expected: "at least one object", Saw: r.String()})
		for _, o := range objects {
			d.exactly(s.by, r, "the object", o, s.fields, f)
			if slices.Equal(s.fields, noteFields) {
				author, _ := o["author"].(map[string]any)
				d.exactly(s.by, r, "author", author, []string{"id", "name"}, f)
			}
			if o["remark"] != nil && fmt.Sprint(o["id"]) == fmt.Sprint(f.id) {
				c.Equal(o["remark"], f.remark, "remark", exam.Did(did(s.by, r)))
			}
		}
	}
}

// objects are those that an answer holds: itself, its elements, or the elements of
// one of its members.
func (d *company) objects(r *exam.Response, member string) []map[string]any {
	var whole any
	r.WantType("application/json").JSON(&whole)
	if object, ok := whole.(map[string]any); ok && member != "" {
		whole = object[member]
	}
	var found []map[string]any
	switch whole := whole.(type) {
	case map[string]any:
		found = append(found, whole)
	case []any:
		for _, element := range whole {
			if object, ok := element.(map[string]any); ok {
				found = append(found, object)
			}
		}
	}
	return found
}

// exactly fails unless an object has these fields and no others.
func (d *company) exactly(p *person, r *exam.Response, what string, object map[string]any, fields []string, f file) {
	fields = slices.Sorted(slices.Values(fields))
	got := slices.Sorted(maps.Keys(object))
	if slices.Equal(got, fields) {
		return
	}
	finding := exam.Finding{Did: did(p, r), Expected: fmt.Sprintf("%s has %s, and nothing else", what, strings.Join(fields, ", "))}
	var parts []string
	for _, name := range got {
		if !slices.Contains(fields, name) {
			value, _ := json.Marshal(object[name])
			parts = append(parts, fmt.Sprintf("%s is in it, too: %s", name, value))
			parts = append(parts, elsewhere(d, p, name, f)...)
		}
	}
	for _, name := range fields {
		if !slices.Contains(got, name) {
			parts = append(parts, name+" is missing")
		}
	}
	finding.Saw = strings.Join(parts, ". ")
	d.c.Fail(finding)
}

// elsewhere says that GET of the claim keeps the remark, where it does: then one
// answer is made in another way than the rest.
func elsewhere(d *company, p *person, name string, f file) []string {
	if name != "remark" || p.role == "admin" {
		return nil
	}
	r := d.do(p, http.MethodGet, f.path(), nil)
	if r.Status != http.StatusOK || r.Object()["remark"] != nil {
		return nil
	}
	return []string{fmt.Sprintf("GET %s leaves it out: this answer is put together in another way", f.path())}
}
