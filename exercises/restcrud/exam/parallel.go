package exam

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	lanes  = 16 // clients at the same time
	load   = 60 // parcels that each of them brings in a round
	rounds = 4  // times that they bring, correct and hand out
)

// shelf is what must be in the register. Every parcel belongs to one client, so
// that what every answer about it has to be is known.
type shelf struct {
	c    *exam.C
	by   map[string]string // id → recipient, of every parcel that was created
	mine [][]parcel        // by client, as they are now
}

// parallel fills the register from many clients at once, and then lets them
// change and delete their parcels while others read the list, which is long
// enough by then to take a while.
func parallel(c *exam.C) {
	old := list(c)
	s := &shelf{c: c, by: map[string]string{}, mine: make([][]parcel, lanes)}
	for range rounds {
		s.bring()
		s.traffic()
	}
	s.wantAll(old)
}

// sealed is a parcel whose note repeats its other fields, so that a mixture of
// two parcels shows.
func sealed(c *exam.C) parcel {
	p := newParcel(c)
	p.Note = seal(p)
	return p
}

func seal(p parcel) string { return fmt.Sprintf("%d g for %s", p.Grams, p.Recipient) }

// bring lets every client create its parcels.
func (s *shelf) bring() {
	requests := make([][]exam.Request, lanes)
	brought := make([][]parcel, lanes)
	for i := range lanes {
		for range load {
			p := sealed(s.c)
			brought[i] = append(brought[i], p)
			requests[i] = append(requests[i], exam.Request{Method: http.MethodPost, Path: "/parcels", Body: p.body()})
		}
	}
	for i, lane := range s.c.Volley(requests...) {
		for j, r := range lane {
			want(s.c, r, http.StatusCreated)
			p := wantParcel(s.c, r, brought[i][j])
			if other, taken := s.by[p.ID]; taken {
				s.c.Fail(exam.Finding{
					Did:      fmt.Sprintf("%d clients sent POST /parcels at the same time", lanes),
					Expected: "an id of its own for every parcel",
					Saw:      fmt.Sprintf("id %q was given to the parcels of %s and of %s: two handlers took the next id at the same moment", p.ID, other, p.Recipient),
				})
			}
			s.by[p.ID], s.mine[i] = p.Recipient, append(s.mine[i], p)
		}
	}
}

// traffic lets every client replace all of its parcels and delete every second,
// and look at the list in between.
func (s *shelf) traffic() {
	requests := make([][]exam.Request, lanes)
	wanted := make([][]parcel, lanes) // by request; no id: the parcel is deleted; no recipient: the list
	add := func(i int, method, path string, body any, p parcel) {
		requests[i] = append(requests[i], exam.Request{Method: method, Path: path, Body: body})
		wanted[i] = append(wanted[i], p)
	}
	for i, mine := range s.mine {
		var kept []parcel
		for j, p := range mine {
			path := "/parcels/" + p.ID
			next := sealed(s.c).with(p.ID)
			add(i, http.MethodPut, path, next.body(), next)
			switch {
			case j%2 == 0:
				add(i, http.MethodDelete, path, nil, next.with(""))
			default:
				kept = append(kept, next)
			}
			if i%2 == 0 && j == len(mine)/2 {
				add(i, http.MethodGet, "/parcels", nil, parcel{})
			}
		}
		s.mine[i] = kept
	}
	for i, lane := range s.c.Volley(requests...) {
		for j, r := range lane {
			switch p := wanted[i][j]; {
			case p.ID != "":
				want(s.c, r, http.StatusOK)
				wantParcel(s.c, r, p)
			case p.Recipient != "":
				want(s.c, r, http.StatusNoContent)
			default:
				wantWhole(s.c, r)
			}
		}
	}
}

// wantAll compares the list with the shelf, when everybody has gone home.
func (s *shelf) wantAll(old []parcel) {
	f := exam.Finding{Did: "many clients created, changed, read and deleted parcels of their own at the same time; then GET /parcels"}
	got := map[string]parcel{}
	all := list(s.c)
	for _, p := range all {
		got[p.ID] = p
	}
	left := len(old)
	for _, mine := range s.mine {
		left += len(mine)
		for _, p := range mine {
			if _, ok := got[p.ID]; !ok {
				f.Expected, f.Saw = p.String()+" in the list", "it is not there, and nobody deleted it: two handlers changed the same map or slice, and one change overwrote the other"
				s.c.Fail(f)
			}
			same(s.c, f.Did, got[p.ID], p)
		}
	}
	if len(all) != left {
		f.Expected, f.Saw = count(left), count(len(all))
		s.c.Fail(f)
	}
}

// wantWhole looks at a list from mid-traffic: every sealed parcel in it must be
// whole, and none may be there twice.
func wantWhole(c *exam.C, r *exam.Response) {
	want(c, r, http.StatusOK)
	wantJSON(c, r)
	seen := map[string]bool{}
	for _, item := range listed(c, r) {
		p := parcelOf(c, r, item)
		if seen[p.ID] {
			c.Fail(exam.Finding{Did: "GET /parcels while others changed parcels", Expected: "every parcel once", Saw: p.String() + " twice"})
		}
		seen[p.ID] = true
		if strings.Contains(p.Note, " g for ") && p.Note != seal(p) {
			c.Fail(exam.Finding{Did: "GET /parcels while others changed parcels",
				Expected: "each parcel as it was before a PUT, or as it is after it",
				Saw:      "a mixture of two: " + p.String()})
		}
	}
}
