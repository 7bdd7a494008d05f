package exam

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// stream asks for a live page while the harbour office keeps its answer back:
// what the handler has sent before must have come.
func stream(c *exam.C) {
	path := script(c, exam.Answer{Hold: true, Body: berth(c)})
	did := "GET " + path + "/live; its handler sends a line, flushes, and asks the harbour office, which kept its answer back"
	w := begin(c)
	req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s/live", c.Instance(0).Port(), path), nil)
	if err != nil {
		panic(err)
	}
	c.Note("GET %s/live, read as it comes", path)
	head, failed := make(chan *http.Response, 1), make(chan error, 1)
	go func() {
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			failed <- err
			return
		}
		head <- resp
	}()
	f := exam.Finding{Did: did, Expected: "the header and the first line, while the handler is still at work"}
	select {
	case resp := <-head:
		called(c, path, did).Release()
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		f.Saw = fmt.Sprintf("%d %q", resp.StatusCode, body)
		c.Require(resp.StatusCode == http.StatusOK && strings.HasPrefix(string(body), "boarding") && strings.Contains(string(body), "pier"), f)
	case <-failed:
		f.Saw = "the connection was closed: the handler panicked, as it could not flush"
		f.Detail = "It asks with http.NewResponseController(w).Flush(). Whatever stands in w's place now has no Flush, and does not say what it stands before."
		c.Fail(f)
	case <-time.After(soon):
		f.Saw = fmt.Sprintf("nothing for %s", soon)
		f.Detail = "Something keeps the whole answer until the handler has returned. That also costs the memory for it."
		c.Fail(f)
	}
	w.expect(series{"GET", live, "200"}, 1, "")
	w.settle(did+"; then it answered", whole)
}

func panics(c *exam.C) {
	cl := c.Client("A", exam.FreshConnections()) // else net/http asks again by itself
	w := begin(c)
	path := script(c, exam.Answer{Body: noBerth})
	did := "GET " + path + ", whose handler panicked with a nil pointer"
	r, err := cl.Try(http.MethodGet, path, nil)
	if err == nil && r.Status != http.StatusInternalServerError {
		c.Fail(exam.Finding{Did: did, Expected: "500, or the connection closed without an answer", Saw: r.String(),
			Detail: "A panic that is caught ends nowhere. Whoever catches it has to do what net/http would have done: the caller must not take what it gets for an answer."})
	}
	w.expect(series{"GET", sailing, "500"}, 1, "A panic leaves every function that it passes through, and what stands after the call of the handler is not reached. Which code runs all the same?")
	w.settle(did, whole)
	wantLogged(c, did)

	w = begin(c)
	path = script(c, exam.Answer{Body: noBerth}) + "/live"
	did = "GET " + path + ", whose handler sent a 200 and a line, and then panicked"
	r, err = cl.Try(http.MethodGet, path, nil)
	if err == nil {
		c.Fail(exam.Finding{Did: did, Expected: "an answer that breaks off", Saw: r.String() + ", with a proper end",
			Detail: "The status has been sent and can't be taken back. That the connection breaks is all that still tells the caller that something is missing."})
	}
	w.expect(series{"GET", live, "500"}, 1, "The caller got a 200 and half a page. For the error rate it is a failure.")
	c.Get("/sailings").Want(http.StatusOK)
	w.expect(series{"GET", sailings, "200"}, 1, "")
	w.settle(did+"; then GET /sailings", whole)
}

// wantLogged fails unless the panic stands in the log.
func wantLogged(c *exam.C, did string) {
	for end := time.Now().Add(soon); ; time.Sleep(10 * time.Millisecond) {
		if strings.Contains(strings.Join(c.Instance(0).LogLines(), "\n"), "nil pointer") {
			return
		}
		c.Require(time.Now().Before(end), exam.Finding{Did: did, Expected: "the panic in the log", Saw: "not a word of it",
			Detail: "net/http logs a panic that reaches it. Whoever ends it on the way, with recover or by another panic in its place, has to write it down."})
	}
}

