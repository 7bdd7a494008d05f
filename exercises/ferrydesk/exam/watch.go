package exam

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// watch compares what is counted from now on with what was asked for.
type watch struct {
	c      *exam.C
	before tally
	want   tally
	help   map[series]string // what the mistake would be, by the series that misses it
}

func begin(c *exam.C) *watch {
	return &watch{c: c, before: scrape(c).counts(), want: tally{}, help: map[series]string{}}
}

// expect adds n requests. The help is for whoever has counted them otherwise.
func (w *watch) expect(s series, n int, help string) {
	w.want[s] += n
	w.help[s] = help
}

// whole looks at all three labels; by says which of them, where not all are looked
// at.
func whole(s series) series { return s }

// grown is what was counted since the beginning, as far as by looks.
func (w *watch) grown(now tally, by func(series) series) tally {
	t := tally{}
	for s, n := range now {
		t[by(s)] += n
	}
	for s, n := range w.before {
		t[by(s)] -= n
	}
	return t
}

// settle waits until everything has been counted, at most as long as the task
// allows, and fails when it was counted otherwise.
func (w *watch) settle(did string, by func(series) series) *reading {
	want := tally{}
	for s, n := range w.want {
		want[by(s)] += n
	}
	end := time.Now().Add(soon)
	for {
		r := scrape(w.c)
		got := w.grown(r.counts(), by)
		differ := differences(want, got)
		if len(differ) == 0 {
			return r
		}
		if sum(got) >= sum(want) || time.Now().After(end) { // nothing is still to come
			w.fail(did, by, want, got, differ)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// differences returns the series in which two tallies differ, in order.
func differences(want, got tally) (all []series) {
	for s, n := range want {
		if got[s] != n {
			all = append(all, s)
		}
	}
	for s, n := range got {
		if _, known := want[s]; !known && n != 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b series) int { return strings.Compare(a.String(), b.String()) })
	return all
}

func sum(t tally) (n int) {
	for _, v := range t {
		n += v
	}
	return n
}

func (w *watch) fail(did string, by func(series) series, want, got tally, differ []series) {
	f := exam.Finding{Did: did, Expected: lines(want, differ), Saw: lines(got, differ)}
	for s, help := range w.help {
		if slices.Contains(differ, by(s)) && help != "" && got[by(s)] < want[by(s)] {
			f.Detail = first(f.Detail, help)
		}
	}
	for _, s := range differ {
		if d := strange(s); d != "" && want[s] == 0 {
			f.Detail = d
		}
	}
	w.c.Fail(f)
}

// first is the one of two texts that comes first, so that it is the same in every
// run.
func first(a, b string) string {
	if a == "" || b < a {
		return b
	}
	return a
}

// strange explains a series that no request should have led to.
func strange(s series) string {
	method, _, two := strings.Cut(s.route, " ")
	switch {
	case two && strings.ToUpper(method) == method:
		return "The pattern of the mux has a method before the path. The route is the path alone; the method has a label."
	case s.code == "0":
		return "A handler need not call WriteHeader at all. What the client gets then is a 200."
	case strings.HasPrefix(s.code, "1"):
		return "A 1xx is no answer yet. It announces one, and WriteHeader is called once more."
	}
	return ""
}

// lines says how far some series have grown. Projections leave labels empty, and
// those are not shown.
func lines(t tally, of []series) string {
	const most = 4
	var all []string
	for _, s := range of {
		if t[s] != 0 {
			all = append(all, fmt.Sprintf("%s +%d", short(s), t[s]))
		}
	}
	switch n := len(all); {
	case n == 0:
		return requestsTotal + ": nothing more"
	case n > most:
		all = append(all[:most-1], fmt.Sprintf("and %d more series", n-most+1))
	}
	return requestsTotal + strings.Join(all, ", ")
}

// short is a series without the labels that a projection has left out.
func short(s series) string {
	var all []string
	for _, l := range []struct{ name, value string }{{"method", s.method}, {"route", s.route}, {"code", s.code}} {
		if l.value != left {
			all = append(all, fmt.Sprintf("%s=%q", l.name, l.value))
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

// left stands in place of a label that is not looked at.
const left = "\x00"

func byRoute(s series) series  { return series{left, s.route, left} }
func byMethod(s series) series { return series{s.method, s.route, left} }
