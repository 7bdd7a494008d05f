package exam

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

func create(c *exam.C) {
	s, other := newShop(c), newShop(c)
	made := s.create(some(c))
	n := c.DB().Int(`select count(*) from records where id = $1 and shop = $2`, made.ID, s.name)
	c.Require(n == 1, exam.Finding{Expected: "a row in records with that id and the shop's name", Saw: "there is none"})
	before := len(c.Statements())
	path := fmt.Sprintf("/records/%d", made.ID)
	r := s.get(path)
	s.status(r, http.StatusOK, before)
	s.same(r, made, before)
	r = other.get(path)
	r.Want(http.StatusNotFound, exam.Did("GET "+path+" for another shop"), exam.Why("What one shop sells, at which price, is no business of the others."))
	s.get(fmt.Sprintf("/records/%d", made.ID+1_000_000)).Want(http.StatusNotFound)
	c.Get(path).Want(http.StatusBadRequest, exam.Did("GET "+path+" without X-Shop"))
	for _, bad := range []map[string]any{
		{"artist": "", "title": "x", "year": 1970, "price": 1}, {"artist": "x", "year": 1970, "price": 1},
	} {
		s.do(http.MethodPost, "/records", bad).Want(http.StatusBadRequest)
	}
}

// stock fills a shop with records that differ in everything, and another shop with
// the same.
func stock(c *exam.C) (shop, []record) {
	s, other := newShop(c), newShop(c)
	artists := []string{"indigo", "amber", "indigo", "cedar", "amber", "marble"}
	titles := []string{"slate blues", "cold harbor", "an amber light", "blues again", "zephyr", "meadow"}
	years := []int64{1990, 987, 65, 1969} // as texts they come in another order, like the prices
	var all []record
	for i := range artists {
		r := record{Artist: artists[i], Title: titles[i], Year: years[i%4], Price: int64(900 + 137*((i*5)%6))}
		other.insert(r)
		all = append(all, s.insert(r))
	}
	return s, all
}

// sorted is the records in an order; equal ones stay as they are, by id.
func sorted(all []record, by func(a, b record) int) []record {
	all = slices.Clone(all)
	slices.SortStableFunc(all, by)
	return all
}

func byArtist(a, b record) int { return cmp.Compare(a.Artist, b.Artist) }
func byTitle(a, b record) int  { return cmp.Compare(a.Title, b.Title) }
func byYear(a, b record) int   { return cmp.Compare(a.Year, b.Year) }
func byPrice(a, b record) int  { return cmp.Compare(a.Price, b.Price) }
func byID(a, b record) int     { return cmp.Compare(a.ID, b.ID) }

// asTexts compares numbers as somebody does who has made texts of them.
func asTexts(number func(record) int64) func(a, b record) int {
	return func(a, b record) int { return strings.Compare(fmt.Sprint(number(a)), fmt.Sprint(number(b))) }
}

func reversed(by func(a, b record) int) func(a, b record) int {
	return func(a, b record) int { return by(b, a) }
}

const spacesGone = ". The space at its end was not looked for: q was trimmed"

