package exam

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// nobody tries every route, without a token and with what is no token.
func nobody(c *exam.C) {
	d := newCompany(c)
	for _, rt := range routes {
		o := d.run(rt, "nobody")
		d.stranger(o.answer, "no token")
		if !o.right() {
			c.Fail(d.explain(o))
		}
	}
	for _, rt := range routes {
		if rt.due("none") == 0 {
			continue
		}
		at := d.place(rt, "none")
		var body any
		if rt.body != nil {
			body = rt.body(d, at)
		}
		d.stranger(d.do(nil, rt.method, rt.path(d, at), body), "no token, about an id that was never given")
	}
	f := d.file(d.owner)
	for _, header := range []string{
		"Bearer", "Bearer ", "Bearer " + c.Unique("token"), "Basic " + d.owner.token, d.owner.token,
		"Token " + d.owner.token, "Bearer " + strings.ToUpper(d.owner.token), "Bearer " + d.owner.token[:len(d.owner.token)-1],
		"Bearer null", "Bearer undefined",
	} {
		for _, path := range []string{f.path(), "/me", "/admin"} {
			d.stranger(c.Get(path, exam.Header("Authorization", header)), "Authorization: "+header)
		}
	}
	for _, scheme := range []string{"bearer", "BEARER"} {
		r := c.Get(f.path(), exam.Header("Authorization", scheme+" "+d.owner.token))
		r.Want(http.StatusOK, exam.Did(fmt.Sprintf("%s, with Authorization: %s and the token of %s, whose claim it is", r.Did(), scheme, d.owner.name)))
	}
}

// stranger fails unless an answer is that to nobody.
func (d *company) stranger(r *exam.Response, with string) {
	f := exam.Finding{Did: r.Did() + ", with " + with, Expected: "401 Unauthorized", Saw: r.String()}
	switch {
	case r.Status == http.StatusForbidden:
		f.Saw += ". 403 means: I know you, and you may not. Nobody is not known"
	case r.Status == http.StatusNotFound:
		f.Saw += ". It was looked for the object first, and asked afterwards who wants it"
	}
	d.c.Require(r.Status == http.StatusUnauthorized, f)
	scheme, _, _ := strings.Cut(r.Header.Get("WWW-Authenticate"), " ")
	f.Expected, f.Saw = "401 with WWW-Authenticate: Bearer", "401 without it: a client can't know which kind of login is meant"
	if scheme != "" {
		f.Saw = "WWW-Authenticate: " + r.Header.Get("WWW-Authenticate")
	}
	d.c.Require(strings.EqualFold(strings.TrimSuffix(scheme, ","), "Bearer"), f)
	d.c.Require(hasError(r), exam.Finding{Did: f.Did, Expected: "401, with an object whose error is a sentence", Saw: r.String()})
}

// tokens are taken away in every way there is.
func tokens(c *exam.C) {
	d := newCompany(c)
	for _, how := range []struct{ role, words, sql string }{
		{"customer", "the token has expired", `update tokens set expires = now() - interval '1 second' where user_id = $1`},
		{"customer", "the token has been revoked", `update tokens set revoked = true where user_id = $1`},
		{"customer", "the token has been deleted", `delete from tokens where user_id = $1`},
		{"customer", "its user has been disabled", `update users set disabled = true where id = $1`},
		{"admin", "its user, who is an admin, has been disabled", `update users set disabled = true where id = $1`},
	} {
		p := d.join(how.role)
		f := d.file(p)
		d.good(p, d.do(p, http.MethodGet, f.path(), nil), http.StatusOK)
		c.DB().Exec(how.sql, p.id)
		for _, path := range []string{f.path(), "/claims", "/me"} {
			d.turnedAway(p, path, how.words)
		}
	}
	p := d.join("customer")
	for _, old := range [][2]string{{"expired", d.stale(p, "-1 hour", false)}, {"revoked", d.stale(p, "1 hour", true)}} {
		d.stranger(c.Get("/me", exam.Header("Authorization", "Bearer "+old[1])), "a token that is "+old[0]+", of somebody who has a good one, too")
	}
	d.good(p, d.do(p, http.MethodGet, "/me", nil), http.StatusOK)
	d.disabledByAdmin(p)
}

