package exam

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	scanners = 16 // clients at the same time
	rounds   = 12 // parcels that each of them brings
)

// parallel lets several scanners bring, correct, read and collect parcels at
// the same time. Each one works on parcels of its own, so that it knows what
// every answer has to be; only the list shows it those of the others.
func parallel(c *exam.C) {
	old := list(c)
	var mu sync.Mutex
	owner := map[string]parcel{} // by id, every parcel that was created
	left := map[string]parcel{}  // by id, as it must be in the end

	c.Burst(scanners, func(i int) {
		scanner := c.Client(fmt.Sprintf("scanner %d", i+1))
		for round := range rounds {
			p := bring(c, scanner, sealed(c))
			mu.Lock()
			other, taken := owner[p.ID]
			owner[p.ID] = p
			mu.Unlock()
			if taken {
				c.Fail(exam.Finding{Did: fmt.Sprintf("%d clients sent POST /parcels at the same time", scanners),
					Expected: "an id for every parcel",
					Saw:      fmt.Sprintf("id %q was given to the parcels of %s and of %s", p.ID, other.Recipient, p.Recipient),
					Detail:   "Two handlers read the counter, then both wrote it. What belongs together must happen under one lock."})
			}
			p = correct(c, scanner, p)
			if round%4 == 0 {
				look(c, scanner)
			}
			if round%2 == 0 {
				collect(c, scanner, p)
				continue
			}
			mu.Lock()
			left[p.ID] = p
			mu.Unlock()
		}
	})

	got := map[string]parcel{}
	for _, p := range list(c) {
		got[p.ID] = p
	}
	f := exam.Finding{Did: fmt.Sprintf("%d clients created, changed, read and deleted parcels of their own at the same time; then GET /parcels", scanners)}
	for id, p := range left {
		if _, ok := got[id]; !ok {
			f.Expected, f.Saw = p.String()+" in the list", "it is not there, and nobody deleted it"
			f.Detail = "Two handlers changed the same slice or map, and the second overwrote the change of the first."
			c.Fail(f)
		}
		same(c, f.Did, got[id], p)
	}
	if len(got) != len(old)+len(left) {
		f.Expected, f.Saw = count(len(old)+len(left)), count(len(got))
		c.Fail(f)
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

func bring(c *exam.C, scanner *exam.Client, in parcel) parcel {
	r := scanner.Post("/parcels", in.body())
	want(c, r, http.StatusCreated)
	p := wantParcel(c, r, in)
	return p
}

func correct(c *exam.C, scanner *exam.Client, p parcel) parcel {
	next := sealed(c).with(p.ID)
	r := scanner.Put("/parcels/"+p.ID, next.body())
	want(c, r, http.StatusOK)
	wantParcel(c, r, next)
	r = scanner.Get("/parcels/" + p.ID)
	want(c, r, http.StatusOK)
	wantParcel(c, r, next)
	return next
}

func collect(c *exam.C, scanner *exam.Client, p parcel) {
	want(c, scanner.Delete("/parcels/"+p.ID), http.StatusNoContent)
	want(c, scanner.Get("/parcels/"+p.ID), http.StatusNotFound)
}

// look reads the list in mid-traffic: every sealed parcel in it must be whole,
// and none may be there twice.
func look(c *exam.C, scanner *exam.Client) {
	r := scanner.Get("/parcels")
	want(c, r, http.StatusOK)
	wantJSON(c, r)
	seen := map[string]bool{}
	for _, item := range listed(c, r) {
		p := parcelOf(c, r, item)
		if seen[p.ID] {
			c.Fail(exam.Finding{Did: "GET /parcels while others created and deleted", Expected: "every parcel once", Saw: p.String() + " twice"})
		}
		seen[p.ID] = true
		if strings.Contains(p.Note, " g for ") && p.Note != seal(p) {
			c.Fail(exam.Finding{Did: "GET /parcels while others sent PUT", Expected: "each parcel as it was before a PUT, or as it is after it",
				Saw: "a mixture of two: " + p.String()})
		}
	}
}
