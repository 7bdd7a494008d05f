package exam

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// outcome is what came out of one cell.
type outcome struct {
	route   route
	column  string
	at      place
	due     int
	answer  *exam.Response
	changed string // what a refused request has changed
	leaked  string // what a refusal tells
	silent  bool   // a refusal without an error
	seen    []wire.Statement
}

func (o outcome) right() bool {
	return o.answer.Status == o.due && o.changed == "" && o.leaked == "" && !o.silent
}

// run sends the request of one cell, and takes back what it has done.
func (d *company) run(rt route, column string) outcome {
	at := d.place(rt, column)
	o := outcome{route: rt, column: column, at: at, due: rt.due(column)}
	var before rows
	if !rt.reads() && o.due >= 400 {
		before = d.before()
	}
	var body any
	if rt.body != nil {
		body = rt.body(d, at)
	}
	from := len(d.c.Statements())
	o.answer = d.do(at.caller, rt.method, rt.path(d, at), body)
	o.seen = d.c.Statements()[from:]
	if before != nil {
		o.changed = d.changes(before)
	}
	if o.answer.Status >= 400 {
		o.silent = !hasError(o.answer)
		o.leaked = at.file.leaked(o.answer)
	}
	if o.changed != "" || !rt.reads() && o.answer.Status < 400 {
		d.reset()
	}
	return o
}

func hasError(r *exam.Response) bool {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var said struct {
		Error string `json:"error"`
	}
	return media == "application/json" && json.Unmarshal(r.Body, &said) == nil && said.Error != ""
}

// leaked is what of the file stands in an answer.
func (f file) leaked(r *exam.Response) string {
	for _, secret := range []string{f.remark, f.text, f.title} {
		if secret != "" && strings.Contains(string(r.Body), secret) {
			return secret
		}
	}
	return ""
}

// hold runs cells of the matrix, and fails with the first that comes out wrong.
func (d *company) hold(rts []route, cols ...string) {
	for _, rt := range rts {
		for _, column := range cols {
			if rt.due(column) == 0 {
				continue
			}
			if o := d.run(rt, column); !o.right() {
				f := d.explain(o)
				f.Detail = d.table()
				d.c.Fail(f)
			}
		}
	}
}

// table runs the whole matrix and shows it.
func (d *company) table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "All of it, as it came out. 200≠404: 200, and 404 was due. *: changed or told\nsomething.\n\n%-23s", "")
	for _, column := range columns {
		fmt.Fprintf(&out, "%-9s", column)
	}
	for _, rt := range routes {
		line := fmt.Sprintf("\n%-23s", rt.name)
		for _, column := range columns {
			line += fmt.Sprintf("%-9s", d.cell(rt, column))
		}
		out.WriteString(strings.TrimRight(line, " "))
	}
	out.WriteString(`

owner: a customer, own claim. other: another customer, the same claim. admin: an
admin, the same claim. admin's: an admin, own claim. none: an id never given.
{own}: a note by the claim's owner. {other}: one by an admin who tries nothing.`)
	lines := strings.Split(out.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func (d *company) cell(rt route, column string) string {
	if rt.due(column) == 0 {
		return "-"
	}
	o := d.run(rt, column)
	text := fmt.Sprint(o.answer.Status)
	if o.answer.Status != o.due {
		text += fmt.Sprintf("≠%d", o.due)
	}
	if o.changed != "" || o.leaked != "" {
		text += "*"
	}
	return text
}

// matrix runs the cells that no other check has run.
func matrix(c *exam.C) {
	d := newCompany(c)
	rest := slices.DeleteFunc(slices.Clone(routes), func(rt route) bool {
		claim, _ := rt.about()
		return claim && rt.reads() || strings.Contains(rt.name, "/admin") || strings.Contains(rt.name, "/users")
	})
	d.hold(rest, "owner", "admin", "admin's")
}

// pick is the routes with these names.
func pick(names ...string) []route {
	var found []route
	for _, name := range names {
		i := slices.IndexFunc(routes, func(rt route) bool { return rt.name == name })
		found = append(found, routes[i])
	}
	return found
}

// explain says what is wrong with an outcome, and as far as can be seen, why.
func (d *company) explain(o outcome) exam.Finding {
	f := exam.Finding{
		Did:      did(o.at.caller, o.answer, d.whose(o)),
		Expected: fmt.Sprintf("%d %s", o.due, http.StatusText(o.due)),
		Saw:      o.answer.String(),
	}
	got := o.answer.Status
	switch {
	case got < 300 && o.due >= 400:
		f.Saw += d.happened(o)
	case o.changed != "":
		f.Saw += fmt.Sprintf(". And yet something was done: %s. It was written first, and asked afterwards whether it may be: %s",
			o.changed, lastWrite(o.seen))
		f.Expected += ", and nothing changed"
	case got == http.StatusForbidden && o.due == http.StatusNotFound:
		f.Saw += ". It tells that there is such a claim: for an id that was never given the answer is not 403"
		f.Read = lesson + "403-or-404"
		if o.column == "none" {
			f.Saw = o.answer.String() + ". There is no such object. Who is refused here may do it, if only to objects that exist"
		}
	case got == http.StatusNotFound && o.due == http.StatusForbidden:
		f.Saw += ". " + o.at.caller.name + " can see it with GET, so that to deny it hides nothing; and a client will believe it is gone"
		f.Read = lesson + "403-or-404"
		if claim, _ := o.route.about(); !claim {
			f.Saw = o.answer.String() + ". That there is such a route is no secret, and the task has 403 for it"
		}
	case o.due == http.StatusUnauthorized && got == http.StatusForbidden:
		f.Saw += ". 403 means: I know you, and you may not. Nobody is not known"
	case got >= 400 && o.due < 400:
		f.Saw += ". This caller may do it"
	case o.leaked != "":
		f.Saw += fmt.Sprintf(". The refusal repeats what it refuses: %q", o.leaked)
	case o.silent:
		f.Expected += ", with an object whose error is a sentence"
	}
	return f
}

// whose names the owner of what a request is about.
func (d *company) whose(o outcome) string {
	claim, note := o.route.about()
	switch {
	case o.column == "none" && (claim || note):
		return ". There is no such claim"
	case note:
		return fmt.Sprintf(". The claim is %s's, the note %s's", o.at.file.owner.name, d.author(o))
	case claim:
		return ". The claim is " + d.possessive(o.at.caller, o.at.file.owner)
	}
	return ""
}

func (d *company) author(o outcome) string {
	if o.at.note == o.at.file.adminsNote {
		return d.colleague.name
	}
	return o.at.file.owner.name
}

func (d *company) possessive(caller, owner *person) string {
	if caller == owner {
		return caller.name + "'s own"
	}
	return owner.name + "'s"
}

// happened says what a request has done that should have been refused.
func (d *company) happened(o outcome) string {
	text := ""
	if o.changed != "" {
		text = ": " + o.changed
	}
	if o.at.caller == nil {
		return text
	}
	return text + unasked(o)
}
