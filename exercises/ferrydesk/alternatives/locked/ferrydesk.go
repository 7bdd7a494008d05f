// Package ferrydesk measures the ticket desk of a ferry line: numbers in maps,
// behind one lock, and the page written by hand.
package ferrydesk

import (
	"fmt"
	"log"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

var bounds = []string{"0.005", "0.02", "0.1", "0.3", "0.6", "1.2", "5"}

type place struct{ method, route string }

type outcome struct {
	place
	code int
}

type timing struct {
	upTo  []uint64 // by bound, not yet added up
	count uint64
	sum   float64
}

type page struct {
	mu       sync.Mutex
	requests map[outcome]uint64
	timings  map[place]*timing
	inFlight int
}

// New returns the app, measured, with /metrics beside it.
func New(app *http.ServeMux) http.Handler {
	p := &page{requests: map[outcome]uint64{}, timings: map[place]*timing{}}
	outer := http.NewServeMux()
	outer.Handle("/", p.measured(app))
	outer.HandleFunc("GET /metrics", p.write)
	return outer
}

func (p *page) measured(app http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.inFlight++
		p.mu.Unlock()
		began, rec := time.Now(), &recorder{ResponseWriter: w, r: r}
		defer func() {
			v := recover()
			code := rec.code
			switch {
			case v != nil:
				code = 500
			case code == 0 && r.Context().Err() != nil:
				code = 499
			case code == 0:
				code = 200
			}
			p.note(r, code, time.Since(began))
			if v != nil {
				rescue(w, rec.sent, v)
			}
		}()
		app.ServeHTTP(rec, r)
	}
}

// rescue does what can still be done for the client of a panic.
func rescue(w http.ResponseWriter, sent bool, v any) {
	log.Printf("panic: %v\n%s", v, debug.Stack())
	if sent {
		panic(http.ErrAbortHandler)
	}
	http.Error(w, "something went wrong", http.StatusInternalServerError)
}

func (p *page) note(r *http.Request, code int, took time.Duration) {
	at := place{method: "other", route: "unmatched"}
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, r.Method) {
		at.method = r.Method
	}
	if r.Pattern != "" {
		_, path, _ := strings.Cut(r.Pattern, " ")
		at.route = path
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
	p.requests[outcome{at, code}]++
	t := p.timings[at]
	if t == nil {
		t = &timing{upTo: make([]uint64, len(bounds))}
		p.timings[at] = t
	}
	t.count++
	t.sum += took.Seconds()
	for i, le := range bounds {
		var bound float64
		fmt.Sscan(le, &bound)
		if took.Seconds() <= bound {
			t.upTo[i]++
			break
		}
	}
}

func (p *page) write(w http.ResponseWriter, _ *http.Request) {
	var b strings.Builder
	p.mu.Lock()
	fmt.Fprintf(&b, "# HELP http_requests_in_flight Requests under way.\n# TYPE http_requests_in_flight gauge\nhttp_requests_in_flight %d\n", p.inFlight)
	fmt.Fprint(&b, "# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n")
	for o, n := range p.requests {
		fmt.Fprintf(&b, "http_requests_total{method=%q,route=%q,code=\"%d\"} %d\n", o.method, o.route, o.code, n)
	}
	const name = "http_request_duration_seconds"
	fmt.Fprintf(&b, "# HELP %s How long requests took.\n# TYPE %s histogram\n", name, name)
	for _, at := range slices.Collect(maps.Keys(p.timings)) {
		t, labels, sum := p.timings[at], fmt.Sprintf("method=%q,route=%q", at.method, at.route), uint64(0)
		for i, le := range bounds {
			sum += t.upTo[i]
			fmt.Fprintf(&b, "%s_bucket{%s,le=%q} %d\n", name, labels, le, sum)
		}
		fmt.Fprintf(&b, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, labels, t.count)
		fmt.Fprintf(&b, "%s_sum{%s} %g\n%s_count{%s} %d\n", name, labels, t.sum, name, labels, t.count)
	}
	p.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprint(w, b.String())
}

type recorder struct {
	http.ResponseWriter
	r    *http.Request
	code int
	sent bool
}

func (w *recorder) WriteHeader(code int) {
	if code >= 200 && !w.sent {
		w.code, w.sent = code, true
		if w.r.Context().Err() != nil {
			w.code = 499
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *recorder) Write(b []byte) (int, error) {
	if !w.sent {
		w.WriteHeader(200)
	}
	return w.ResponseWriter.Write(b)
}

// Flush makes http.Flusher work, for ResponseController too.
func (w *recorder) Flush() {
	if !w.sent {
		w.WriteHeader(200)
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}
