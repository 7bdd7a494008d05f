package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	startup = 10 * time.Second // for a run to listen, on a busy machine
	patient = 2 * time.Second  // the PATIENCE of a run in which it is over
	// slow is what an answer takes for which there is patience: longer than a bound
	// that somebody made up, in a check that takes that time anyway.
	slow = patient + 500*time.Millisecond
)

// patience lets north hang: before its answer, and in the middle of it. All
// searches wait at the same time.
func patience(c *exam.C) {
	keep := keepPatience(c)
	run := c.Run(startup, "PATIENCE="+patient.String())
	cl := c.Client("A", exam.ToInstance(run.Instance))
	var wants []func()
	for _, try := range []struct {
		what   string
		north  exam.Answer
		says   string
		south  bool // holds the book
		status int
	}{
		{"", never, "did not answer", true, http.StatusOK},
		{"", never, "did not answer", false, http.StatusGatewayTimeout},
		{"/first", never, "did not answer", false, http.StatusGatewayTimeout},
		{"", exam.Answer{Stall: true, Body: map[string]string{"shelf": c.Words(8)}}, "sent half of its answer and no more", false, http.StatusGatewayTimeout},
		{"/first", exam.Answer{Stall: true, Body: map[string]string{"shelf": c.Words(8)}}, "sent half of its answer and no more", false, http.StatusGatewayTimeout},
	} {
		b := newBook(c)
		b.in = run.Instance
		b.at("north", try.north)
		b.at("south", notHeld)
		b.at("east", notHeld)
		did := fmt.Sprintf("GET %s%s with PATIENCE=%s; north %s, the others answered 404", b.path(), try.what, patient, try.says)
		if try.south {
			b.at("south", b.holds("south"))
			did = fmt.Sprintf("GET %s%s with PATIENCE=%s; north %s, south had the book, east answered 404", b.path(), try.what, patient, try.says)
		}
		p := b.send(cl, try.what)
		wants = append(wants, func() { b.wantTimeout(p, did, try.status, try.south) })
	}
	for _, want := range wants {
		want()
	}
	keep()
}

// keepPatience begins a search in the program that has much patience. The
// function that it returns fails if that is over too early.
func keepPatience(c *exam.C) func() {
	b := newBook(c)
	b.at("north", b.holdsLate("north"))
	b.at("south", notHeld)
	b.at("east", notHeld)
	did := fmt.Sprintf("GET %s with PATIENCE=30s; north had the book, and said so after %s", b.path(), slow)
	p := b.send(c.Client("B"), "")
	began := b.call("north", did).At
	return func() {
		f := exam.Finding{Did: did, Expected: "200 with the copy of north"}
		if b.awaits(time.Until(began.Add(slow)), p) {
			r, err := p.Answer()
			f.Saw = fmt.Sprintf("%s, before north had answered: the time was up too early", outcome(r, err))
			f.Detail = "How long a search may take is what New was given, and no constant."
			c.Fail(f)
		}
		b.release()
		r, err := p.Answer()
		if err != nil || r.Status != http.StatusOK {
			f.Saw = outcome(r, err)
			c.Fail(f)
		}
		b.wantCopies(r, did, "north")
	}
}

// wantTimeout fails unless the search, in which north does not play along, ends
// in time, and with it the call of north.
func (b *book) wantTimeout(p *exam.Pending, did string, status int, south bool) {
	call := b.call("north", did)
	f := exam.Finding{Did: did, Expected: fmt.Sprintf("%d after %s, at most a second later", status, patient)}
	if !b.awaits(patient+soon, p) {
		f.Saw = fmt.Sprintf("no answer within %s", patient+soon)
		b.c.Fail(f)
	}
	r, err := p.Answer()
	if err != nil || r.Status != status {
		f.Saw = outcome(r, err)
		f.Detail = timeoutHelp(r)
		b.c.Fail(f)
	}
	if south {
		b.wantCopies(r, did, "south")
	}
	b.wantFailed(r, did, failed{"north", "timeout"})
	_, gone := call.WaitGone(soon)
	f.Expected, f.Saw = "the call of north is given up together with the search", "the answer came in time, and the call of north went on behind it"
	b.c.Require(gone, f)
}

// timeoutHelp says what a wrong status for a timeout means.
func timeoutHelp(r *exam.Response) string {
	switch {
	case r == nil:
		return ""
	case r.Status == http.StatusNotFound:
		return "404 is what main.go makes of ErrNotHeld. Nobody knows that: north has not answered."
	case r.Status == http.StatusBadGateway, r.Status == http.StatusInternalServerError:
		return "504 is what main.go makes of an error of which errors.Is(err, context.DeadlineExceeded) is true."
	case r.Status == 499:
		return "499 is what main.go makes of an error of which errors.Is(err, context.Canceled) is true. The caller has not left; the time was over."
	}
	return ""
}

