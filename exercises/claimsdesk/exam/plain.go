package exam

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// claimSeen and noteSeen are what is looked at where it is only about values; the
// check "out" looks at which fields there are.
type claimSeen struct {
	ID     int64  `json:"id"`
	Owner  int64  `json:"owner"`
	Title  string `json:"title"`
	Amount int64  `json:"amount"`
	Status string `json:"status"`
	Payout int64  `json:"payout"`
}

type noteSeen struct {
	ID     int64 `json:"id"`
	Author struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	} `json:"author"`
	Text string `json:"text"`
}

func (d *company) sameClaim(p *person, r *exam.Response, want claimSeen) {
	var got claimSeen
	r.WantType("application/json").JSON(&got)
	if want.ID == 0 {
		want.ID = got.ID
	}
	d.c.Require(got == want && got.ID != 0, exam.Finding{Did: did(p, r), Expected: fmt.Sprintf("%+v", want), Saw: fmt.Sprintf("%+v", got)})
}

func claims(c *exam.C) {
	d := newCompany(c)
	p := d.owner
	want := claimSeen{Owner: p.id, Title: c.Words(3), Amount: int64(c.Int(100, 90_000)), Status: "open"}
	r := d.do(p, http.MethodPost, "/claims", map[string]any{"title": want.Title, "amount": want.Amount})
	d.good(p, r, http.StatusCreated)
	d.sameClaim(p, r, want)
	r.JSON(&want)
	path := fmt.Sprintf("/claims/%d", want.ID)
	d.sameClaim(p, d.good(p, d.do(p, http.MethodGet, path, nil), http.StatusOK), want)
	d.lists(p, "/claims", anyTotal, want.ID)
	want.Title = c.Words(3)
	d.sameClaim(p, d.good(p, d.do(p, http.MethodPatch, path, map[string]any{"title": want.Title}), http.StatusOK), want)
	want.Amount = int64(c.Int(100, 90_000))
	d.sameClaim(p, d.good(p, d.do(p, http.MethodPatch, path, map[string]any{"amount": want.Amount}), http.StatusOK), want)
	d.sameClaim(p, d.good(p, d.do(p, http.MethodGet, path, nil), http.StatusOK), want)
	for _, bad := range []map[string]any{
		{"title": "", "amount": 1}, {"title": "x"}, {"amount": 1}, {"title": "x", "amount": 0}, {"title": "x", "amount": "1"},
		{"title": strings.Repeat("x", 201), "amount": 1}, {"title": "x", "amount": 100_000_001}, {"title": "x", "amount": 1.5}, {"title": 7, "amount": 1},
	} {
		d.good(p, d.do(p, http.MethodPost, "/claims", bad), http.StatusBadRequest)
	}
	edge := map[string]any{"title": strings.Repeat("ü", 200), "amount": 100_000_000}
	d.good(p, d.do(p, http.MethodPost, "/claims", edge), http.StatusCreated)
	kept := d.file(p)
	d.good(p, d.do(p, http.MethodDelete, path, nil), http.StatusNoContent)
	n := c.DB().Int(`select count(*) from claims where id = $1`, want.ID)
	c.Require(n == 0, exam.Finding{Did: did(p, r), Expected: "the row is gone", Saw: "it is there"})
	d.good(p, d.do(p, http.MethodGet, path, nil), http.StatusNotFound)
	d.good(p, d.do(p, http.MethodGet, kept.path(), nil), http.StatusOK)
}

func notes(c *exam.C) {
	d := newCompany(c)
	p, f := d.owner, d.file(d.owner)
	text := c.Words(4)
	r := d.good(p, d.do(p, http.MethodPost, f.path()+"/notes", map[string]any{"text": text}), http.StatusCreated)
	var made noteSeen
	r.WantType("application/json").JSON(&made)
	want := noteSeen{ID: made.ID, Text: text}
	want.Author.ID, want.Author.Name = p.id, p.name
	c.Require(made == want && made.ID != 0, exam.Finding{Did: did(p, r), Expected: fmt.Sprintf("%+v", want), Saw: fmt.Sprintf("%+v", made)})
	r = d.good(p, d.do(p, http.MethodGet, f.note(made.ID), nil), http.StatusOK)
	var got noteSeen
	r.JSON(&got)
	c.Require(got == want, exam.Finding{Did: did(p, r), Expected: fmt.Sprintf("%+v", want), Saw: fmt.Sprintf("%+v", got)})
	d.noteIDs(p, f, f.ownNote, f.adminsNote, made.ID)
	for _, bad := range []any{"", strings.Repeat("x", 2001), 7} {
		d.good(p, d.do(p, http.MethodPost, f.path()+"/notes", map[string]any{"text": bad}), http.StatusBadRequest)
	}
	d.good(p, d.do(p, http.MethodDelete, f.note(made.ID), nil), http.StatusNoContent)
	d.good(p, d.do(p, http.MethodGet, f.note(made.ID), nil), http.StatusNotFound)
	d.noteIDs(p, f, f.ownNote, f.adminsNote)
	d.good(p, d.do(p, http.MethodDelete, f.path(), nil), http.StatusNoContent)
}

