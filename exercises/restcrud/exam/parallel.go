package exam

import (
	"encoding/json"
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
	oneParcel(c)
}

// oneParcel lets half of the clients replace one and the same parcel, and the
// other half read it. Its texts are long, so that somebody who reads it without
// a lock, or sends it from where others write, takes long enough to be caught.
func oneParcel(c *exam.C) {
	long := func() parcel {
		p := newParcel(c)
		p.Recipient = strings.Repeat(p.Recipient+" ", 100) + "."
		p.Note = seal(p)
		return p
	}
	id := created(c, long()).ID
	s := &shelf{c: c}
	for range 2 {
		s.contend(id, long)
	}
	want(c, c.Delete("/parcels/"+id), http.StatusNoContent)
}

// contend sends one round of requests for the one parcel.
func (s *shelf) contend(id string, next func() parcel) {
	requests := make([][]exam.Request, lanes)
	for i := range lanes {
		for range load {
			r := exam.Request{Method: http.MethodGet, Path: "/parcels/" + id}
			if i%2 == 0 {
				r.Method, r.Body = http.MethodPut, next().body()
			}
			requests[i] = append(requests[i], r)
		}
	}
	for _, lane := range s.c.Volley(requests...) {
		for _, r := range lane {
			var got parcel
			if err := json.Unmarshal(r.Body, &got); r.Status != http.StatusOK || err != nil || got.ID != id {
				s.collision(r, "200 with the parcel", r.String())
			}
			if got.Note != seal(got) {
				s.collision(r, "the parcel as it was before a PUT, or as it is after it",
					fmt.Sprintf("a mixture of two: grams %d, recipient %.20s…, note %.30s…. It was written to while the answer was being made from it", got.Grams, got.Recipient, got.Note))
			}
		}
	}
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
			p := s.answered(r, http.StatusCreated, brought[i][j])
			if other, taken := s.by[p.ID]; taken {
				s.collision(r, "an id of its own for every parcel",
					fmt.Sprintf("id %q was given to the parcels of %s and of %s: two handlers took the next id at the same moment", p.ID, other, p.Recipient))
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
				s.answered(r, http.StatusOK, p)
			case p.Recipient == "":
				s.wantWhole(r)
			case r.Status != http.StatusNoContent:
				s.collision(r, statusText(http.StatusNoContent), r.String()+": the parcel was there, and nobody else deletes it")
			}
		}
	}
}

// collision fails with what only another request can have caused: the checks
// before have seen each of these requests answered as it should be.
func (s *shelf) collision(r *exam.Response, expected, saw string) {
	s.c.Fail(exam.Finding{
		Did:      fmt.Sprintf("%s, while %d other clients worked on parcels of their own", r.Did(), lanes-1),
		Expected: expected,
		Saw:      saw,
	})
}

// answered wants the parcel in the answer to be the given one, and returns it. A
// wanted parcel without an id may come back with any.
func (s *shelf) answered(r *exam.Response, status int, wanted parcel) (got parcel) {
	if r.Status != status {
		s.collision(r, statusText(status), r.String()+": alone, this request was answered as it should be")
	}
	err := json.Unmarshal(r.Body, &got)
	if wanted.ID == "" {
		wanted.ID = got.ID
	}
	if err != nil || got.ID == "" || got != wanted {
		s.collision(r, fmt.Sprintf("%d with %s", status, wanted), r.String()+": not this client's parcel, or not as it has just sent it")
	}
	return got
}

// wantWhole looks at a list from mid-traffic: every sealed parcel in it must be
// whole, and none may be there twice.
func (s *shelf) wantWhole(r *exam.Response) {
	var all []parcel
	if err := json.Unmarshal(r.Body, &all); r.Status != http.StatusOK || err != nil {
		s.collision(r, "200 with an array of parcels", r.String())
	}
	seen := map[string]bool{}
	for _, p := range all {
		switch {
		case p.ID == "" || p.Recipient == "":
			s.collision(r, "whole parcels", "an empty one in the list: its id was still there, and it was not. Somebody deleted it while the list was being put together")
		case seen[p.ID]:
			s.collision(r, "every parcel once", p.String()+" twice")
		case strings.Contains(p.Note, " g for ") && p.Note != seal(p):
			s.collision(r, "each parcel as it was before a PUT, or as it is after it", "a mixture of two: "+p.String())
		}
		seen[p.ID] = true
	}
}

// wantAll compares the list with the shelf, when everybody has gone home.
func (s *shelf) wantAll(old []parcel) {
	r := s.c.Get("/parcels")
	s.wantWhole(r)
	var all []parcel
	r.JSON(&all)
	got := byID(all)
	f := exam.Finding{Did: fmt.Sprintf("%d clients created, changed, read and deleted parcels of their own at the same time; when all were done, GET /parcels", lanes)}
	left := len(old)
	for _, mine := range s.mine {
		left += len(mine)
		for _, p := range mine {
			switch found, ok := got[p.ID]; {
			case !ok:
				f.Expected, f.Saw = p.String()+" in the list", "it is not there, and nobody deleted it: two handlers changed the same map or slice, and one change overwrote the other"
				s.c.Fail(f)
			case found != p:
				f.Expected, f.Saw = p.String(), found.String()+", which was overwritten before"
				s.c.Fail(f)
			}
		}
	}
	if len(all) != left {
		f.Expected, f.Saw = count(left), count(len(all))+": something is there that was deleted"
		s.c.Fail(f)
	}
}