// turnedAway fails unless the person's token is no good any more.
func (d *company) turnedAway(p *person, path, because string) {
	from := len(d.c.Statements())
	r := d.do(p, http.MethodGet, path, nil)
	f := exam.Finding{
		Did:      fmt.Sprintf("%s, with a token of %s's that was good a moment ago; then %s", r.Did(), p.name, because),
		Expected: "401 Unauthorized", Saw: r.String(),
	}
	if r.Status < 300 {
		asked := false
		for _, st := range d.c.Statements()[from:] {
			if strings.Contains(st.SQL, "tokens") {
				asked = true
				f.Saw += ". This was asked about the token: " + ran(st)
			}
		}
		if !asked {
			f.Saw += ". Nothing was asked about the token: the program goes by what it remembers"
		}
	}
	d.c.Require(r.Status == http.StatusUnauthorized, f)
	d.stranger(r, "such a token")
}

func (d *company) disabledByAdmin(p *person) {
	path := fmt.Sprintf("/admin/users/%d", p.id)
	d.good(d.admin, d.do(d.admin, http.MethodPatch, path, map[string]any{"disabled": true}), http.StatusOK)
	d.turnedAway(p, "/me", d.admin.name+" has disabled "+p.name)
	d.good(d.admin, d.do(d.admin, http.MethodPatch, path, map[string]any{"disabled": false}), http.StatusOK)
	d.good(p, d.do(p, http.MethodGet, "/me", nil), http.StatusOK)
}

// demoted takes the role from somebody who has just used it, and gives it to
// somebody else.
func (d *company) demoted() {
	p, f := d.join("admin"), d.file(d.owner)
	d.c.DB().Exec(`update notes set author = $1 where id = $2`, p.id, f.adminsNote)
	d.good(p, d.do(p, http.MethodGet, f.path(), nil), http.StatusOK)
	d.good(p, d.do(p, http.MethodGet, "/admin", nil), http.StatusOK)
	d.c.DB().Exec(`update users set role = 'customer' where id = $1`, p.id)
	note := ", as " + p.name + ", who was an admin until a moment ago and has lost the role"
	r := d.do(p, http.MethodGet, "/admin", nil)
	r.Want(http.StatusForbidden, exam.Did(r.Did()+note))
	r = d.do(p, http.MethodGet, f.path(), nil)
	r.Want(http.StatusNotFound, exam.Did(r.Did()+note))
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		r = d.do(p, method, f.note(f.adminsNote), nil)
		r.Want(http.StatusNotFound, exam.Did(r.Did()+note+" and with it every view of the claim; the note is "+p.name+"'s own"))
	}
	d.c.DB().Exec(`update users set role = 'admin' where id = $1`, p.id)
	r = d.do(p, http.MethodGet, f.path(), nil)
	r.Want(http.StatusOK, exam.Did(r.Did()+", as "+p.name+", who has just become an admin"))
}

// spelled are ways to write what a guard may not recognise and a router does.
func spelled(userID int64) []Request {
	user := fmt.Sprintf("users/%d", userID)
	var all []Request
	for _, path := range []string{
		"/admin/", "//admin", "/%61dmin", "/admin/%75sers", "/%61dmin/users", "/%61%64%6d%69%6e/users", "//admin/users", "///admin//users",
		"/admin/users/", "/admin//users", "/admin/./users", "/claims/../admin/users", "/claims/%2e%2e/admin/users", "/claims/..%2fadmin/users",
		"/admin%2fusers", "/ADMIN/users", "/Admin", "/admin/users?role=admin", "/admin;x=1/users", "/admin/users.json", "/admin%00/users", "/admin/users%20",
	} {
		all = append(all, Request{http.MethodGet, path})
	}
	for _, path := range []string{"/%61dmin/" + user, "//admin/" + user, "/admin/" + user + "/", "/admin//" + user, "/claims/../admin/" + user} {
		all = append(all, Request{http.MethodPatch, path})
	}
	return append(all, Request{http.MethodHead, "/admin/users"}, Request{http.MethodPost, "/admin/" + user}, Request{http.MethodPut, "/admin/" + user})
}

