package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// stored puts searches into the table as an older version might have done.
func stored(c *exam.C) {
	s, all := stock(c)
	k := newCanary(c)
	mark := c.Unique("mark")
	for _, row := range []struct {
		q, sort, direction, note string
		want                     []record
	}{
		{"blues", "(case when " + k.call() + " then artist else title end)", "", "a sort that was stored unread", []record{all[0], all[3]}},
		{"", "title, (select '" + mark + "')", "", "a sort that was stored unread", all},
		{"", "title", "desc, " + k.call(), "a direction that was stored unread", sorted(all, byTitle)},
		{"", "cost", "desc", "a sort that is not on the list any more", sorted(all, reversed(byID))},
		{"", "label", "", "a sort that is not on the list any more", all},
		{"", "price", "downwards", "a direction that is not on the list", sorted(all, byPrice)},
		{"", "Title", "", "a sort that is on the list in small letters only", all},
		{"", "title", "DESC", "a direction that is on the list in small letters only", sorted(all, byTitle)},
		{"' or " + k.call() + " --" + mark, "", "", "a text that was stored unread", nil},
		{"O'" + mark, "year", "desc", "a text that was stored unread", nil},
	} {
		name := c.Unique("search")
		c.DB().Exec(`insert into searches (shop, name, q, sort, direction) values ($1, $2, $3, $4, $5)`,
			s.name, name, row.q, row.sort, row.direction)
		did := fmt.Sprintf("GET %s/records, where the table has q %q, sort %q and direction %q: %s", searchPath(name), row.q, row.sort, row.direction, row.note)
		before := len(c.Statements())
		r := s.get(searchPath(name) + "/records")
		seen := c.Statements()[before:]
		f := exam.Finding{Did: did, Expected: "200 and " + names(row.want), Saw: r.String()}
		f = storedRan(f, seen, k, mark)
		if r.Status != http.StatusOK {
			c.Fail(refusedBecause(f, seen))
		}
		var got []record
		r.JSON(&got)
		f.Saw = names(got)
		f = foundOther(f, got, row.want)
		c.Require(len(without(got, row.want)) == 0 && len(got) == len(row.want) && inOrder(got, row.want), f)
	}
}

