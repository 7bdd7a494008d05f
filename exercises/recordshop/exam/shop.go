package exam

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cairn-learn/cairn/grader/exam"
)

// record is one as the contract has it.
type record struct {
	ID     int64  `json:"id"`
	Artist string `json:"artist"`
	Title  string `json:"title"`
	Year   int64  `json:"year"`
	Price  int64  `json:"price"`
}

func (r record) body() map[string]any {
	return map[string]any{"artist": r.Artist, "title": r.Title, "year": r.Year, "price": r.Price}
}

// shop is a shop of the check's own, so that nothing else is in its lists.
type shop struct {
	c     *exam.C
	name  string
	wrong mistake
}

// mistake is a list that a known mistake finds, and what is then said of it.
type mistake struct {
	found []record
	cause string
}

func newShop(c *exam.C) shop { return shop{c: c, name: c.Unique("shop")} }

// mistaken is the shop with a list that it must not answer with.
func (s shop) mistaken(found []record, cause string) shop {
	s.wrong = mistake{found, cause}
	return s
}

// do sends a request for the shop.
func (s shop) do(method, path string, body any) *exam.Response {
	return s.c.Do(method, path, body, exam.Header("X-Shop", s.name))
}

func (s shop) get(path string) *exam.Response { return s.do(http.MethodGet, path, nil) }

// some draws a record with nothing odd in it. Artist and title are a word each, in
// lower case, so that every collation sorts them alike.
func some(c *exam.C) record {
	return record{Artist: c.Words(1), Title: c.Words(1), Year: int64(c.Int(1950, 2020)), Price: int64(c.Int(500, 5000))}
}

// insert puts a record into the table, past the program.
func (s shop) insert(r record) record {
	r.ID = s.c.DB().Int(`insert into records (shop, artist, title, year, price, cost) values ($1, $2, $3, $4, $5, $6) returning id`,
		s.name, r.Artist, r.Title, r.Year, r.Price, s.c.Int(100_000_000, 999_999_999))
	return r
}

// create sends a record and fails unless it is stored as it was sent.
func (s shop) create(in record) record {
	before := len(s.c.Statements())
	r := s.do(http.MethodPost, "/records", in.body())
	s.status(r, http.StatusCreated, before)
	return s.same(r, in, before)
}

// same fails unless the answer is the given record; an id of 0 is any.
func (s shop) same(r *exam.Response, want record, before int) record {
	var got record
	r.JSON(&got)
	if want.ID == 0 {
		want.ID = got.ID
	}
	s.c.Require(got.ID != 0, exam.Finding{Expected: "a record with its id", Saw: r.String()})
	if got != want {
		f := exam.Finding{Did: r.Did(), Expected: shown(want), Saw: shown(got)}
		for _, pair := range [][2]string{{got.Artist, want.Artist}, {got.Title, want.Title}} {
			f.Saw += altered(pair[0], pair[1])
		}
		s.c.Fail(f)
	}
	return got
}

func shown(r record) string {
	return fmt.Sprintf("artist %s, title %s, year %d, price %d, id %d", quoted(r.Artist), quoted(r.Title), r.Year, r.Price, r.ID)
}

// quoted is a text between quotes, with its backslashes as they are: what becomes
// of these is what some of the checks are about.
func quoted(text string) string {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Sprintf("%q", text)
	}
	return `"` + text + `"`
}

// status fails unless the answer has the status, with what the wire tells of the
// reason.
func (s shop) status(r *exam.Response, want, before int) {
	if r.Status == want {
		return
	}
	f := exam.Finding{Did: s.did(r), Expected: fmt.Sprint(want), Saw: r.String()}
	s.c.Fail(refusedBecause(f, s.c.Statements()[before:]))
}

// did is the request in words, with the shop where it matters.
func (s shop) did(r *exam.Response) string {
	did := r.Did()
	if i := strings.IndexByte(did, ' '); i > 0 {
		method, rest, _ := strings.Cut(did, " ")
		path, after, body := strings.Cut(rest, " with ")
		if plain, err := url.QueryUnescape(path); err == nil && plain != path && printable(plain) {
			did = method + " " + plain + " (percent-encoded)"
			if body {
				did += " with " + after
			}
		}
	}
	if strings.ContainsAny(s.name, "' ") {
		did += ", X-Shop: " + s.name
	}
	return did
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\uFFFD' })
}

// query makes the path of a list: query("/records", "q", "blues", "limit", "5").
func query(path string, pairs ...string) string {
	values := make([]string, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		values = append(values, pairs[i]+"="+url.QueryEscape(pairs[i+1]))
	}
	return path + "?" + strings.Join(values, "&")
}

func searchPath(name string) string { return "/searches/" + url.PathEscape(name) }

func recordPath(id string) string { return "/records/" + url.PathEscape(id) }

// lists fails unless the path is answered with exactly these records in this order.
func (s shop) lists(path string, want ...record) {
	before := len(s.c.Statements())
	r := s.get(path)
	s.status(r, http.StatusOK, before)
	var got []record
	r.JSON(&got)
	s.c.Require(got != nil, exam.Finding{Did: s.did(r), Expected: "a JSON array", Saw: r.String()})
	if slices.Equal(got, want) {
		return
	}
	f := exam.Finding{Did: s.did(r), Expected: names(want), Saw: names(got)}
	if s.wrong.cause != "" && slices.Equal(got, s.wrong.found) {
		f.Saw += s.wrong.cause
		s.c.Fail(f)
	}
	s.c.Fail(foundOther(f, got, want))
}

// foundOther says in what way a list is not the one that was due.
func foundOther(f exam.Finding, got, want []record) exam.Finding {
	extra, lacking := without(got, want), without(want, got)
	switch {
	case len(extra) == 0 && len(lacking) == 0 && len(got) == len(want):
		f.Saw += ": the right records in another order"
	case len(extra) > 0 && len(lacking) == 0:
		f.Saw += fmt.Sprintf(": %d too many", len(extra))
	case len(lacking) > 0 && len(extra) == 0:
		f.Saw += fmt.Sprintf(": %d of %d missing", len(lacking), len(want))
	}
	return f
}

func without(all, other []record) []record {
	return slices.DeleteFunc(slices.Clone(all), func(r record) bool { return slices.Contains(other, r) })
}

// names is a list in a few words.
func names(records []record) string {
	if len(records) == 0 {
		return "an empty list"
	}
	const most = 6
	var parts []string
	for _, r := range records[:min(len(records), most)] {
		parts = append(parts, quoted(r.Title)+" by "+quoted(r.Artist))
	}
	if len(records) > most {
		parts = append(parts, fmt.Sprintf("and %d more", len(records)-most))
	}
	return strings.Join(parts, ", ")
}

// cost reads what the program must not show.
func (s shop) cost(id int64) int64 {
	return s.c.DB().Int(`select cost from records where id = $1`, id)
}

// fingerprint changes with anything of the shop in any table.
func (s shop) fingerprint() string {
	return s.c.DB().Text(`select
		coalesce((select md5(string_agg(r::text, '|' order by id)) from records r where shop = $1), '') ||
		coalesce((select md5(string_agg(f::text, '|' order by name)) from searches f where shop = $1), '') ||
		coalesce((select md5(string_agg(p::text, '|' order by name)) from staff p where shop = $1), '')`, s.name)
}