// Request is what a customer tries.
type Request struct{ Method, Path string }

func admin(c *exam.C) {
	d := newCompany(c)
	d.hold(pick("GET    /admin", "GET    /admin/users", "PATCH  …/users/{id}"), "owner", "other", "none", "admin", "admin's")
	p := d.owner
	for _, try := range spelled(p.id) {
		before, reads := d.before(), try.Method == http.MethodGet || try.Method == http.MethodHead
		var body any
		if !reads {
			body = map[string]any{"role": "admin"}
		}
		r := d.do(p, try.Method, try.Path, body)
		f := exam.Finding{Did: did(p, r), Expected: "403, 404, 405 or a redirect, and nothing of it done", Saw: r.String()}
		changed := ""
		if !reads {
			changed = d.changes(before)
		}
		switch {
		case changed != "":
			f.Saw += ": " + changed
		case strings.Contains(string(r.Body), d.other.email):
			f.Saw = fmt.Sprintf("%d and a list of all users, with their addresses", r.Status)
		case r.Status >= 300 && r.Status < 500:
			continue
		}
		if strings.Contains(try.Path, "%61") || strings.Contains(try.Path, "%75") {
			f.Saw += ". The router decodes %61 and finds the route; what guards it has looked at the path as it was sent"
		}
		c.Fail(f)
	}
}

const (
	parameterDid = "Without what stands behind the question mark it would have been refused"
	headerDid    = "Without that header it would have been refused"
)

// says claims to be somebody, wherever something can be written.
func says(c *exam.C) {
	d := newCompany(c)
	f := d.file(d.owner)
	for _, p := range []*person{
		d.joinAs("customer", "admin", c.Unique("mail")+"@people.example"),
		d.joinAs("customer", d.admin.name, "admin@"+c.Unique("mail")+".example"),
		d.joinAs("customer", "Administrator", d.admin.email),
		d.joinAs("customer", d.owner.name, d.owner.email),
		d.joinAs("customer", "Insurer", c.Unique("mail")+"@insurer.example"),
	} {
		note := fmt.Sprintf(", whose name is %q and whose address is %s", p.name, p.email)
		cause := fmt.Sprintf("In the table users this caller, id %d, has the role customer. The answer went by something else", p.id)
		d.refused(p, f.path(), http.StatusNotFound, note, cause)
		d.refused(p, f.path()+"/notes", http.StatusNotFound, note, cause)
		d.refused(p, "/admin", http.StatusForbidden, note, cause)
		d.refused(p, "/admin/users", http.StatusForbidden, note, cause)
		d.lists(p, "/claims", anyTotal)
	}
	d.parameters(f)
	d.headers(f)
	d.demoted()
}

// refused fails unless a request of somebody's has the status, which it would have
// without what was added to it.
func (d *company) refused(p *person, path string, status int, note, added string, opts ...exam.RequestOption) {
	r := d.do(p, http.MethodGet, path, nil, opts...)
	f := exam.Finding{Did: did(p, r, note), Expected: fmt.Sprintf("%d %s", status, http.StatusText(status)), Saw: r.String()}
	if r.Status < 300 {
		f.Saw += ". " + added
	}
	d.c.Require(r.Status == status, f)
}