func inOrder(got, want []record) bool {
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

// storedRan ends the check when what was stored has become a part of a statement.
func storedRan(f exam.Finding, seen []wire.Statement, k canary, mark string) exam.Finding {
	for _, text := range []string{k.call(), mark} {
		if st, found := spliced(seen, text); found {
			f.Saw += ". What was stored stands in the text of the next statement: " + around(st.SQL, text)
			if k.sang() {
				f.Saw += ". PostgreSQL has run it"
			}
			k.c.Fail(f)
		}
	}
	return f
}

// odd sends what no column of type text takes, and what it just takes.
func odd(c *exam.C) {
	s := newShop(c)
	r := s.insert(some(c))
	path := fmt.Sprintf("/records/%d", r.ID)
	name := searchPath(c.Unique("search"))
	with := func(field, text string) string {
		return fmt.Sprintf(`{"artist":"a","title":"b","year":1970,"price":1,"%s":"%s"}`, field, text)
	}
	for _, bad := range []struct {
		method, path, body, note string
		or                       int
	}{
		{"GET", "/records?q=%00", "", "a NUL", 0},
		{"GET", "/records?q=blues%00--", "", "a NUL", 0},
		{"GET", "/records?artist=%00", "", "a NUL", 0},
		{"GET", "/records?artist=blues&artist=%ff", "", "not UTF-8", 0},
		{"GET", "/records?q=%ff", "", "not UTF-8", 0},
		{"GET", "/records?q=%c0%a7", "", "not UTF-8: an apostrophe in two bytes", 0},
		{"GET", "/records?sort=title%00", "", "a NUL", 0},
		{"GET", "/records?sort=title&order=asc%00", "", "a NUL", 0},
		{"GET", "/records?limit=1%00", "", "a NUL", 0},
		{"POST", "/records", with("artist", `a\u0000b`), "a NUL", 0},
		{"POST", "/records", with("title", `\u0000`), "a NUL", 0},
		{"PATCH", path, `{"title":"a\u0000b"}`, "a NUL", 0},
		{"PATCH", path, `{"artist":"\u0000"}`, "a NUL", 0},
		{"PUT", name, `{"q":"\u0000"}`, "a NUL", 0},
		{"PUT", name + "%00", `{"q":"a"}`, "a NUL", 0},
		{"PUT", name + "%ff", `{"q":"a"}`, "not UTF-8", 0},
		{"GET", name + "%00/records", "", "a NUL", 404},
		{"GET", name + "%ff/records", "", "not UTF-8", 404},
	} {
		var body any
		if bad.body != "" {
			body = bad.body
		}
		before := len(c.Statements())
		resp := s.do(bad.method, bad.path, body)
		s.refused(resp, attempt{did: resp.Did(), note: bad.note, status: []int{400, max(bad.or, 400)}}, canary{c, 0}, before)
	}
	notUTF8(s, r)
	s.lists(query("/records", "q", strings.Repeat("blues' ", 285)))
	s.lists(query("/records", "q", strings.Repeat(`%_\`, 600)))
	s.unchanged(r)
}

// notUTF8 sends bodies with a byte in them that is no UTF-8.
func notUTF8(s shop, r record) {
	name := searchPath(s.c.Unique("search"))
	for _, bad := range []struct{ method, path, body, place string }{
		{http.MethodPost, "/records", "{\"artist\":\"Bj\xf6rk\",\"title\":\"Debut\",\"year\":1993,\"price\":1}", "the artist Björk in Latin-1: ö is the byte f6, which is not UTF-8"},
		{http.MethodPatch, fmt.Sprintf("/records/%d", r.ID), "{\"title\":\"caf\xe9\"}", "the title café in Latin-1: é is the byte e9, which is not UTF-8"},
		{http.MethodPut, name, "{\"q\":\"caf\xe9\"}", "the text café in Latin-1: é is the byte e9, which is not UTF-8"},
	} {
		before := len(s.c.Statements())
		resp := s.do(bad.method, bad.path, bad.body)
		did := fmt.Sprintf("%s %s with %s", bad.method, bad.path, bad.place)
		if resp.Status < 300 {
			s.c.Fail(exam.Finding{Did: did, Expected: "400",
				Saw: resp.String() + ". Where encoding/json can't read a byte, it puts U+FFFD and says nothing; whoever looks at the text that came out finds no fault any more"})
		}
		s.refused(resp, attempt{did: did, status: []int{400}}, canary{s.c, 0}, before)
	}
}

// payloads are what tools try, for every place and for the quotes around it.
func payloads(k canary, victim shop) []string {
	call := k.call()
	return []string{
		"' or " + call + " --",
		"' or " + call + " or '1'='2",
		"x') or " + call + " --",
		"%' or " + call + " --",
		"1 or " + call,
		"1; select " + call,
		"'; select " + call + "; --",
		`\'; select ` + call + `; --`,
		"$$ || " + call + " || $$",
		"'||(select pg_sleep(1) where " + call + ")||'",
		"'; update records set price = 0; --",
		"' union select 1, name, token, 1, 1 from staff where shop = '" + victim.name + "' --",
		"(select case when " + call + " then 1 else 2 end)",
		"desc, (select 1 where " + call + ")",
		"ʼ or " + call + " --",
	}
}

// attacks tries everything everywhere, beside a shop that has something to lose.
func attacks(c *exam.C) {
	victim := newShop(c)
	token := c.Unique("token")
	c.DB().Exec(`insert into staff (shop, name, token) values ($1, 'owner', $2)`, victim.name, token)
	lost := victim.insert(some(c))
	secrets := []string{token, fmt.Sprint(victim.cost(lost.ID))}
	print := victim.fingerprint()
	k := newCanary(c)
	s := newShop(c)
	own := s.insert(some(c))
	for _, payload := range payloads(k, victim) {
		for _, r := range everywhere(s, own, payload) {
			c.Require(r.Status < 500, exam.Finding{Did: s.did(r), Expected: "200, 201, 204, 400 or 404", Saw: r.String()})
			for _, secret := range secrets {
				leaked := strings.Contains(string(r.Body), secret) && !strings.Contains(payload, secret)
				c.Require(!leaked, exam.Finding{Did: s.did(r), Expected: "nothing of another shop", Saw: r.String() + ": that is another shop's"})
			}
		}
	}
	did := "some texts that attackers try, each in every place that a request has"
	c.Require(!k.sang(), exam.Finding{Did: did, Expected: "PostgreSQL runs nothing of it", Saw: "PostgreSQL has run " + k.call()})
	c.Require(victim.fingerprint() == print, exam.Finding{Did: did, Expected: "nothing of another shop has changed", Saw: "its rows are not what they were"})
}

// everywhere sends a text in each place that a request has.
func everywhere(s shop, own record, text string) []*exam.Response {
	id := fmt.Sprintf("/records/%d", own.ID)
	answers := []*exam.Response{
		s.get(query("/records", "q", text)), s.get(query("/records", "artist", text)),
		s.get(query("/records", "artist", own.Artist, "artist", text)),
		s.get(query("/records", "sort", text)), s.get(query("/records", "sort", "title", "order", text)),
		s.get(query("/records", "limit", text)), s.get(query("/records", "offset", text)),
		s.get(recordPath(text)), s.do(http.MethodPatch, recordPath(text), map[string]any{"price": 1}),
	}
	body := own.body()
	body["artist"], body["title"] = text, text
	search := searchPath(text)
	answers = append(answers,
		s.do(http.MethodPost, "/records", body), s.do(http.MethodPatch, id, map[string]any{"title": text}),
		s.do(http.MethodPatch, id, map[string]any{text: "x"}), s.do(http.MethodPatch, id, map[string]any{"year": text}),
		s.do(http.MethodPut, search, map[string]any{"q": text}), s.get(search+"/records"),
		s.do(http.MethodPut, search, map[string]any{"sort": text}), s.do(http.MethodPut, search, map[string]any{"order": text}),
		s.get(search+"/records"))
	if len(text) <= 64 && printableASCII(text) {
		odd := shop{c: s.c, name: text}
		answers = append(answers, odd.get("/records"), odd.get(id), odd.get(search+"/records"))
	}
	return answers
}

func printableASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// telltales are words of the driver's and the network's that no caller should see.
var telltales = []string{"SQLSTATE", "127.0.0.1", "localhost", "dial ", "user=", "database=", "connection reset", "broken pipe",
	"unexpected EOF", "failed to connect", "failed to receive", "conn closed", "closed pool", "bad connection"}

// quiet fails when an answer repeats what PostgreSQL or the driver said.
func quiet(c *exam.C, r *exam.Response, seen []wire.Statement) {
	body := string(r.Body)
	var said struct {
		Error string `json:"error"`
	}
	r.WantType("application/json")
	r.JSON(&said)
	c.Require(said.Error != "", exam.Finding{Did: r.Did(), Expected: "an object whose error is a sentence", Saw: r.String()})
	f := exam.Finding{Did: r.Did(), Expected: "an error in your own words", Why: whySilent, Read: lesson + "say-nothing"}
	for _, s := range seen {
		if s.Err != nil && len(s.Err.Message) > 8 && strings.Contains(said.Error, s.Err.Message) {
			f.Saw = r.String() + ": the caller was told what PostgreSQL had said"
			c.Fail(f)
		}
	}
	for _, word := range telltales {
		if strings.Contains(body, word) {
			f.Saw = fmt.Sprintf("%s: %q is the driver's word, and no caller's business", r.String(), strings.TrimSpace(word))
			c.Fail(f)
		}
	}
}

// silent lets PostgreSQL fail, and then its connection.
func silent(c *exam.C) {
	s := newShop(c)
	r := s.insert(some(c))
	block := c.Unique("block")
	db := c.DB()
	db.Exec(fmt.Sprintf(`create function damaged() returns trigger language plpgsql as $$
		begin
			raise exception using errcode = 'XX001', message = 'invalid page in %s of relation base/16384/16402';
		end $$`, block))
	defer db.Exec(`drop function damaged() cascade`)
	db.Exec(fmt.Sprintf(`create trigger damaged before insert or update on records for each row when (new.shop = '%s') execute function damaged()`, s.name))
	for _, send := range []func() *exam.Response{
		func() *exam.Response { return s.do(http.MethodPost, "/records", some(c).body()) },
		func() *exam.Response {
			return s.do(http.MethodPatch, fmt.Sprintf("/records/%d", r.ID), map[string]any{"price": 1})
		},
	} {
		before := len(c.Statements())
		s.failed(send(), "while PostgreSQL found a table damaged", c.Statements()[before:])
	}
	c.Postgres().Refuse(true)
	c.Postgres().Cut()
	for range 3 {
		s.failed(s.get("/records"), "while PostgreSQL could not be reached", nil)
	}
	s.failed(s.get("/searches/any/records"), "while PostgreSQL could not be reached", nil)
	c.Postgres().Heal()
	for end := time.Now().Add(5 * time.Second); s.get("/records").Status != http.StatusOK; time.Sleep(10 * time.Millisecond) {
		c.Require(time.Now().Before(end), exam.Finding{Expected: "200, since PostgreSQL can be reached again", Saw: "an error for 5 seconds"})
	}
}

// failed fails unless an answer says that something went wrong, and not what.
func (s shop) failed(r *exam.Response, when string, seen []wire.Statement) {
	did := r.Did() + " " + when
	r.WantOneOf([]int{http.StatusInternalServerError, http.StatusServiceUnavailable}, exam.Did(did))
	quiet(s.c, r, seen)
}
