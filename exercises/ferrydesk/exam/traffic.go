package exam

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/exposition"
)

// The routes of the app, as they stand in its mux.
const (
	start    = "/{$}"
	sailings = "/sailings"
	sailing  = "/sailings/{id}"
	live     = "/sailings/{id}/live"
	bookings = "/sailings/{id}/bookings"
	booking  = "/bookings/{id}"
	gate     = "/gates/{id}"
	unknown  = "unmatched"
)

// scraped asks for the metrics again and again while nobody else asks for
// anything, until what came before has been counted and nothing changes any more.
func scraped(c *exam.C) {
	n := c.Int(3, 7)
	before := scrape(c)
	least := total(before) + float64(n)
	for range n {
		c.Get("/sailings").Want(http.StatusOK)
	}
	did := fmt.Sprintf("%d times GET /sailings, then GET /metrics several times", n)
	before = scrape(c)
	for end := time.Now().Add(soon); ; time.Sleep(20 * time.Millisecond) {
		now := scrape(c)
		now.notBelow(before, did)
		grew := ""
		old := before.samples(requestsTotal)
		for key, v := range now.samples(requestsTotal) {
			if v != old[key] {
				grew = first(grew, key)
			}
		}
		late := time.Now().After(end)
		if grew == "" && (late || total(now) >= least) {
			return // if it has counted nothing at all, the next check tells
		}
		c.Require(grew == "" || !late, exam.Finding{Did: did, Expected: "the same each time",
			Saw:    grew + " grew from one scrape to the next",
			Detail: "Only the scraper was there. Its requests come every 15 seconds for ever, they are always fast and always 200: they make every average look better."})
		before = now
	}
}

// total is what the counter of requests says, whatever its labels are.
func total(r *reading) (n float64) {
	for _, v := range r.samples(requestsTotal) {
		n += v
	}
	return n
}

// samples are the values of a metric by series.
func (r *reading) samples(name string) map[string]float64 {
	all := map[string]float64{}
	if f := r.m.Family(name); f != nil {
		for _, s := range f.Samples {
			all[s.Key()] = s.Value
		}
	}
	return all
}

// notBelow fails when anything that may only grow is less than it was.
func (r *reading) notBelow(before *reading, did string) {
	for _, name := range []string{requestsTotal, duration} {
		now, old := r.samples(name), before.samples(name)
		for _, key := range slices.Sorted(maps.Keys(old)) {
			v, there := now[key]
			f := exam.Finding{Did: did, Expected: fmt.Sprintf("%s %v or more", key, old[key]), Saw: fmt.Sprint(v),
				Detail: "A value that is smaller than before means to Prometheus that the program was started anew. Whoever sets it back at a scrape hides from one scraper what another has seen; how much was new is for rate() to work out."}
			if !there {
				f.Saw = "it is not there any more"
			}
			r.c.Require(there && v >= old[key], f)
		}
	}
}

func counter(c *exam.C) {
	w := begin(c)
	n := c.Int(3, 7)
	for range n {
		c.Get("/sailings", exam.Header("X-Customer", c.Unique("customer"))).Want(http.StatusOK)
	}
	w.expect(series{"GET", sailings, "200"}, n, "")
	w.settle(fmt.Sprintf("%d times GET /sailings", n), whole)
}

func routes(c *exam.C) {
	w := begin(c)
	const help = "The path itself is no label: each id would be a series of its own. The pattern that the mux has chosen is one of a handful."
	n := c.Int(3, 5)
	for range n {
		c.Delete("/bookings/" + c.Unique("b"))
		c.Post("/gates/"+c.Unique("g"), nil)
	}
	w.expect(series{"DELETE", booking, ""}, n, help)
	w.expect(series{"POST", gate, ""}, n, help)
	c.Get("/")
	w.expect(series{"GET", start, ""}, 1, "The route is the pattern as it was registered, also where it looks odd.")
	w.settle(fmt.Sprintf("%d times DELETE /bookings/… and POST /gates/…, each with an id of its own; GET /", n), byRoute)

	w = begin(c)
	for range n {
		c.Get("/" + c.Unique("wp-login"))
		c.Post("/"+c.Unique("admin")+"/"+c.Unique("setup"), nil)
	}
	c.Put("/sailings", nil)
	for _, path := range []string{"/metrics/" + c.Unique("m"), "/metricsfoo"} {
		c.Get(path).Want(http.StatusNotFound, exam.Why("Only GET /metrics is yours. What merely begins like it goes to the app, which does not know it: it has to be counted, and may be a route some day."),
			exam.Read(lesson+"what-a-scrape-is"))
	}
	w.expect(series{"", unknown, ""}, 2*n+3, "Where no pattern matches there is no route, and a value that comes from the client is no way out: this is where scanners knock.")
	w.settle(fmt.Sprintf("%d times GET and POST of paths that do not exist, each another one; PUT /sailings, which the mux answers with 405; GET /metrics/… and /metricsfoo", n), byRoute)
}

