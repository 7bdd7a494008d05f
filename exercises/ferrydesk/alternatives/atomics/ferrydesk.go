// Package ferrydesk measures the ticket desk of a ferry line: a fixed table of
// atomics for each place, found without a lock, and written by hand.
package ferrydesk

import (
	"bytes"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// bounds are in milliseconds here; the page has seconds.
var bounds = [...]int64{1, 10, 50, 150, 300, 1000, 3000}

// meter has all that is known about one method and route.
type meter struct {
	codes  [600]atomic.Uint64
	slices [len(bounds) + 1]atomic.Uint64
	nanos  atomic.Int64
}

type desk struct {
	app      *http.ServeMux
	meters   sync.Map // labels → *meter
	inFlight atomic.Int64
}

// New returns the app, measured, with /metrics beside it.
func New(app *http.ServeMux) http.Handler { return &desk{app: app} }

var known = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/metrics" && r.Method == http.MethodGet {
		d.page(w)
		return
	}
	began := time.Now()
	d.inFlight.Add(1)
	defer d.inFlight.Add(-1)
	m := d.meter(r)
	spy := &spy{ResponseWriter: w, gone: func() bool { return r.Context().Err() != nil }}
	status := http.StatusInternalServerError
	defer func() {
		took := time.Since(began)
		i := 0
		for i < len(bounds) && took > time.Duration(bounds[i])*time.Millisecond {
			i++
		}
		m.nanos.Add(int64(took))
		m.slices[i].Add(1)
		m.codes[status].Add(1)
	}()
	d.app.ServeHTTP(spy, r)
	status = spy.end()
}

func (d *desk) meter(r *http.Request) *meter {
	method, route := "other", "unmatched"
	if known[r.Method] {
		method = r.Method
	}
	if _, pattern := d.app.Handler(r); pattern != "" {
		route = pattern[strings.IndexByte(pattern, '/'):]
	}
	labels := "method=" + strconv.Quote(method) + ",route=" + strconv.Quote(route)
	if m, ok := d.meters.Load(labels); ok {
		return m.(*meter)
	}
	m, _ := d.meters.LoadOrStore(labels, &meter{})
	return m.(*meter)
}

func (d *desk) page(w http.ResponseWriter) {
	var in, total, took bytes.Buffer
	in.WriteString("# TYPE http_requests_in_flight gauge\n# HELP http_requests_in_flight Now.\nhttp_requests_in_flight ")
	in.WriteString(strconv.FormatInt(d.inFlight.Load(), 10) + "\n")
	total.WriteString("# TYPE http_requests_total counter\n# HELP http_requests_total All.\n")
	took.WriteString("# TYPE http_request_duration_seconds histogram\n# HELP http_request_duration_seconds Time.\n")
	d.meters.Range(func(k, v any) bool {
		labels, m := k.(string), v.(*meter)
		for code := range m.codes {
			if n := m.codes[code].Load(); n > 0 {
				line(&total, "http_requests_total", labels+`,code="`+strconv.Itoa(code)+`"`, n)
			}
		}
		var sum uint64
		for i := range m.slices {
			sum += m.slices[i].Load()
			le := math.Inf(1)
			if i < len(bounds) {
				le = float64(bounds[i]) / 1000
			}
			line(&took, "http_request_duration_seconds_bucket", labels+`,le="`+strconv.FormatFloat(le, 'g', -1, 64)+`"`, sum)
		}
		seconds := time.Duration(m.nanos.Load()).Seconds()
		took.WriteString("http_request_duration_seconds_sum{" + labels + "} " + strconv.FormatFloat(seconds, 'e', -1, 64) + "\n")
		line(&took, "http_request_duration_seconds_count", labels, sum)
		return true
	})
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	for _, b := range []*bytes.Buffer{&in, &total, &took} {
		_, _ = b.WriteTo(w)
	}
}

func line(b *bytes.Buffer, name, labels string, n uint64) {
	b.WriteString(name + "{" + labels + "} " + strconv.FormatUint(n, 10) + "\n")
}

// spy knows the status when the handler has come back.
type spy struct {
	http.ResponseWriter
	gone   func() bool
	status int
}

func (s *spy) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *spy) keep(status int) {
	if s.status == 0 && s.gone() {
		s.status = 499
	} else if s.status == 0 {
		s.status = status
	}
}

func (s *spy) WriteHeader(status int) {
	if status > 199 {
		s.keep(status)
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *spy) Write(b []byte) (int, error) {
	s.keep(200)
	return s.ResponseWriter.Write(b)
}

func (s *spy) end() int {
	s.keep(200)
	return s.status
}
