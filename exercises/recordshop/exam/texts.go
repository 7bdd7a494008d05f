package exam

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// names that people and records have, and some that they could have.
var oddTexts = []string{
	`O'Brien; --`,
	`100% _pure_`,
	`C:\temp`,
	`Robert'); drop table records; --`,
	`"quoted", 'quoted' and ` + "`quoted`",
	`Select & Delete: Live at the Union Street Exec Club`,
	`' or '1'='1`,
	`it''s`,
	`\'; --`,
	`costs $1 or $2, ${3} or $$4$$`,
	`?, :name, @name, %s, %d, {{.}}`,
	`<b>Simon & Garfunkel</b> &amp;`,
	`/* no comment */ # here`,
	"a tab\tand a new\nline",
	`Sinéad y los años, 北京, 🎺`,
	"e\u0301 is not é",
	`null`,
	`-1`,
	`(.*)+[a-z]?^$|`,
	`{"json": ["a", 'b']}`,
	` two  spaces, and one more `,
	strings.Repeat(`'`, 200),
	strings.Repeat(`\`, 199) + `'`,
}

func texts(c *exam.C) {
	s := newShop(c)
	decoy := s.insert(nobody(c))
	for _, text := range oddTexts {
		goesThrough(s, decoy, text)
	}
	odd := shop{c: c, name: "O'Brien; -- \"" + c.Unique("shop") + `" 100%`}
	goesThrough(odd, odd.insert(nobody(c)), oddTexts[0])
}

// nobody draws a record by an artist whom no other record has.
func nobody(c *exam.C) record {
	r := some(c)
	r.Artist = "nobody " + r.Artist
	return r
}

// goesThrough sends a text to every place that takes one, and looks for it wherever
// it should come out.
func goesThrough(s shop, decoy record, text string) {
	by, called := some(s.c), some(s.c)
	by.Artist, called.Title = text, text
	by, called = s.create(by), s.create(called)
	for _, r := range []record{by, called} {
		before := len(s.c.Statements())
		resp := s.get(fmt.Sprintf("/records/%d", r.ID))
		s.status(resp, http.StatusOK, before)
		s.same(resp, r, before)
	}
	s.lists(query("/records", "artist", text), by)
	s.lists(query("/records", "artist", decoy.Artist, "artist", text, "limit", "100"), decoy, by)
	patterned := strings.Contains(text, `\`) // left to the check of literal searches
	if !patterned {
		s.contains(query("/records", "q", text, "limit", "100"), decoy, by, called)
	}

	before := len(s.c.Statements())
	renamed := s.insert(some(s.c))
	renamed.Artist, renamed.Title = text, text
	resp := s.do(http.MethodPatch, fmt.Sprintf("/records/%d", renamed.ID), map[string]any{"artist": text, "title": text})
	s.status(resp, http.StatusOK, before)
	s.same(resp, renamed, before)

	if len(text) > 100 || strings.Contains(text, "/") {
		return // no name of a search
	}
	before = len(s.c.Statements())
	s.status(s.do(http.MethodPut, searchPath(text), map[string]any{"q": text}), http.StatusNoContent, before)
	if list := searchPath(text) + "/records?limit=100"; patterned {
		s.get(list).Want(http.StatusOK)
	} else {
		s.contains(list, decoy, by, called, renamed)
	}
}

// contains fails unless a list has all of these records, and not the decoy. What
// else holds the text may be there too.
func (s shop) contains(path string, decoy record, want ...record) {
	before := len(s.c.Statements())
	r := s.get(path)
	s.status(r, http.StatusOK, before)
	var got []record
	r.JSON(&got)
	f := exam.Finding{Did: s.did(r), Expected: "a list with " + names(want), Saw: names(got)}
	s.c.Require(len(without(want, got)) == 0, f)
	f.Expected, f.Saw = "only records that have the text", fmt.Sprintf("%s, which has it nowhere", names([]record{decoy}))
	s.c.Require(len(without([]record{decoy}, got)) == 1, f)
}

// bound looks at the statements themselves. Each value has a mark in it that occurs
// nowhere else.
func bound(c *exam.C) {
	s := newShop(c)
	r := s.insert(some(c))
	path := fmt.Sprintf("/records/%d", r.ID)
	place := func(name string, send func(s shop, value string) *exam.Response) {
		mark := c.Unique("mark")
		value := "O'" + mark
		before := len(c.Statements())
		resp := send(s, value)
		seen := c.Statements()[before:]
		st, found := spliced(seen, mark)
		c.Require(!found, exam.Finding{
			Did:      resp.Did(),
			Expected: name + " stands beside the statement, as a parameter",
			Saw:      fmt.Sprintf("it stands in the statement's text: %s. %s", around(st.SQL, "O'"+mark), how(st, mark)),
		})
		c.Require(resp.Status < 300, exam.Finding{Did: resp.Did(), Expected: "what any other text is answered with", Saw: resp.String()})
	}
	get := func(path string) func(shop, string) *exam.Response {
		return func(s shop, value string) *exam.Response { return s.get(query(path, strings.Fields("q "+value)...)) }
	}
	place("the text searched for", get("/records"))
	place("the artist", func(s shop, v string) *exam.Response {
		return s.get(query("/records", "artist", v, "artist", r.Artist))
	})
	place("the shop of the header", func(s shop, v string) *exam.Response { return shop{c: c, name: v}.get("/records") })
	place("the shop of the header", func(s shop, v string) *exam.Response {
		return shop{c: c, name: v}.do(http.MethodPost, "/records", some(c).body())
	})
	body := func(method, path, field string) func(shop, string) *exam.Response {
		return func(s shop, v string) *exam.Response {
			in := some(c).body()
			in[field] = v
			return s.do(method, path, in)
		}
	}
	place("the new record's artist", body(http.MethodPost, "/records", "artist"))
	place("the new record's title", body(http.MethodPost, "/records", "title"))
	place("the changed artist", body(http.MethodPatch, path, "artist"))
	place("the changed title", body(http.MethodPatch, path, "title"))
	place("the search's name", func(s shop, v string) *exam.Response {
		return s.do(http.MethodPut, searchPath(v), map[string]any{"sort": "title"})
	})
	name := c.Unique("search")
	place("the text to be saved", func(s shop, v string) *exam.Response {
		return s.do(http.MethodPut, searchPath(name), map[string]any{"q": v})
	})
	place("the name of the search that is run", func(s shop, v string) *exam.Response {
		c.DB().Exec(`insert into searches (shop, name) values ($1, $2)`, s.name, v)
		return s.get(searchPath(v) + "/records")
	})
}

func literal(c *exam.C) {
	s := newShop(c)
	called := func(title string) record {
		r := some(c)
		r.Artist, r.Title = "somebody", title
		return s.insert(r)
	}
	percent, plain := called("100% pure"), called("100 times pure")
	under, cross := called("snake_case"), called("snakeXcase")
	back, both := called(`C:\temp`), called(`50\% off`)
	end := called(`the end\`)
	for _, look := range []struct {
		q    string
		want []record
	}{
		{"%", []record{percent, both}},
		{"_", []record{under}},
		{`\`, []record{back, both, end}},
		{"0% p", []record{percent}},
		{"ke_ca", []record{under}},
		{`:\T`, []record{back}},
		{`\%`, []record{both}},
		{`d\`, []record{end}},
		{`%\`, nil},
		{"__", nil},
		{"pure", []record{percent, plain}},
		{"SNAKEx", []record{cross}},
	} {
		s.finds(query("/records", "q", look.q), look.q, look.want)
	}
	c.DB().Exec(`insert into searches (shop, name, q) values ($1, 'stored', '%')`, s.name)
	s.finds(searchPath("stored")+"/records", "%", []record{percent, both})
}

// finds is lists with a word about what the character did.
func (s shop) finds(path, q string, want []record) {
	before := len(s.c.Statements())
	r := s.get(path)
	s.status(r, http.StatusOK, before)
	var got []record
	r.JSON(&got)
	extra, lacking := without(got, want), without(want, got)
	if len(extra)+len(lacking) == 0 {
		return
	}
	f := exam.Finding{Did: s.did(r), Expected: "the records with " + q + " in them: " + names(want), Saw: names(got)}
	switch {
	case len(extra) > 0 && strings.Contains(q, `\`):
		f.Saw += `. The backslash took the meaning from the character after it, and was not looked for itself`
	case len(extra) > 0 && strings.Contains(q, "_"):
		f.Saw += ". _ stood for any character"
	case len(extra) > 0:
		f.Saw += ". % stood for any text, also for none"
	case strings.Contains(q, `\`):
		f.Saw += `. The backslash was not looked for: in a pattern it belongs to the character after it`
	default:
		f.Saw += ". " + q + " was not looked for as it is"
	}
	s.c.Fail(f)
}