func list(c *exam.C) {
	newShop(c).lists("/records")
	s, all := stock(c)
	s.lists("/records", all...)
	s.lists(query("/records", "q", "BLUES"), all[0], all[3])
	s.lists(query("/records", "q", "amber"), all[1], all[2], all[4])
	s.lists(query("/records", "artist", "amber"), all[1], all[4])
	s.lists(query("/records", "artist", "cedar", "artist", "marble"), all[3], all[5])
	s.lists(query("/records", "artist", "amber", "q", "cold"), all[1])
	s.mistaken([]record{all[1], all[4]}, ". amber was found, which is another text: artist is exactly this artist").
		lists(query("/records", "artist", "AMBER"))
	s.mistaken([]record{all[0], all[3]}, spacesGone).lists(query("/records", "q", " blues"), all[0])
	s.mistaken([]record{all[0], all[3]}, spacesGone).lists(query("/records", "q", "blues "), all[3])
	for _, o := range []struct {
		sort        string
		by, asTexts func(a, b record) int
	}{
		{"artist", byArtist, nil}, {"title", byTitle, nil}, {"id", byID, nil},
		{"year", byYear, asTexts(func(r record) int64 { return r.Year })},
		{"price", byPrice, asTexts(func(r record) int64 { return r.Price })},
	} {
		up, down := s, s
		if o.asTexts != nil {
			why := ": they were compared as texts, in which 987 comes behind 1990"
			up, down = s.mistaken(sorted(all, o.asTexts), why), s.mistaken(sorted(all, reversed(o.asTexts)), why)
		}
		up.lists(query("/records", "sort", o.sort), sorted(all, o.by)...)
		up.lists(query("/records", "sort", o.sort, "order", "asc"), sorted(all, o.by)...)
		down.lists(query("/records", "sort", o.sort, "order", "desc"), sorted(all, reversed(o.by))...)
	}
	s.lists(query("/records", "limit", "2"), all[:2]...)
	s.lists(query("/records", "limit", "2", "offset", "3"), all[3:5]...)
	s.lists(query("/records", "offset", "5", "limit", "100"), all[5:]...)
	s.lists(query("/records", "offset", "1000000"))
	s.lists("/records?q=&artist=&sort=&order=&limit=&offset=", all...)
}

func change(c *exam.C) {
	s, other := newShop(c), newShop(c)
	r, kept := s.insert(some(c)), s.insert(some(c))
	path := fmt.Sprintf("/records/%d", r.ID)
	patch := func(body map[string]any) {
		before := len(c.Statements())
		resp := s.do(http.MethodPatch, path, body)
		s.status(resp, http.StatusOK, before)
		s.same(resp, r, before)
	}
	r.Title = c.Words(2)
	patch(map[string]any{"title": r.Title})
	r.Year, r.Price = int64(c.Int(1900, 1949)), 0
	patch(map[string]any{"year": r.Year, "price": 0})
	r.Artist = c.Words(2)
	patch(map[string]any{"artist": r.Artist})
	s.lists("/records", r, kept)
	other.do(http.MethodPatch, path, map[string]any{"price": 1}).
		Want(http.StatusNotFound, exam.Did("PATCH "+path+" for another shop"))
	s.lists("/records", r, kept)
}

func saved(c *exam.C) {
	s, all := stock(c)
	other := newShop(c)
	name := c.Words(2)
	put := func(body map[string]any) {
		before := len(c.Statements())
		s.status(s.do(http.MethodPut, searchPath(name), body), http.StatusNoContent, before)
	}
	list := searchPath(name) + "/records"
	s.get(list).Want(http.StatusNotFound, exam.Did("GET "+list+" before there was such a search"))
	put(map[string]any{"q": "blues", "sort": "title", "order": "desc"})
	s.lists(list, all[0], all[3])
	other.get(list).Want(http.StatusNotFound, exam.Did("GET "+list+" for another shop"))
	put(map[string]any{"sort": "price"})
	s.mistaken(sorted(all, reversed(byPrice)), ". They come the other way, which was asked for in the search that this one replaced: what a PUT does not name must not stay").
		lists(list, sorted(all, byPrice)...)
	s.lists(list+"?limit=2&offset=1", sorted(all, byPrice)[1:3]...)
	s.lists(list+"?artist=amber", sorted([]record{all[1], all[4]}, byPrice)...)
	put(map[string]any{"q": "blues", "sort": "title"})
	s.lists(list, all[3], all[0])
	put(map[string]any{"q": "blues"})
	s.mistaken([]record{all[3], all[0]}, ". They are sorted by title, which was asked for in the search that this one replaced: what a PUT does not name must not stay").
		lists(list, all[0], all[3])
	put(map[string]any{"q": "blues "})
	s.mistaken([]record{all[0], all[3]}, spacesGone).lists(list, all[3])
}
