package exam

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/exposition"
)

const (
	requestsTotal = "http_requests_total"
	duration      = "http_request_duration_seconds"
	inFlightGauge = "http_requests_in_flight"
)

// reading is one look at /metrics.
type reading struct {
	c *exam.C
	m *exposition.Metrics
}

// plain asks for the text format, as an old Prometheus would.
var plain = exam.Header("Accept", "text/plain;version=0.0.4")

func scrape(c *exam.C) *reading { return read(c, c.Client("prometheus").Get("/metrics", plain)) }

// read fails unless an answer is a page of metrics.
func read(c *exam.C, r *exam.Response) *reading {
	r.Want(http.StatusOK)
	m, err := exposition.Parse(r.Body)
	if err != nil {
		c.Fail(exam.Finding{Did: "GET /metrics", Expected: "the text format of Prometheus, version 0.0.4", Saw: err.Error()})
	}
	return &reading{c: c, m: m}
}

// series is what a counter of requests is kept by.
type series struct{ method, route, code string }

func (s series) String() string {
	return fmt.Sprintf("{method=%q,route=%q,code=%q}", s.method, s.route, s.code)
}

// tally is a number for each series.
type tally map[series]int

// family returns one of the metrics. It fails when that is of another type, or
// when what it is for is not said.
func (r *reading) family(name, kind string) *exposition.Family {
	f := r.m.Family(name)
	if f == nil {
		return &exposition.Family{Name: name, Type: kind}
	}
	found := exam.Finding{Expected: fmt.Sprintf("# TYPE %s %s", name, kind)}
	switch {
	case f.Type == "":
		found.Saw = "no TYPE line of " + name
		r.c.Fail(found)
	case f.Type != kind:
		found.Saw = fmt.Sprintf("# TYPE %s %s", name, f.Type)
		found.Detail = typeHelp[kind]
		r.c.Fail(found)
	case strings.TrimSpace(f.Help) == "":
		r.c.Fail(exam.Finding{Expected: "a HELP line of " + name + " with a text", Saw: "none",
			Why: "Whoever finds the name in a year, at night, in a list of two thousand, has this line and nothing else."})
	}
	return f
}

// typeHelp is what goes wrong when a metric claims to be something else.
var typeHelp = map[string]string{
	"counter":   "Only of a counter does Prometheus know that a smaller value means a restart. Of anything else rate() is nonsense, and the tools warn of it.",
	"gauge":     "What goes up and down is a gauge. Of a counter, each way down would be taken for a restart.",
	"histogram": "A summary brings quantiles of one process. Those of two instances can't be put together, and how many requests were slower than 300 ms is not in them. Buckets can be added up.",
}

// counts returns what the counter of requests says.
func (r *reading) counts() tally {
	t := tally{}
	for _, s := range r.family(requestsTotal, "counter").Samples {
		r.wantLabels(s, "method", "route", "code")
		r.wantCount(s)
		t[series{s.Labels["method"], s.Labels["route"], s.Labels["code"]}] = int(s.Value)
	}
	return t
}

// wantLabels fails unless the sample has just these labels.
func (r *reading) wantLabels(s exposition.Sample, names ...string) {
	have := slices.Sorted(maps.Keys(s.Labels))
	want := slices.Sorted(slices.Values(names))
	if slices.Equal(have, want) {
		return
	}
	f := exam.Finding{Expected: fmt.Sprintf("%s with the labels %s, and no others", s.Name, strings.Join(names, ", ")), Saw: s.Key()}
	for _, name := range have {
		if !slices.Contains(want, name) {
			f.Read = lesson + "every-value-is-a-series"
			f.Detail = fmt.Sprintf("Each further label multiplies the number of series by the number of its values. If %s comes from clients, there is no bound to that: such a question is for the log.", name)
		}
	}
	r.c.Fail(f)
}

func (r *reading) wantCount(s exposition.Sample) {
	r.c.Require(exposition.Integer(s.Value), exam.Finding{
		Expected: "a whole number of requests", Saw: fmt.Sprintf("%s %v", s.Key(), s.Value)})
}

// inFlight returns the gauge, which has no labels and is there at any time.
func (r *reading) inFlight() int {
	f := r.family(inFlightGauge, "gauge")
	r.c.Require(len(f.Samples) > 0, exam.Finding{Expected: inFlightGauge + ", from the first scrape on", Saw: "no such metric"})
	r.wantLabels(f.Samples[0])
	return int(f.Samples[0].Value)
}

func exposed(c *exam.C) {
	r := c.Get("/metrics", plain)
	if r.Status == http.StatusNotFound {
		c.Fail(exam.Finding{Expected: "200 and the metrics", Saw: r.String() + ": there is nothing at /metrics yet",
			Detail: "This is the place to begin. New returns the app as it is. Return a handler of your own that answers GET /metrics with one metric, " +
				inFlightGauge + ", and leaves every other path to the app. Then grade again."})
	}
	r.Want(http.StatusOK)
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	c.Require(err == nil && media == "text/plain" && parameters["version"] == "0.0.4", exam.Finding{
		Expected: "Content-Type: text/plain; version=0.0.4", Saw: fmt.Sprintf("Content-Type: %q", r.Header.Get("Content-Type")),
		Detail: "By it a scraper decides how to read the page. Since version 3 Prometheus refuses what it does not know."})
	m := scrape(c)
	if n := m.inFlight(); n != 0 {
		c.Fail(exam.Finding{Expected: inFlightGauge + " 0: nobody but the scraper is there", Saw: fmt.Sprintf("%s %d", inFlightGauge, n),
			Detail: "Whoever looks at the metrics is not measured: a gauge that counts its scraper is never 0."})
	}
}
