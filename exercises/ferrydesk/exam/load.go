package exam

import (
	"fmt"
	"net/http"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	lanes = 16 // clients at the same time
	each  = 90 // requests that each of them sends in a round
	times = 3  // rounds
	room  = 20 // samples that may be added for whatever reason
)

// kinds are requests that need nobody else, and what they are counted as. The path
// gets an id of its own each time.
var kinds = []struct {
	method, path string
	as           series
}{
	{"GET", "/sailings", series{"GET", sailings, "200"}},
	{"DELETE", "/bookings/", series{"DELETE", booking, "204"}},
	{"HEAD", "/sailings", series{"HEAD", sailings, "200"}},
	{"GET", "/", series{"GET", unknown, "404"}},
	{"POST", "/x/y/", series{"POST", unknown, "404"}},
	{"PATCH", "/bookings/", series{"PATCH", unknown, "405"}},
	{"", "/sailings", series{"other", unknown, "405"}},
}

// request makes one of the kinds with ids that nobody has used.
func request(c *exam.C, i int) exam.Request {
	k := kinds[i%len(kinds)]
	r := exam.Request{Method: k.method, Path: k.path}
	if r.Method == "" {
		r.Method = c.Unique("BREW")
	}
	if r.Path[len(r.Path)-1] == '/' {
		r.Path += c.Unique("id")
	}
	return r
}

// load sends many requests at once, while others scrape, and compares.
func load(c *exam.C) {
	w := begin(c)
	for i := range kinds { // every series that there may be is there
		r := request(c, i)
		c.Do(r.Method, r.Path, nil)
		w.expect(kinds[i].as, 1, "")
	}
	w.settle("one request of each kind", whole)
	rested(c)
	before := scrape(c).m
	w = begin(c)
	for range 30 {
		c.Get("/sailings", exam.Header("X-Customer", c.Unique("customer")), exam.Header("User-Agent", c.Unique("browser")))
	}
	w.expect(series{"GET", sailings, "200"}, 30, "")
	w.settle("30 times GET /sailings", whole)
	rested(c)
	small := scrape(c).m
	for range times {
		volley(c)
	}
	now := scrape(c).m
	name, more := growth(small, now)
	did := fmt.Sprintf("%d requests, with some %d different paths and %d methods", lanes*each*times, lanes*each*times*4/7, lanes*each*times/7)
	if more <= room {
		name, more = growth(before, small)
		did = "30 times GET /sailings, each from another customer"
	}
	c.Require(more <= room, exam.Finding{Did: did, Expected: "as many series as before: each kind of request had come before",
		Saw:    fmt.Sprintf("%d more series of %s", more, name),
		Detail: "Something that the clients choose has become a label. It grows as long as somebody sends new values."})
}

// volley sends one round and looks whether everything was counted.
func volley(c *exam.C) {
	w, timed := begin(c), rested(c)
	places := map[place]int{}
	requests := make([][]exam.Request, lanes)
	for l := range lanes {
		for i := range each {
			requests[l] = append(requests[l], request(c, l+i))
			as := kinds[(l+i)%len(kinds)].as
			w.expect(as, 1, "")
			places[place{as.method, as.route}]++
		}
	}
	did := fmt.Sprintf("%d clients sent %d requests each, at the same time", lanes, each)
	var answers [][]*exam.Response
	over := make(chan struct{})
	c.Parallel(func() {
		defer close(over)
		answers = c.Volley(requests...)
	}, func() {
		watchPage(c, over, did+"; GET /metrics meanwhile")
	})
	for _, lane := range answers {
		for _, r := range lane {
			c.Require(r.Status < 500, exam.Finding{Did: did, Expected: "the same answers as one at a time", Saw: r.Did() + ": " + r.String()})
		}
	}
	const race = "One at a time they were all counted. What becomes of a number, or of a map, that two handlers change at the same moment?"
	for s := range w.help {
		w.help[s] = race
	}
	w.settle(did, whole)
	wantObserved(c, timed, did, places, race)
}

// watchPage scrapes until over is closed: whatever the page says meanwhile fits
// together, and nothing becomes less.
func watchPage(c *exam.C, over <-chan struct{}, did string) {
	cl := c.Client("prometheus")
	var before *reading
	for {
		select {
		case <-over:
			return
		default:
		}
		r, err := cl.Try(http.MethodGet, "/metrics", nil, plain)
		if err != nil {
			return // the program has ended, which those who sent the requests will tell of
		}
		now := read(c, r)
		now.histograms()
		if before != nil {
			now.notBelow(before, did)
		}
		before = now
	}
}
