package exam

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

// canary is a number whose advisory lock shows that PostgreSQL has run what stood
// in a request: the lock belongs to the session and stays, whatever becomes of the
// statement.
type canary struct {
	c *exam.C
	n int
}

func newCanary(c *exam.C) canary { return canary{c, c.Int(100_000_000, 999_999_999)} }

func (k canary) call() string { return fmt.Sprintf("pg_try_advisory_lock(%d)", k.n) }

// sang tells whether the call was run.
func (k canary) sang() bool {
	return k.c.DB().Int(`select count(*) from pg_locks where locktype = 'advisory' and objid = $1::bigint::oid`, k.n) > 0
}

// attempt is a request that has to be refused.
type attempt struct {
	did    string // "" for the request itself
	note   string // what is the matter with what was sent
	number string // what was sent in place of a number
	status []int
	read   string
}

// refused fails unless an attempt was refused, without a word of the database's.
// PostgreSQL must not have run the canary.
func (s shop) refused(r *exam.Response, a attempt, k canary, before int) {
	seen := s.c.Statements()[before:]
	f := exam.Finding{Did: a.did, Expected: fmt.Sprintf("%d", a.status[0]), Saw: r.String(), Read: a.read}
	if f.Did == "" {
		f.Did = s.did(r)
	}
	if a.note != "" {
		f.Did += ": " + a.note
	}
	if st, found := spliced(seen, k.call()); found && k.sang() {
		f.Saw += ". PostgreSQL has run " + k.call() + ", which the caller wrote: " + around(st.SQL, k.call())
		s.c.Fail(f)
	}
	if slices.Contains(a.status, r.Status) {
		quiet(s.c, r, seen)
		return
	}
	if r.Status < 300 {
		if st, found := lastOnRecords(seen); found {
			f.Saw += ". This was run: " + tail(st) + begun(st, a.number)
		}
	}
	s.c.Fail(refusedBecause(f, seen))
}

func lastOnRecords(seen []wire.Statement) (last wire.Statement, found bool) {
	for _, st := range seen {
		if st.Err == nil && (strings.Contains(st.SQL, "records") || strings.Contains(st.SQL, "searches")) {
			last, found = st, true
		}
	}
	return last, found
}

// tail is the end of a statement, where ORDER BY and LIMIT are.
func tail(st wire.Statement) string {
	sql := oneLine(st.SQL)
	if i := strings.LastIndex(strings.ToLower(sql), "order by"); i > 0 {
		sql = "… " + sql[i:]
	}
	if len(sql) > 200 {
		sql = sql[:200] + " …"
	}
	if len(st.Params) > 0 {
		params := make([]string, len(st.Params))
		for i, p := range st.Params {
			params[i] = fmt.Sprintf("$%d = %s", i+1, p)
		}
		sql += ", with " + strings.Join(params, ", ")
	}
	return sql
}

// begun says so when a statement has the number with which a text begins, and
// nothing of what follows it.
func begun(st wire.Statement, text string) string {
	rest := strings.TrimLeft(text, "0123456789")
	head := strings.TrimSuffix(text, rest)
	words := append(strings.Fields(st.SQL), st.Params...)
	if head == "" || rest == "" || slices.Contains(words, text) || strings.Contains(st.SQL, text) || !slices.Contains(words, head) {
		return ""
	}
	return fmt.Sprintf(". %s was read, and what follows it was dropped", head)
}

