// Package ferrydesk measures the ticket desk of a ferry line.
package ferrydesk

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// statusClientGone is the number that nginx gave to a client that did not wait.
const statusClientGone = 499

// meter is what is known about the requests so far.
type meter struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// New returns the app, measured, with /metrics beside it.
func New(app *http.ServeMux) http.Handler {
	m := &meter{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total",
			Help: "Requests that were served, by what became of them.",
		}, []string{"method", "route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds",
			Help: "How long it took to serve a request.",
			// 0.3 is the objective: what is below and above it must be told apart.
			Buckets: []float64{0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1, 3, 10},
		}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_requests_in_flight",
			Help: "Requests that are being served just now.",
		}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, m.duration, m.inFlight)
	exposition := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			exposition.ServeHTTP(w, r)
			return
		}
		m.serve(app, w, r)
	})
}

// serve lets the app serve one request, and counts it whichever way it ends.
func (m *meter) serve(app http.Handler, w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	rec := &recorder{ResponseWriter: w, ctx: r.Context()}
	returned := false
	m.inFlight.Inc()
	defer func() {
		m.inFlight.Dec()
		// There is no recover: a panic goes on to net/http, which logs it and
		// closes the connection.
		code := http.StatusInternalServerError
		if returned {
			code = rec.final()
		}
		// The app's mux has written the pattern into the request by now.
		method, route := method(r), route(r)
		m.requests.WithLabelValues(method, route, strconv.Itoa(code)).Inc()
		m.duration.WithLabelValues(method, route).Observe(time.Since(began).Seconds())
	}()
	app.ServeHTTP(rec, r)
	returned = true
}

// route is the pattern that the request has matched, without its method.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "unmatched"
	}
	return r.Pattern[strings.Index(r.Pattern, "/"):]
}

// method keeps to the methods that are in use: a client may send any word.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// recorder notes the status that the client gets.
type recorder struct {
	http.ResponseWriter
	ctx  context.Context // the request's
	code int             // 0 before there is one
}

// WriteHeader notes the first final status: there may be 1xx before it, and what
// comes after it is not sent.
func (w *recorder) WriteHeader(code int) {
	if w.code == 0 && (code >= 200 || code == http.StatusSwitchingProtocols) {
		w.code = code
		if w.ctx.Err() != nil {
			w.code = statusClientGone
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write does what net/http does: without a status before it, it is a 200.
func (w *recorder) Write(b []byte) (int, error) {
	if w.code == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what the writer below can do.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// final is the status when the handler has returned. One that has written nothing
// has answered 200, if there was somebody to answer.
func (w *recorder) final() int {
	switch {
	case w.code != 0:
		return w.code
	case w.ctx.Err() != nil:
		return statusClientGone
	default:
		return http.StatusOK
	}
}