func (d *company) parameters(f file) {
	id := d.owner.id
	for _, query := range []string{
		fmt.Sprintf("owner=%d", id), fmt.Sprintf("user=%d&user_id=%d&userId=%d&as=%d", id, id, id, id),
		"role=admin&admin=true&admin=1&is_admin=true&isAdmin=1&debug=1", "token=" + d.owner.token, "access_token=" + d.owner.token,
	} {
		d.refused(d.other, f.path()+"?"+query, http.StatusNotFound, ". The claim is "+d.owner.name+"'s", parameterDid)
	}
	d.refused(d.other, "/admin/users?role=admin&admin=true&admin=1&is_admin=true", http.StatusForbidden, "", parameterDid)
	r := d.do(d.other, http.MethodGet, fmt.Sprintf("/me?id=%d&user=%d&user_id=%d&owner=%d", id, id, id, id), nil)
	d.c.Equal(fmt.Sprint(d.good(d.other, r, http.StatusOK).Object()["id"]), fmt.Sprint(d.other.id), "the id of me", exam.Did(did(d.other, r)))
}

// headers sends what some programs believe, many at a time; when they have an
// effect, one by one, to tell which.
func (d *company) headers(f file) {
	owner, boss := fmt.Sprint(d.owner.id), fmt.Sprint(d.admin.id)
	pairs := [][2]string{
		{"X-User-Id", owner}, {"X-User", d.owner.name}, {"X-Owner", owner}, {"X-Forwarded-User", d.admin.email},
		{"X-Role", "admin"}, {"X-User-Role", "admin"}, {"Role", "admin"}, {"X-Admin", "true"}, {"X-Is-Admin", "1"},
		{"X-Internal", "true"}, {"X-Debug", "1"}, {"X-Forwarded-For", "127.0.0.1"}, {"X-Real-Ip", "127.0.0.1"},
		{"Cookie", "role=admin; admin=true; user_id=" + boss}, {"X-Original-Url", "/me"}, {"X-Rewrite-Url", "/me"},
		{"X-Http-Method-Override", "PUT"}, {"Referer", "http://localhost/admin"}, {"Origin", "http://localhost"}, {"User-Agent", "admin"},
		{"X-User-Id", boss}, {"X-Forwarded-User", boss}, {"X-Admin", "1"}, {"Cookie", "token=" + d.admin.token},
	}
	send := func(pairs [][2]string) (note string, answers [2]*exam.Response) {
		var with []exam.RequestOption
		for _, pair := range pairs {
			note += ", with the header " + pair[0] + ": " + pair[1]
			with = append(with, exam.Header(pair[0], pair[1]))
		}
		for i, path := range []string{f.path(), "/admin/users"} {
			answers[i] = d.do(d.other, http.MethodGet, path, nil, with...)
		}
		return note, answers
	}
	look := func(pairs [][2]string) (worked bool) {
		note, answers := send(pairs)
		for i, due := range []int{http.StatusNotFound, http.StatusForbidden} {
			// Another refusal than the due one gives nothing away here.
			if r := answers[i]; r.Status != due && (r.Status < 400 || r.Status >= 500) {
				worked = true
				if len(pairs) == 1 {
					d.c.Fail(exam.Finding{Did: did(d.other, r, note), Expected: fmt.Sprintf("%d %s", due, http.StatusText(due)), Saw: r.String() + ". " + headerDid})
				}
			}
		}
		return worked
	}
	for rest := pairs; len(rest) > 0; {
		n := 0 // up to the first name that comes a second time
		for seen := map[string]bool{}; n < len(rest) && !seen[http.CanonicalHeaderKey(rest[n][0])]; n++ {
			seen[http.CanonicalHeaderKey(rest[n][0])] = true
		}
		if look(rest[:n]) {
			for i := range n {
				look(rest[i : i+1])
			}
			note, answers := send(rest[:n])
			d.c.Fail(exam.Finding{Did: did(d.other, answers[0], note), Expected: "404 Not Found", Saw: answers[0].String() + ". Together they make a difference"})
		}
		rest = rest[n:]
	}
}