// noteIDs fails unless a claim's notes are these.
func (d *company) noteIDs(p *person, f file, want ...int64) {
	r := d.good(p, d.do(p, http.MethodGet, f.path()+"/notes", nil), http.StatusOK)
	var all []noteSeen
	r.JSON(&all)
	var got []int64
	for _, n := range all {
		got = append(got, n.ID)
	}
	d.c.Require(slices.Equal(got, want), exam.Finding{Did: did(p, r), Expected: fmt.Sprintf("the notes %v", want), Saw: fmt.Sprintf("the notes %v", got)})
}

func desk(c *exam.C) {
	d := newCompany(c)
	a, f, own := d.admin, d.file(d.owner), d.file(d.admin)
	d.good(a, d.do(a, http.MethodGet, f.path(), nil), http.StatusOK)
	d.good(a, d.do(a, http.MethodPost, f.path()+"/notes", map[string]any{"text": c.Words(3)}), http.StatusCreated)
	d.lists(a, fmt.Sprintf("/claims?owner=%d", d.owner.id), anyTotal, f.id)
	d.lists(a, fmt.Sprintf("/claims?owner=%d", a.id), anyTotal, own.id)

	body := map[string]any{"status": "refused", "payout": 0, "remark": c.Words(3)}
	r := d.good(a, d.do(a, http.MethodPut, f.path()+"/decision", body), http.StatusOK)
	row := c.DB().Rows(`select status, payout, remark from claims where id = $1`, f.id)[0]
	for name, want := range body {
		c.Require(fmt.Sprint(row[name]) == fmt.Sprint(want), exam.Finding{Did: did(a, r),
			Expected: fmt.Sprintf("%s of the row is %v", name, want), Saw: fmt.Sprintf("it is %v", row[name])})
	}
	for _, bad := range []map[string]any{
		{"status": "open", "payout": 0, "remark": ""}, {"status": "approved", "payout": -1, "remark": ""}, {"status": "approved", "payout": 1},
		{"status": "approved", "payout": 100_000_001, "remark": ""}, {"status": "approved", "payout": 1, "remark": strings.Repeat("x", 2001)},
	} {
		d.good(a, d.do(a, http.MethodPut, f.path()+"/decision", bad), http.StatusBadRequest)
	}
	d.users(a)
	for _, bad := range []any{"", strings.Repeat("x", 101), true} {
		d.good(a, d.do(a, http.MethodPatch, "/me", map[string]any{"name": bad}), http.StatusBadRequest)
	}
	for _, p := range []*person{d.owner, a} {
		name := c.Words(2)
		d.good(p, d.do(p, http.MethodPatch, "/me", map[string]any{"name": name}), http.StatusOK)
		r := d.good(p, d.do(p, http.MethodGet, "/me", nil), http.StatusOK)
		want := fmt.Sprintf("id %d, name %s, email %s, role %s", p.id, name, p.email, p.role)
		me := r.Object()
		got := fmt.Sprintf("id %v, name %v, email %v, role %v", me["id"], me["name"], me["email"], me["role"])
		c.Require(got == want, exam.Finding{Did: did(p, r), Expected: want, Saw: got})
	}
}

// users lets an admin do what there is to do about users.
func (d *company) users(a *person) {
	r := d.good(a, d.do(a, http.MethodGet, "/admin", nil), http.StatusOK)
	for _, table := range []string{"users", "claims"} {
		d.c.Equal(r.Object()[table], d.c.DB().Int(`select count(*) from `+table), table+" in the answer", exam.Did(did(a, r)))
	}
	r = d.good(a, d.do(a, http.MethodGet, "/admin/users", nil), http.StatusOK)
	var all []struct{ ID int64 }
	r.JSON(&all)
	d.c.Equal(len(all), d.c.DB().Int(`select count(*) from users`), "the number of users in the list", exam.Did(did(a, r)))
	ascending := slices.IsSortedFunc(all, func(x, y struct{ ID int64 }) int { return int(x.ID - y.ID) })
	d.c.Require(ascending, exam.Finding{Did: did(a, r), Expected: "users in the order of their ids", Saw: r.String()})

	path := fmt.Sprintf("/admin/users/%d", d.other.id)
	for _, step := range []struct{ name, value, want string }{
		{"role", "admin", "admin false"}, {"disabled", "true", "admin true"}, {"disabled", "false", "admin false"}, {"role", "customer", "customer false"},
	} {
		var value any = step.value
		if step.name == "disabled" {
			value = step.value == "true"
		}
		r := d.good(a, d.do(a, http.MethodPatch, path, map[string]any{step.name: value}), http.StatusOK)
		row := d.c.DB().Rows(`select role, disabled from users where id = $1`, d.other.id)[0]
		d.c.Equal(fmt.Sprintf("%v %v", row["role"], row["disabled"]), step.want, "role and disabled", exam.Did(did(a, r)))
	}
	for _, bad := range []map[string]any{{"role": "king"}, {"disabled": "yes"}} {
		d.good(a, d.do(a, http.MethodPatch, path, bad), http.StatusBadRequest)
	}
	d.good(a, d.do(a, http.MethodPatch, fmt.Sprintf("/admin/users/%d", d.never()), map[string]any{"role": "admin"}), http.StatusNotFound)
}