func methods(c *exam.C) {
	w := begin(c)
	c.Do(http.MethodHead, "/sailings", nil)
	w.expect(series{"HEAD", sailings, ""}, 1, "The mux lets a GET pattern match HEAD as well. The method is that of the request, not that of the pattern.")
	for _, m := range []string{http.MethodPut, http.MethodPatch, http.MethodOptions} {
		c.Do(m, "/sailings", nil)
		w.expect(series{m, unknown, ""}, 1, "")
	}
	w.settle("HEAD, PUT, PATCH and OPTIONS /sailings", byMethod)

	w = begin(c)
	n := c.Int(3, 5)
	for range n {
		c.Do(c.Unique("BREW"), "/sailings", nil)
	}
	c.Do("get", "/sailings", nil)
	w.expect(series{"other", unknown, ""}, n+1, "Any word is a method to net/http, also one that has just been made up. Those that are in use can be counted on two hands.")
	w.settle(fmt.Sprintf("%d requests with made-up methods, and one with the method get, in small letters, which is not GET", n), byMethod)
}

// script lets the harbour office answer about a sailing of its own, and returns
// the sailing's path.
func script(c *exam.C, a exam.Answer) string {
	path := "/sailings/" + c.Unique("s")
	c.Upstream("harbour").On(path, a)
	return path
}

// berth is a sailing that has one.
func berth(c *exam.C) map[string]any {
	return map[string]any{"berth": map[string]int{"pier": c.Int(1, 9)}}
}

// noBerth makes the app panic.
var noBerth = map[string]any{"berth": nil}

func codes(c *exam.C) {
	const asked = "The number is the one that the client got. Where it is 200 whatever the handler sends, it was read too early, or nobody listens to WriteHeader."
	known := script(c, exam.Answer{Body: berth(c)})
	for _, t := range []struct {
		method, path, route string
		body                any
		status              int
		did, help           string
	}{
		{"DELETE", "/bookings/" + c.Unique("b"), booking, nil, 204, "", asked},
		{"POST", "/sailings/7/bookings", bookings, map[string]int{"seats": 2}, 201, "", asked},
		{"GET", script(c, exam.Answer{Status: 404}), sailing, nil, 404, "", asked},
		{"GET", script(c, exam.Answer{Status: 503}), sailing, nil, 503, ", which the app answered with 503; the 204, 201 and 404 before it were counted", "Errors are requests too. A ratio of errors to requests needs both in the same counter."},
		{"GET", script(c, exam.Answer{Body: "fog"}), sailing, nil, 502, "", asked},
		{"GET", known, sailing, nil, 200, "", "The handler writes its body without a WriteHeader before it. What the client gets then is a 200."},
		{"POST", "/gates/" + c.Unique("g"), gate, nil, 200, ", whose handler writes nothing at all", "A handler that returns without having written anything has answered 200."},
		{"GET", "/", start, nil, 200, ", which sends 103 Early Hints before", "A 1xx is no answer yet. It announces one, and WriteHeader is called once more."},
		{"POST", "/sailings/7/bookings", bookings, map[string]int{"seats": 0}, 400, ", whose handler writes a second status after the first", "The second call of WriteHeader sends nothing; net/http says so in the log. What the client has is the first."},
		{"GET", "/" + c.Unique("nowhere"), unknown, nil, 404, "", "The mux answers by itself here. It is a request all the same."},
		{"PUT", "/sailings", unknown, nil, 405, "", "The mux answers by itself here. It is a request all the same."},
	} {
		w := begin(c)
		r := c.Do(t.method, t.path, t.body)
		r.Want(t.status, exam.Detail("The app answers so when nothing stands before it."))
		wantNoMore(c, r)
		w.expect(series{t.method, t.route, fmt.Sprint(t.status)}, 1, t.help)
		w.settle(r.Did()+t.did, whole)
		switch t.path {
		case known:
			wantIn(c, r, "the body", string(r.Body), "{\"pier\":")
		case "/":
			wantIn(c, r, "the header Link", r.Header.Get("Link"), "rel=preload")
			wantIn(c, r, "the body", string(r.Body), "the ticket desk\n")
		}
	}
}

// appHeaders are those that the app, its mux and net/http send.
var appHeaders = []string{"Allow", "Connection", "Content-Length", "Content-Type", "Date", "Link", "Transfer-Encoding", "X-Content-Type-Options"}

// wantNoMore fails when an answer has a header that nobody behind the metrics sends.
func wantNoMore(c *exam.C, r *exam.Response) {
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		c.Require(slices.Contains(appHeaders, name), exam.Finding{Did: r.Did(), Expected: "the headers of the app, and no others",
			Saw:  fmt.Sprintf("%s: %s, which the app does not send", name, r.Header.Get(name)),
			Why:  "Metrics watch. What they add to the answers goes through caches and to clients, and somebody will come to rely on it.",
			Read: lesson + "the-wrapper-in-between"})
	}
}

// wantIn fails unless a part of an answer is what the app has sent.
func wantIn(c *exam.C, r *exam.Response, part, got, want string) {
	c.Require(strings.Contains(got, want), exam.Finding{Did: r.Did(), Expected: fmt.Sprintf("%q in %s, as the app sends it", want, part), Saw: fmt.Sprintf("%q", got)})
}

// growth returns by how much the samples of a family have become more.
func growth(before, now *exposition.Metrics) (name string, more int) {
	old := map[string]int{}
	for _, f := range before.Families {
		old[f.Name] = len(f.Samples)
	}
	for _, f := range now.Families {
		if n := len(f.Samples) - old[f.Name]; n > more {
			name, more = f.Name, n
		}
	}
	return name, more
}
