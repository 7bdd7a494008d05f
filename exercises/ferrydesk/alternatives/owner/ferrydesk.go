// Package ferrydesk measures the ticket desk of a ferry line. One goroutine owns
// all numbers; requests tell it what became of them, and the page is asked of it.
package ferrydesk

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// event is the beginning of a request, or its end.
type event struct {
	end                 bool
	method, route, code string
	seconds             float64
}

// clerk keeps the books. It is a prometheus.Collector, so that the library writes
// the page.
type clerk struct {
	events chan event
	asked  chan chan<- []prometheus.Metric
}

var (
	total    = prometheus.NewDesc("http_requests_total", "Requests by outcome.", []string{"method", "route", "code"}, nil)
	duration = prometheus.NewDesc("http_request_duration_seconds", "Time to serve.", []string{"method", "route"}, nil)
	inFlight = prometheus.NewDesc("http_requests_in_flight", "Under way.", nil, nil)
	bounds   = []float64{0.05, 0.1, 0.2, 0.3, 0.4, 0.8, 1.6}
)

// New returns the app, measured, with /metrics beside it.
func New(app *http.ServeMux) http.Handler {
	c := &clerk{events: make(chan event, 1000), asked: make(chan chan<- []prometheus.Metric)}
	go c.work()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	page := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			page.ServeHTTP(w, r)
			return
		}
		c.serve(app, w, r)
	})
}

func (c *clerk) serve(app http.Handler, w http.ResponseWriter, r *http.Request) {
	c.events <- event{}
	began, code := time.Now(), "500"
	defer func() {
		e := event{end: true, method: "other", route: "unmatched", code: code, seconds: time.Since(began).Seconds()}
		for _, m := range strings.Fields("GET HEAD POST PUT PATCH DELETE OPTIONS") {
			if r.Method == m {
				e.method = m
			}
		}
		if f := strings.Fields(r.Pattern); len(f) == 2 {
			e.route = f[1]
		}
		c.events <- e
	}()
	rw := wrap(w, r)
	app.ServeHTTP(rw, r)
	code = fmt.Sprint(rw.outcome())
}

// book is a histogram of one place.
type book struct {
	slices []uint64
	count  uint64
	sum    float64
}

func (c *clerk) work() {
	now, totals, books := 0, map[[3]string]int{}, map[[2]string]*book{}
	for {
		select {
		case e := <-c.events:
			if !e.end {
				now++
				continue
			}
			now--
			totals[[3]string{e.method, e.route, e.code}]++
			at := [2]string{e.method, e.route}
			if books[at] == nil {
				books[at] = &book{slices: make([]uint64, len(bounds))}
			}
			books[at].add(e.seconds)
		case answer := <-c.asked:
			all := []prometheus.Metric{prometheus.MustNewConstMetric(inFlight, prometheus.GaugeValue, float64(now))}
			for k, n := range totals {
				all = append(all, prometheus.MustNewConstMetric(total, prometheus.CounterValue, float64(n), k[:]...))
			}
			for k, b := range books {
				all = append(all, prometheus.MustNewConstHistogram(duration, b.count, b.sum, b.cumulative(), k[:]...))
			}
			answer <- all
		}
	}
}

func (b *book) add(seconds float64) {
	b.count++
	b.sum += seconds
	for i, le := range bounds {
		if seconds <= le {
			b.slices[i]++
			return
		}
	}
}

func (b *book) cumulative() map[float64]uint64 {
	all, n := map[float64]uint64{}, uint64(0)
	for i, le := range bounds {
		n += b.slices[i]
		all[le] = n
	}
	return all
}

// Describe and Collect make the clerk a prometheus.Collector.
func (c *clerk) Describe(out chan<- *prometheus.Desc) { out <- total; out <- duration; out <- inFlight }

// Collect asks the goroutine that owns the numbers.
func (c *clerk) Collect(out chan<- prometheus.Metric) {
	answer := make(chan []prometheus.Metric)
	c.asked <- answer
	for _, m := range <-answer {
		out <- m
	}
}

// watched is a ResponseWriter that knows whether and when a status was sent.
type watched interface {
	http.ResponseWriter
	outcome() int
}

type plainWatch struct {
	inner http.ResponseWriter
	r     *http.Request
	first int
}

func wrap(w http.ResponseWriter, r *http.Request) watched { return &plainWatch{inner: w, r: r} }

func (p *plainWatch) Header() http.Header         { return p.inner.Header() }
func (p *plainWatch) Unwrap() http.ResponseWriter { return p.inner }

func (p *plainWatch) see(code int) {
	if p.first != 0 || code/100 == 1 {
		return
	}
	p.first = code
	select {
	case <-p.r.Context().Done():
		p.first = 499
	default:
	}
}

func (p *plainWatch) WriteHeader(code int)                  { p.see(code); p.inner.WriteHeader(code) }
func (p *plainWatch) Write(b []byte) (int, error)           { p.see(200); return p.inner.Write(b) }
func (p *plainWatch) ReadFrom(src io.Reader) (int64, error) { p.see(200); return io.Copy(p.inner, src) }

func (p *plainWatch) outcome() int {
	p.see(200)
	return p.first
}