func gone(c *exam.C) {
	for _, t := range []struct{ method, prefix, route, says string }{
		{http.MethodGet, "", sailing, "and the handler then said 502 to nobody"},
		{http.MethodPost, "/gates/", gate, "and the handler then returned without a word"},
	} {
		w := begin(c)
		asked := script(c, exam.Answer{Hold: true, Body: berth(c)})
		path := asked
		if t.prefix != "" {
			path = t.prefix + strings.TrimPrefix(asked, "/sailings/")
		}
		did := fmt.Sprintf("%s %s; while the harbour office kept its answer back, the client left", t.method, path)
		p := c.Client("A", exam.FreshConnections()).Send(t.method, path, nil, exam.Timeout(15*time.Second))
		call := called(c, asked, did)
		p.Leave()
		_, left := call.WaitGone(soon)
		c.Require(left, exam.Finding{Did: did, Expected: "the handler hears of it: the request's context has ended",
			Saw:    fmt.Sprintf("%s later it still waited for the harbour office", soon),
			Detail: "net/http ends the context of the request that it has made. The handler must be given that request, or one with a context that comes from it."})
		w.expect(series{t.method, t.route, "499"}, 1, "Nobody got that status: the context of the request had ended before it was written.")
		w.settle(did+", "+t.says, whole)
	}
}

// called waits until the harbour office is asked about a sailing.
func called(c *exam.C, path, did string) *exam.Call {
	calls := c.Upstream("harbour").WaitCalls(path, 1, soon)
	c.Require(len(calls) > 0, exam.Finding{Did: did, Expected: "a request that reaches its handler",
		Saw: fmt.Sprintf("the handler had not asked the harbour office within %s", soon)})
	return calls[0]
}

// inFlight holds some requests, and lets each of them end in another way. What the
// gauge says at first is taken as it is, so that the way which it misses is told,
// and not only that there is one.
func inFlight(c *exam.C) {
	n := c.Int(5, 7)
	w := begin(c)
	g := &gauge{c: c, base: restingGauge(c), under: n}
	var calls []*exam.Call
	var pending []*exam.Pending
	g.did = fmt.Sprintf("%d requests at the same time, which the harbour office kept waiting", n)
	for i := range n {
		a := exam.Answer{Hold: true, Body: berth(c)}
		if i == 1 {
			a.Body = noBerth
		}
		if i == 2 {
			a.Status = http.StatusServiceUnavailable
		}
		path := script(c, a)
		pending = append(pending, c.Client("A", exam.FreshConnections()).Send(http.MethodGet, path, nil, exam.Timeout(15*time.Second)))
		calls = append(calls, called(c, path, g.did))
	}
	g.want("It goes up when a request comes, not when it has been answered.")
	for i, what := range []string{"one of them was answered", "in one the handler panicked", "one was answered with 503"} {
		calls[i].Release()
		_, _ = pending[i].Answer()
		g.ended(1, what)
	}
	pending[3].Leave()
	calls[3].WaitGone(soon)
	g.ended(1, "the client of one left")
	for _, k := range calls[4:] {
		k.Release()
	}
	g.ended(n-4, "the others were answered")
	c.Require(g.base == 0, exam.Finding{Did: "nothing just now; of the requests before, some ended with a panic, and some clients had left",
		Expected: inFlightGauge + " 0", Saw: fmt.Sprint(g.base),
		Detail: fmt.Sprintf("%d more came and went since, in each of these ways, and were counted rightly. It is something that happened earlier.", n)})
	w.expect(series{"GET", sailing, "200"}, n-3, "")
	for _, code := range []string{"499", "500", "503"} {
		w.expect(series{"GET", sailing, code}, 1, "")
	}
	w.settle(g.did, whole)
}

// gauge compares the requests that are under way with what in flight says.
type gauge struct {
	c     *exam.C
	base  int // what it says while there are none
	under int // how many there are
	did   string
}

// ended wants n fewer of them, which have ended as what says.
func (g *gauge) ended(n int, what string) {
	g.under -= n
	g.did += "; " + what
	g.want("Whatever went up has to come down again, on every way out.")
}

// want waits until the gauge is right, at most as long as the task allows.
func (g *gauge) want(help string) {
	got := g.wait(g.base + g.under)
	f := exam.Finding{Did: g.did, Expected: fmt.Sprintf("%s %d", inFlightGauge, g.base+g.under), Saw: fmt.Sprint(got), Detail: help}
	if g.base != 0 {
		f.Expected += fmt.Sprintf(", as it was %d before them, with nothing under way", g.base)
	}
	g.c.Require(got == g.base+g.under, f)
}

// wait returns what the gauge says once it is n, or when the time is over.
func (g *gauge) wait(n int) int {
	for end := time.Now().Add(soon); ; time.Sleep(20 * time.Millisecond) {
		if got := scrape(g.c).inFlight(); got == n || time.Now().After(end) {
			return got
		}
	}
}

// restingGauge is what the gauge says while nothing is under way.
func restingGauge(c *exam.C) int { return (&gauge{c: c}).wait(0) }