// badOrder are values for sort and order that are on no list.
func badOrder(call string) [][3]string {
	expression := "(case when " + call + " then artist else title end)"
	return [][3]string{
		{"sort", expression, "an expression, and no name"},
		{"sort", "artist, " + expression, "it begins with a name on the list"},
		{"sort", expression + ", artist", "it ends with a name on the list"},
		{"sort", "artist; select " + call, "it begins with a name on the list"},
		{"sort", "artist--", "it begins with a name on the list"},
		{"sort", "artist desc", "it begins with a name on the list"},
		{"sort", "cost", "a column that is on no list"},
		{"sort", "shop", "a column that is on no list"},
		{"sort", "label", "no column has this name"},
		{"sort", "titl", "the beginning of a name on the list"},
		{"sort", "artists", "no column has this name"},
		{"sort", `"artist"`, "quoted"},
		{"sort", "records.artist", "not as it stands on the list"},
		{"sort", "1", "no name"},
		{"sort", "Title", "the list has it in small letters"},
		{"sort", "artist,title", "two names"},
		{"sort", "'", "no name"},
		{"order", "desc, " + expression, "it begins with a direction"},
		{"order", ", " + expression, "no direction at all"},
		{"order", "desc nulls last", "it begins with a direction"},
		{"order", "desc limit 1", "it begins with a direction"},
		{"order", "descending", "it begins with a direction"},
		{"order", "des", "no direction"},
		{"order", "DESC", "the list has it in small letters"},
		{"order", "up", "no direction"},
		{"order", "'", "no direction"},
	}
}

func sortBy(c *exam.C) {
	s := newShop(c)
	for range 3 {
		s.insert(some(c))
	}
	k := newCanary(c)
	for _, bad := range badOrder(k.call()) {
		pairs := []string{bad[0], bad[1]}
		if bad[0] == "order" {
			pairs = []string{"sort", "title", bad[0], bad[1]}
		}
		before := len(c.Statements())
		r := s.get(query("/records", pairs...))
		s.refused(r, attempt{note: bad[2], status: []int{400}}, k, before)
	}
	for _, bad := range badOrder(k.call()) {
		before := len(c.Statements())
		name := c.Unique("search")
		r := s.do(http.MethodPut, searchPath(name), map[string]any{bad[0]: bad[1]})
		s.refused(r, attempt{note: bad[2], status: []int{400}, read: lesson + "the-second-time"}, k, before)
	}
}

// badNumbers are texts that are no number from 1 to 100.
func badNumbers(call string) [][2]string {
	return [][2]string{
		{"(select 1 where " + call + ")", "an expression"},
		{"2; select " + call, "it begins with a number"},
		{"2 --", "it begins with a number"},
		{"2abc", "it begins with a number"},
		{"2.5", "not a whole one"},
		{"abc", "no number"},
		{"null", "no number"},
		{"all", "a word that LIMIT knows"},
		{"'", "no number"},
		{"-1", "below the range"},
		{"1000001", "above the range"},
		{"99999999999999999999", "above every range"},
	}
}

func numbers(c *exam.C) {
	s := newShop(c)
	kept := s.insert(some(c))
	s.insert(some(c))
	k := newCanary(c)
	for _, name := range []string{"limit", "offset"} {
		for _, bad := range badNumbers(k.call()) {
			before := len(c.Statements())
			r := s.get(query("/records", name, bad[0]))
			s.refused(r, attempt{note: bad[1], number: bad[0], status: []int{400}}, k, before)
		}
	}
	before := len(c.Statements())
	for _, bad := range []string{"0", "101"} {
		s.refused(s.get(query("/records", "limit", bad)), attempt{status: []int{400}}, k, before)
	}
	for _, bad := range []string{
		fmt.Sprintf("%d or %s", kept.ID, k.call()), fmt.Sprintf("%d; select %s", kept.ID, k.call()), fmt.Sprintf("%d --", kept.ID),
		fmt.Sprintf("%dabc", kept.ID), "0 or " + k.call(), "abc", "'", "-1", "0.5", "99999999999999999999",
	} {
		before := len(c.Statements())
		a := attempt{note: "no record has this id", number: bad, status: []int{404}}
		s.refused(s.get(recordPath(bad)), a, k, before)
		before = len(c.Statements())
		s.refused(s.do(http.MethodPatch, recordPath(bad), map[string]any{"price": 1}), a, k, before)
	}
	numbersInBodies(s, kept, k)
	for _, body := range []string{`{"artist":"a","title":"b","year":null,"price":1}`, `{"artist":"a","title":"b","year":1970,"price":null}`} {
		before := len(c.Statements())
		s.refused(s.do(http.MethodPost, "/records", body), attempt{note: "null is no number", status: []int{400}}, k, before)
	}
	s.unchanged(kept)
}