// searches are the requests that a caller can leave.
var searches = []struct{ what, did string }{
	{"", "GET /books/%s"}, {"/first", "GET /books/%s/first"}, {"list", "POST /lists with the book %s"},
}

// search begins a request while all branches keep their answers back, and
// returns when all of them have been asked.
func (b *book) search(cl *exam.Client, what, did string) (p *exam.Pending, calls []*exam.Call) {
	b.allLate()
	if what == "list" {
		p = cl.Send(http.MethodPost, "/lists", map[string][]string{"books": {b.isbn}}, exam.Timeout(15*time.Second))
	} else {
		p = b.send(cl, what)
	}
	for _, name := range branches {
		calls = append(calls, b.call(name, did))
	}
	return p, calls
}

// wantGone fails unless the calls are given up.
func (b *book) wantGone(calls []*exam.Call, f exam.Finding) {
	var on []string
	for i, k := range calls {
		if _, gone := k.WaitGone(soon); !gone {
			on = append(on, branches[i])
		}
	}
	if len(on) == 0 {
		return
	}
	f.Saw = fmt.Sprintf("%s later the program still waited for the answers of %s", soon, strings.Join(on, ", "))
	if strings.Contains(b.line(), "gone: ") {
		f.Saw = fmt.Sprintf("the function returned, and %s later its calls of %s went on behind it", soon, strings.Join(on, ", "))
	}
	b.c.Fail(f)
}

func cancel(c *exam.C) {
	for _, s := range searches {
		b := newBook(c)
		did := fmt.Sprintf(s.did, b.isbn) + "; while all branches kept their answers back, the caller left"
		p, calls := b.search(c.Client("A"), s.what, did)
		p.Leave()
		b.wantGone(calls, exam.Finding{Did: did, Expected: "all three calls are given up within a second",
			Detail: "net/http has ended the context of the request at that moment. What did not hear of it has another one, or none."})
	}
}

// logged waits for the line in which main.go says what came of a search for
// the book.
func (b *book) logged() string {
	until(b.c, soon, func() bool { return b.line() != "" })
	return b.line()
}

func left(c *exam.C) {
	for _, s := range searches[:2] {
		b := newBook(c)
		did := fmt.Sprintf(s.did, b.isbn) + "; while all branches kept their answers back, the caller left; then the log"
		p, calls := b.search(c.Client("A"), s.what, did)
		p.Leave()
		b.wantGone(calls, exam.Finding{Did: did, Expected: "all three calls are given up within a second"})
		b.release() // no branch can be what keeps the program
		line := b.logged()
		f := exam.Finding{Did: did, Expected: `a line "gone: …": errors.Is(err, context.Canceled)`}
		switch {
		case strings.Contains(line, "gone: "):
			continue
		case line != "":
			_, f.Saw, _ = strings.Cut(line, " ") // after the time
			f.Saw = "main.go wrote: " + f.Saw
		default:
			f.Saw = fmt.Sprintf("no line for this book within %s. An ErrNotHeld or a success, which main.go does not log, or the function has not returned", soon)
		}
		c.Fail(f)
	}
}

func others(c *exam.C) {
	for _, s := range searches[:2] {
		leaves, stays := newBook(c), newBook(c)
		did := fmt.Sprintf("two callers, each with %s for a book of their own; while all branches kept their answers back, the first left", fmt.Sprintf(s.did, "…"))
		p, calls := leaves.search(c.Client("A"), s.what, did)
		q, _ := stays.search(c.Client("B"), s.what, did)
		p.Leave()
		leaves.wantGone(calls, exam.Finding{Did: did, Expected: "the calls for the first are given up"})
		leaves.logged() // then everything is over that the first one's end may bring about
		stays.release()
		r, err := q.Answer()
		f := exam.Finding{Did: did, Expected: "the second gets a copy, once the branches answer", Saw: outcome(r, err)}
		if err == nil && r.Status == 499 {
			f.Saw += ". The end of one search was the end of both"
		}
		c.Require(err == nil && r.Status == http.StatusOK, f)
	}
}

