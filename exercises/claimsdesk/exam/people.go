package exam

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// person is a user with a token that is good.
type person struct {
	id                       int64
	name, email, role, token string
}

// who is the person in a sentence.
func (p *person) who() string {
	switch {
	case p == nil:
		return "nobody"
	case p.role == "admin":
		return p.name + " (an admin)"
	}
	return p.name + " (a customer)"
}

// company is four people of a check's own, and what is theirs.
type company struct {
	c                *exam.C
	owner, other     *person // customers
	admin, colleague *person
	people           []*person
	firstNames       []string

	// What the cells of the matrix share for as long as nothing has changed.
	files map[*person]file
	now   rows
}

func newCompany(c *exam.C) *company {
	d := &company{c: c, files: map[*person]file{}, firstNames: strings.Fields("Ana Bruno Carla Dov Emil Fatma Goran Hana Idris Jun Kofi Lena Marek Nuria Oskar Pia")}
	c.Rand().Shuffle(len(d.firstNames), func(i, j int) {
		d.firstNames[i], d.firstNames[j] = d.firstNames[j], d.firstNames[i]
	})
	d.owner, d.other = d.join("customer"), d.join("customer")
	d.admin, d.colleague = d.join("admin"), d.join("admin")
	return d
}

// join makes one more user of the check's, with a name that no other of them has.
func (d *company) join(role string) *person {
	name := d.firstNames[len(d.people)] + " " + d.c.Pick("Amber", "Birch", "Cole", "Fern", "Hazel", "Moss", "Reed", "Sage")
	return d.joinAs(role, name, d.c.Unique("mail")+"@people.example")
}

func (d *company) joinAs(role, name, email string) *person {
	p := &person{name: name, email: email, role: role, token: d.c.Unique("token")}
	hash := sha256.Sum256([]byte(p.token))
	p.id = d.c.DB().Int(`
		with u as (insert into users (name, email, role) values ($1, $2, $3) returning id)
		insert into tokens (hash, user_id, expires) select $4, id, now() + interval '1 hour' from u returning user_id`,
		name, email, role, hash[:])
	d.people, d.now = append(d.people, p), nil
	return p
}

// stale gives the person one more token, which is no good.
func (d *company) stale(p *person, lasts string, revoked bool) string {
	token := d.c.Unique("token")
	hash := sha256.Sum256([]byte(token))
	d.c.DB().Exec(`insert into tokens (hash, user_id, expires, revoked) values ($1, $2, now() + $3::text::interval, $4)`,
		hash[:], p.id, lasts, revoked)
	return token
}

// do sends a request of the person's; nil is nobody.
func (d *company) do(p *person, method, path string, body any, opts ...exam.RequestOption) *exam.Response {
	if p != nil {
		opts = append([]exam.RequestOption{exam.Header("Authorization", "Bearer "+p.token)}, opts...)
	}
	if body != nil {
		opts = append(opts, exam.Header("Content-Type", "application/json"))
	}
	return d.c.Do(method, path, body, opts...)
}

// did is a request with who sent it.
func did(p *person, r *exam.Response, more ...string) string {
	return r.Did() + ", as " + p.who() + strings.Join(more, "")
}

// good fails unless an answer has the status.
func (d *company) good(p *person, r *exam.Response, status int) *exam.Response {
	return r.Want(status, exam.Did(did(p, r)))
}

// file is a claim with a note by its owner and a note by an admin.
type file struct {
	owner                   *person
	id, ownNote, adminsNote int64
	title, remark, text     string
}

func (f file) path() string { return fmt.Sprintf("/claims/%d", f.id) }

func (f file) note(id int64) string { return fmt.Sprintf("/claims/%d/notes/%d", f.id, id) }

// file puts a claim of the owner's into the table. The second note is by the
// colleague, who is nobody's self in the matrix.
func (d *company) file(owner *person) file {
	f := file{owner: owner, title: d.c.Words(2), remark: d.c.Unique("remark"), text: d.c.Unique("text")}
	rows := d.c.DB().Rows(`
		with c as (insert into claims (owner, title, amount, remark) values ($1, $2, $3, $4) returning id),
		     n as (insert into notes (claim, author, text) select c.id, a, $6 from c, unnest(array[$1, $5]::bigint[]) a returning id)
		select (select id from c) as claim, (select min(id) from n) as own, (select max(id) from n) as admins`,
		owner.id, f.title, d.c.Int(100, 90_000), f.remark, d.colleague.id, f.text)
	d.now = nil
	f.id, f.ownNote, f.adminsNote = rows[0]["claim"].(int64), rows[0]["own"].(int64), rows[0]["admins"].(int64)
	return f
}

// shared is a file of the owner's that cells share.
func (d *company) shared(owner *person) file {
	if _, there := d.files[owner]; !there {
		d.files[owner] = d.file(owner)
	}
	return d.files[owner]
}

// never is an id that no object was given.
func (d *company) never() int64 { return int64(d.c.Int(700_000_000, 900_000_000)) }

// ids are those of the check's people.
func (d *company) ids() []int64 {
	ids := make([]int64, len(d.people))
	for i, p := range d.people {
		ids[i] = p.id
	}
	return ids
}

// named is who has the id.
func (d *company) named(id any) string {
	for _, p := range d.people {
		if fmt.Sprint(id) == fmt.Sprint(p.id) {
			return p.name
		}
	}
	return fmt.Sprintf("user %v", id)
}

// reset takes back what a cell of the matrix may have done, also where it should
// not have been done.
func (d *company) reset() {
	d.files, d.now = map[*person]file{}, nil
	var names, emails, roles []string
	for _, p := range d.people {
		names, emails, roles = append(names, p.name), append(emails, p.email), append(roles, p.role)
	}
	d.c.DB().Exec(`
		with restored as (
			update users u set name = p.name, email = p.email, role = p.role, disabled = false
			from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) p (id, name, email, role)
			where u.id = p.id and (u.name, u.email, u.role, u.disabled) <> (p.name, p.email, p.role, false))
		delete from claims where owner = any($1)`, d.ids(), names, emails, roles)
}