// numbersInBodies sends what is no year and no price.
func numbersInBodies(s shop, kept record, k canary) {
	for _, bad := range []string{
		`"year":"1970"`, `"year":"1970 + (` + k.call() + `)::int"`, `"price":"1, cost = 1"`, `"year":1970.5`, `"year":0`, `"year":10000`,
		`"price":-1`, `"price":1000001`, `"year":99999999999999999999`, `"price":true`, `"price":[1]`,
	} {
		name, _, _ := strings.Cut(strings.Trim(bad, `"`), `"`)
		a := attempt{note: "no " + name, status: []int{400}}
		before := len(s.c.Statements())
		s.refused(s.do(http.MethodPatch, fmt.Sprintf("/records/%d", kept.ID), "{"+bad+"}"), a, k, before)
		other := `"price":1`
		if name == "price" {
			other = `"year":1970`
		}
		before = len(s.c.Statements())
		s.refused(s.do(http.MethodPost, "/records", fmt.Sprintf(`{"artist":"a","title":"b",%s,%s}`, other, bad)), a, k, before)
	}
}

// unchanged fails unless the record is in the table as it was.
func (s shop) unchanged(r record) {
	rows := s.c.DB().Rows(`select artist, title, year::bigint, price::bigint from records where id = $1`, r.ID)
	now := "gone"
	if len(rows) == 1 {
		now = fmt.Sprintf("artist %q, title %q, year %v, price %v", rows[0]["artist"], rows[0]["title"], rows[0]["year"], rows[0]["price"])
	}
	was := fmt.Sprintf("artist %q, title %q, year %d, price %d", r.Artist, r.Title, r.Year, r.Price)
	s.c.Require(now == was, exam.Finding{Did: "requests that were all refused", Expected: "the record is as it was: " + was, Saw: "it is " + now})
}

func fields(c *exam.C) {
	s, victim := newShop(c), newShop(c)
	r := s.insert(some(c))
	token := c.Unique("token")
	c.DB().Exec(`insert into staff (shop, name, token) values ($1, 'owner', $2)`, victim.name, token)
	cost := s.cost(r.ID)
	path := fmt.Sprintf("/records/%d", r.ID)
	k := newCanary(c)
	stolen := fmt.Sprintf("artist = (select string_agg(token, ',') from staff where shop = '%s'), title", victim.name)
	for _, bad := range []struct {
		name, note string
		value      any
	}{
		{stolen, "the name of a field, so to speak", "x"},
		{"title = 'x' where " + k.call() + "; --", "the name of a field, so to speak", "x"},
		{"cost", "a column that is on no list", 1},
		{"shop", "a column that is on no list", victim.name},
		{"label", "no column has this name", "x"},
		{"'", "no name", "x"},
		{"", "no name", "x"},
	} {
		before := len(c.Statements())
		resp := s.do(http.MethodPatch, path, map[string]any{bad.name: bad.value})
		c.Require(!strings.Contains(string(resp.Body), token), exam.Finding{
			Did: resp.Did(), Expected: "400", Saw: resp.String() + ". The artist is now the token of another shop's owner, out of staff"})
		now := s.cost(r.ID)
		c.Require(now == cost, exam.Finding{Did: resp.Did(), Expected: "400, and nothing changed",
			Saw: fmt.Sprintf("%s, and the cost is %d now, which was %d", resp.String(), now, cost)})
		a := attempt{note: bad.note, status: []int{400}}
		s.refused(resp, a, k, before)
		body := some(c).body()
		body[bad.name] = bad.value
		before = len(c.Statements())
		s.refused(s.do(http.MethodPost, "/records", body), a, k, before)
	}
	s.do(http.MethodPatch, path, map[string]any{"price": 1, "cost": 1}).Want(http.StatusBadRequest)
	s.unchanged(r)
	n := c.DB().Int(`select count(*) from records where shop = $1`, s.name)
	c.Require(n == 1, exam.Finding{Did: "POST /records with a fifth field, which was refused", Expected: "no new row", Saw: fmt.Sprintf("%d new rows", n-1)})
}