// losers looks for two books with one request: while the second is looked for,
// nothing of the first may be under way.
func losers(c *exam.C) {
	one, two := newBook(c), newBook(c)
	one.at("north", never)
	one.at("south", one.holdsLate("south"))
	one.at("east", never)
	two.allLate()
	did := fmt.Sprintf("POST /lists with %s and %s; south had the first, while north and east did not answer", one.isbn, two.isbn)
	p := c.Client("A").Send(http.MethodPost, "/lists", map[string][]string{"books": {one.isbn, two.isbn}}, exam.Timeout(15*time.Second))
	north, south, east := one.call("north", did), one.call("south", did), one.call("east", did)
	south.Release()
	for _, name := range branches {
		two.call(name, did)
	}
	for i, k := range []*exam.Call{north, east} {
		_, gone := k.WaitGone(soon)
		c.Require(gone, exam.Finding{Did: did, Expected: "the calls of north and east are given up when the copy of south is there",
			Saw: fmt.Sprintf("%s later, while the program was looking for the second book, it still waited for the answer of %s about the first",
				soon, []string{"north", "east"}[i])})
	}
	two.release()
	r, err := p.Answer()
	c.Require(err == nil && r.Status == http.StatusOK, exam.Finding{Did: did + "; then all had the second", Expected: "200", Saw: outcome(r, err)})
}

// leftovers does everything once more that ends a search early, in a program
// of its own, and asks for its goroutines before and after.
func leftovers(c *exam.C) {
	run := c.Run(startup, "PATIENCE=300ms")
	cl := c.Client("A", exam.ToInstance(run.Instance))
	quiet := newBook(c)
	for _, name := range branches {
		quiet.at(name, notHeld)
	}
	_, _ = quiet.send(cl, "").Answer() // connections are open, and whatever is made once is made
	before := run.Parked()
	const times = 4
	for _, try := range []struct {
		did   string
		north exam.Answer
		what  string
		leave bool
	}{
		{"searches for one copy, which south had and the others did not tell", never, "/first", false},
		{"searches of callers who left", never, "", true},
		{"searches of callers who left", never, "/first", true},
		{"searches in which north did not answer in time", never, "", false},
		{"searches in which north sent half of its answer and no more", exam.Answer{Stall: true, Body: map[string]string{"shelf": c.Words(8)}}, "", false},
		{"searches in which north failed", exam.Answer{Status: http.StatusInternalServerError, Body: "catalogue closed"}, "/first", false},
	} {
		pending := make([]*exam.Pending, times)
		for i := range pending {
			b := newBook(c)
			b.at("north", try.north)
			b.at("south", b.holdsLate("south"))
			b.at("east", never)
			pending[i] = b.send(cl, try.what)
			b.call("north", try.did)
			b.call("east", try.did)
			if south := b.call("south", try.did); !try.leave {
				south.Release()
			}
		}
		for _, p := range pending {
			if try.leave {
				p.Leave()
			}
			_, _ = p.Answer() // what it is does not matter here
		}
		if left := run.LeftOver(before, soon); left.Count() > 0 {
			c.Fail(exam.Finding{
				Did:      fmt.Sprintf("%d %s, then /debug/pprof/goroutine", times, try.did),
				Expected: "as many goroutines as before",
				Saw:      fmt.Sprintf("%s after the last answer %d more: %s", soon, left.Count(), left),
				Detail:   left.Detail(),
			})
		}
	}
}

// connections asks one book after another, with every kind of answer.
func connections(c *exam.C) {
	const times, allowed = 12, 3
	kinds := []exam.Answer{{}, notHeld, {Status: http.StatusInternalServerError, Body: map[string]string{"error": c.Words(40)}}}
	says := []string{"200", "404", "500"}
	const unread = "A connection is free for the next call when the body of the last answer has been read to its end, and closed. Whether anybody is interested in that body does not matter."
	helps := []string{"The pool of open connections belongs to a Transport. One that is made for a call begins with none. And a connection is free when the body of its last answer has been read and closed.", unread, unread}
	for i, kind := range kinds {
		before := c.Upstream("north").Connections()
		for range times {
			b := newBook(c)
			if i == 0 {
				kind = b.holds("north")
			}
			b.at("north", kind)
			b.at("south", b.holds("south"))
			b.at("east", notHeld)
			c.Get(b.path())
		}
		n := c.Upstream("north").Connections() - before
		c.Require(n <= allowed, exam.Finding{
			Did:      fmt.Sprintf("%d searches one after another; each time north answered %s, with a body", times, says[i]),
			Expected: "calls over the same connection",
			Saw:      fmt.Sprintf("%d calls of north over %d new connections", times, n),
			Detail:   helps[i],
		})
	}
}
