package exam

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/exposition"
)

// place is what a histogram is kept by.
type place struct{ method, route string }

func (p place) String() string { return fmt.Sprintf("{method=%q,route=%q}", p.method, p.route) }

// buckets is the histogram of one place.
type buckets struct {
	bounds     []float64 // ascending, the last one +Inf
	upTo       map[float64]float64
	count, sum float64
	counted    bool // there is a _count
	summed     bool // there is a _sum
}

// histograms returns the histogram of each place. It fails when one is not what a
// histogram has to be.
func (r *reading) histograms() map[place]*buckets {
	all := map[place]*buckets{}
	for _, s := range r.family(duration, "histogram").Samples {
		if s.Name == duration+"_bucket" {
			r.wantLabels(s, "method", "route", "le")
		} else {
			r.wantLabels(s, "method", "route")
		}
		p := place{s.Labels["method"], s.Labels["route"]}
		b := all[p]
		if b == nil {
			b = &buckets{upTo: map[float64]float64{}}
			all[p] = b
		}
		switch s.Name {
		case duration + "_sum":
			b.sum, b.summed = s.Value, true
		case duration + "_count":
			r.wantCount(s)
			b.count, b.counted = s.Value, true
		default:
			r.wantCount(s)
			r.addBucket(b, s)
		}
	}
	for p, b := range all {
		r.wantWhole(p, b)
	}
	return all
}

func (r *reading) addBucket(b *buckets, s exposition.Sample) {
	le, err := strconv.ParseFloat(s.Labels["le"], 64)
	_, twice := b.upTo[le]
	r.c.Require(err == nil && !math.IsNaN(le) && !twice, exam.Finding{Expected: "a number in le, or +Inf, and no number twice", Saw: s.Key()})
	b.bounds = append(b.bounds, le)
	b.upTo[le] = s.Value
	slices.Sort(b.bounds)
}

// wantWhole fails unless the parts of a histogram fit together.
func (r *reading) wantWhole(p place, b *buckets) {
	f := exam.Finding{Expected: fmt.Sprintf("%s_bucket%s with le=\"+Inf\", a _sum and a _count", duration, p)}
	switch n := len(b.bounds); {
	case n == 0:
		f.Saw = "no bucket"
	case !math.IsInf(b.bounds[n-1], 1):
		f.Saw = fmt.Sprintf("the last bucket is le=%q", number(b.bounds[n-1]))
		f.Detail = "The bucket without an end holds what is slower than everything that you thought of. Quantiles are reckoned from it."
	case !b.summed:
		f.Saw = "no _sum"
	case !b.counted:
		f.Saw = "no _count"
	}
	r.c.Require(f.Saw == "", f)
	for i, le := range b.bounds[1:] {
		r.c.Require(b.upTo[le] >= b.upTo[b.bounds[i]], exam.Finding{
			Expected: fmt.Sprintf("le=%q is at least what le=%q is: every bucket holds all that took so long or less", number(le), number(b.bounds[i])),
			Saw:      fmt.Sprintf("%s%s: %v up to %s, and %v up to %s", duration, p, b.upTo[b.bounds[i]], number(b.bounds[i]), b.upTo[le], number(le)),
			Detail:   "Each of these buckets holds only its own slice. Prometheus subtracts one from the next to get those; from slices it makes negative numbers.",
		})
	}
	inf := b.upTo[math.Inf(1)]
	r.c.Require(inf == b.count, exam.Finding{
		Expected: fmt.Sprintf("le=\"+Inf\" and _count of %s are the same number, in every scrape", p),
		Saw:      fmt.Sprintf("%v and %v", inf, b.count)})
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// wantBounds fails unless the boundaries fit the objective.
func (r *reading) wantBounds(p place, b *buckets) {
	below, above, at := 0, 0, false
	var list []string
	for _, le := range b.bounds[:len(b.bounds)-1] {
		list = append(list, number(le))
		switch {
		case math.Abs(le-objective) < 1e-9:
			at = true
		case le < objective:
			below++
		default:
			above++
		}
	}
	f := exam.Finding{Saw: fmt.Sprintf("the boundaries %v", list)}
	switch {
	case !at:
		f.Expected = "a boundary at 0.3"
		f.Detail = "Of the requests between the two boundaries around 300 ms nobody can say on which side of the promise they are."
		if slices.Contains(list, "300") {
			f.Detail = "300 would be milliseconds. The unit is in the metric's name."
		}
	case below < 3 || above < 2:
		f.Expected = "at least three boundaries below 0.3, and two above it"
	case len(list) > 20:
		f.Expected = "at most 20 boundaries: each is a series for every method and route"
	default:
		return
	}
	r.c.Fail(f)
}

// histogram compares what the histogram has counted with the counter.
func histogram(c *exam.C) {
	w := begin(c)
	before := rested(c)
	n := c.Int(2, 4)
	for range n {
		c.Get("/sailings")
		c.Delete("/bookings/" + c.Unique("b"))
		c.Get(script(c, exam.Answer{Body: berth(c)}))
		c.Do(http.MethodHead, "/sailings", nil)
	}
	w.expect(series{"GET", sailings, "200"}, n, "")
	w.expect(series{"DELETE", booking, "204"}, n, "")
	w.expect(series{"GET", sailing, "200"}, n, "")
	w.expect(series{"HEAD", sailings, "200"}, n, "")
	did := fmt.Sprintf("%d times GET and HEAD /sailings, DELETE /bookings/… and GET /sailings/…", n)
	w.settle(did, whole)
	wantObserved(c, before, did, map[place]int{{"GET", sailings}: n, {"DELETE", booking}: n, {"GET", sailing}: n, {"HEAD", sailings}: n}, "")

	w, before = begin(c), rested(c)
	c.Get(script(c, exam.Answer{Status: http.StatusServiceUnavailable}))
	c.Get(script(c, exam.Answer{Status: http.StatusNotFound}))
	_, _ = c.Client("A", exam.FreshConnections()).Try(http.MethodGet, script(c, exam.Answer{Body: noBerth}), nil)
	for _, code := range []string{"404", "500", "503"} {
		w.expect(series{"GET", sailing, code}, 1, "")
	}
	did = "GET /sailings/… three times: one was answered with 503, one with 404, and in one the handler panicked"
	w.settle(did, whole)
	wantObserved(c, before, did,
		map[place]int{{"GET", sailing}: 3}, "Requests that fail take time too, and often most of all: those that ran into a timeout.")
	histogramOfGone(c)
}

// histogramOfGone lets a client leave. As what that is counted is for others to tell.
func histogramOfGone(c *exam.C) {
	w, before := begin(c), rested(c)
	path := script(c, exam.Answer{Hold: true, Body: berth(c)})
	did := fmt.Sprintf("GET %s; while the harbour office kept its answer back, the client left", path)
	p := c.Client("A", exam.FreshConnections()).Send(http.MethodGet, path, nil, exam.Timeout(15*time.Second))
	call := called(c, path, did)
	p.Leave()
	call.WaitGone(soon)
	call.Release()
	w.expect(series{"GET", sailing, ""}, 1, "")
	w.settle(did, byMethod)
	wantObserved(c, before, did, map[place]int{{"GET", sailing}: 1},
		"Who gave up had waited longest. Without these a service looks the faster the slower it is.")
}

// rested waits until the histogram has all that the counter has, at most as long as
// the task allows, and returns it. That it never has is for others to tell.
func rested(c *exam.C) map[place]*buckets {
	for end := time.Now().Add(soon); ; time.Sleep(20 * time.Millisecond) {
		r := scrape(c)
		all, open := r.histograms(), map[place]int{}
		for s, n := range r.counts() {
			open[place{s.method, s.route}] += n
		}
		for p, b := range all {
			if open[p] -= int(b.count); open[p] == 0 {
				delete(open, p)
			}
		}
		if len(open) == 0 || time.Now().After(end) {
			return all
		}
	}
}

// wantObserved waits until the histogram has grown by so many, at most as long as
// the task allows.
func wantObserved(c *exam.C, before map[place]*buckets, did string, want map[place]int, help string) {
	for end := time.Now().Add(soon); ; time.Sleep(20 * time.Millisecond) {
		r := scrape(c)
		wrong := ""
		all := r.histograms()
		for p, n := range want {
			got := 0
			if b := all[p]; b != nil {
				r.wantBounds(p, b)
				got = int(b.count)
			}
			if b := before[p]; b != nil {
				got -= int(b.count)
			}
			if got != n {
				wrong = first(wrong, fmt.Sprintf("%s_count%s grew by %d, not by %d", duration, p, got, n))
			}
		}
		if wrong == "" {
			return
		}
		c.Require(time.Now().Before(end), exam.Finding{Did: did, Expected: "every request in the histogram, as in the counter", Saw: wrong, Detail: help})
	}
}

// seconds measures a request that the harbour office holds for a known time, and
// one that it does not hold.
func seconds(c *exam.C) {
	held(c, "", sailing, "What is measured ended before the handler began, or was rounded to nothing. Where is the clock read for the second time, and when are the arguments of a deferred call worked out?")
	held(c, "/live", live, "This handler sends its first line at once, and works on. What is measured ended with that line, and not with the handler.")
	for range 5 { // a busy machine may need more than the objective for anything
		w, before := begin(c), rested(c)
		r := c.Get("/sailings")
		w.expect(series{"GET", sailings, "200"}, 1, "")
		w.settle("GET /sailings", whole)
		wantObserved(c, before, "GET /sailings", map[place]int{{"GET", sailings}: 1}, "")
		b := grownBy(before, scrape(c).histograms(), place{"GET", sailings})
		wantBetween(c, "GET /sailings", b, 0, r.Duration.Seconds(), "")
		if r.Duration.Seconds() < objective {
			return
		}
	}
}

// held measures a request for which the harbour office takes a known time. The help
// is for whoever has measured next to nothing.
func held(c *exam.C, page, route, help string) {
	const holds = 400 * time.Millisecond
	w := begin(c)
	path := script(c, exam.Answer{Hold: true, Body: berth(c)})
	did := fmt.Sprintf("GET %s, for which the harbour office took %s", path+page, holds)
	before := rested(c)
	p := c.Client("A").Send(http.MethodGet, path+page, nil, exam.Timeout(15*time.Second))
	call := called(c, path, did)
	time.Sleep(time.Until(call.At.Add(holds)))
	call.Release()
	r, err := p.Answer()
	c.Require(err == nil && r.Status == http.StatusOK, exam.Finding{Did: did, Expected: "200", Saw: fmt.Sprint(r, err)})
	wantObserved(c, before, did, map[place]int{{"GET", route}: 1}, "")
	w.expect(series{"GET", route, "200"}, 1, "")
	w.settle(did, whole)
	b := grownBy(before, scrape(c).histograms(), place{"GET", route})
	wantBetween(c, did, b, holds.Seconds(), r.Duration.Seconds(), help)
}

// grownBy is what came to the histogram of a place.
func grownBy(before, now map[place]*buckets, p place) *buckets {
	b := now[p]
	old := before[p]
	if old == nil {
		old = &buckets{upTo: map[float64]float64{}}
	}
	d := &buckets{bounds: b.bounds, upTo: map[float64]float64{}, count: b.count - old.count, sum: b.sum - old.sum}
	for _, le := range b.bounds {
		d.upTo[le] = b.upTo[le] - old.upTo[le]
	}
	return d
}

// wantBetween fails unless one request was measured with at least and at most so
// many seconds, in _sum and in the buckets.
func wantBetween(c *exam.C, did string, b *buckets, least, most float64, help string) {
	const clocks = 0.002 // two processes read them
	f := exam.Finding{Did: did, Expected: fmt.Sprintf("_sum grows by %.3f to %.3f: by no less than the handler took, and by no more than the client waited", least, most),
		Saw: fmt.Sprintf("by %.6g", b.sum)}
	for _, unit := range []struct {
		name   string
		factor float64
	}{{"milliseconds", 1e3}, {"microseconds", 1e6}, {"nanoseconds", 1e9}} {
		if least > 0 && b.sum >= least*unit.factor*0.9 && b.sum <= most*unit.factor*1.1 {
			f.Detail = "In " + unit.name + " it would fit. The unit of time is the second, everywhere in Prometheus."
		}
	}
	if b.sum < least/10 {
		f.Detail = help
	}
	c.Require(b.sum >= least-clocks && b.sum <= most+clocks, f)
	for _, le := range b.bounds {
		f := exam.Finding{Did: did, Saw: fmt.Sprintf("le=%q grew by %v", number(le), b.upTo[le])}
		switch {
		case le < least-clocks && b.upTo[le] != 0:
			f.Expected = fmt.Sprintf("nothing more up to %s s: it took longer", number(le))
			c.Fail(f)
		case le > most+clocks && b.upTo[le] != 1:
			f.Expected = fmt.Sprintf("one more up to %s s: it took less", number(le))
			c.Fail(f)
		}
	}
}
