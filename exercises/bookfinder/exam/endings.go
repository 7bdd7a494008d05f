package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

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
		b.wantLeft(calls, did, "")
	}
	b := newBook(c)
	did := "GET " + b.path() + "; north had the book, and while south and east kept their answers back, the caller left; then the log"
	p, calls := b.search(c.Client("A"), "", did)
	calls[0].Release()
	if b.awaits(moment, p) { // long enough for the copy of north to be read
		r, err := p.Answer()
		c.Fail(exam.Finding{Did: did, Expected: "a search that goes on until all have answered", Saw: outcome(r, err)})
	}
	p.Leave()
	b.wantLeft(calls[1:], did, "Find returned no error that is context.Canceled. A copy that is there already does not make the search a complete one.")
}

// wantLeft fails unless the calls are given up and the log says that the caller
// left.
func (b *book) wantLeft(calls []*exam.Call, did, help string) {
	b.wantGone(calls, exam.Finding{Did: did, Expected: "all three calls are given up within a second"})
	b.release() // no branch can be what keeps the program
	line := b.logged()
	f := exam.Finding{Did: did, Expected: `a line "gone: …": errors.Is(err, context.Canceled)`, Detail: help}
	switch {
	case strings.Contains(line, "gone: "):
		return
	case line != "":
		_, f.Saw, _ = strings.Cut(line, " ") // after the time
		f.Saw = "main.go wrote: " + f.Saw
	default:
		f.Saw = fmt.Sprintf("no line for this book within %s. An ErrNotHeld or a success, which main.go does not log, or the function has not returned", soon)
	}
	b.c.Fail(f)
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
	for _, s := range searches[:2] {
		same(c, s.what, fmt.Sprintf(s.did, "…"))
	}
}

// same lets two callers look for one book. Whether the second one's search makes
// calls of its own is not asked.
func same(c *exam.C, what, did string) {
	b := newBook(c)
	did = fmt.Sprintf("two callers, both with %s for the same book; while all branches kept their answers back, the first left", did)
	p, _ := b.search(c.Client("A"), what, did)
	q := b.send(c.Client("B"), what)
	for _, name := range branches {
		if len(c.Upstream(name).WaitCalls(b.path(), 2, moment)) < 2 {
			break // it shares the first one's, or will not be heard of
		}
	}
	p.Leave()
	b.logged() // then everything is over that the first one's end may bring about
	b.release()
	r, err := q.Answer()
	f := exam.Finding{Did: did, Expected: "the second gets a copy, once the branches answer", Saw: outcome(r, err)}
	if err == nil && r.Status == 499 {
		f.Saw += ". The second had waited for what the first one's search would bring, and that ended with the first caller"
	}
	c.Require(err == nil && r.Status == http.StatusOK, f)
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
	stays(c)
}

// stays looks for several books with one request, in more branches than three and
// with much patience: neither the end of the request nor of the time can clean up
// behind a search.
func stays(c *exam.C) {
	run := c.Run(startup, "BRANCHES=north,south,east,west,town,port",
		"WEST_URL="+c.Upstream("north").URL(), "TOWN_URL="+c.Upstream("south").URL(), "PORT_URL="+c.Upstream("east").URL())
	const n = 5
	var list []*book
	var isbns []string
	did := fmt.Sprintf("POST /lists with %d books, in a program with six branches; two of them had each book before the others answered; while the program looked for the last book, /debug/pprof/goroutine", n)
	for i := range n {
		b := newBook(c)
		b.in = run.Instance
		b.allLate()
		if i > 0 && i < n-1 {
			b.at("south", b.holds("south"))
		}
		list, isbns = append(list, b), append(isbns, b.isbn)
	}
	p := c.Client("A", exam.ToInstance(run.Instance)).Send(http.MethodPost, "/lists", map[string][]string{"books": isbns}, exam.Timeout(15*time.Second))
	list[0].asked(2, did)
	before := run.Parked()
	for _, k := range c.Upstream("south").Calls(list[0].path()) {
		k.Release()
	}
	list[n-1].asked(2, did)
	if left := run.LeftOver(before, soon); left.Count() > 0 {
		c.Fail(exam.Finding{Did: did, Expected: "as many goroutines as while it looked for the first book",
			Saw:    fmt.Sprintf("%s later %d more: %s", soon, left.Count(), left),
			Detail: left.Detail()})
	}
	list[n-1].release()
	r, err := p.Answer()
	c.Require(err == nil && r.Status == http.StatusOK, exam.Finding{Did: did + "; then all had it", Expected: "200", Saw: outcome(r, err)})
}

// connections asks one book after another, with every kind of answer, a large one
// among them.
func connections(c *exam.C) {
	const times, allowed = 12, 3
	kinds := []exam.Answer{{}, {Status: http.StatusNotFound, Body: padded("not in this house", large)},
		{Status: http.StatusInternalServerError, Body: padded("catalogue closed", large)}}
	says := []string{"200", "404", "500"} // the first is blanks for the most part: the JSON ends long before the body
	const unread = "A connection is free for the next call when the body of the last answer has been read to its end, and closed. Whether anybody is interested in that body does not matter."
	helps := []string{"The pool of open connections belongs to a Transport. One that is made for a call begins with none. And a connection is free when the body of its last answer has been read and closed.", unread, unread}
	for i, kind := range kinds {
		before := c.Upstream("north").Connections()
		for range times {
			b := newBook(c)
			if i == 0 {
				kind = exam.Answer{Body: padded(fmt.Sprintf(`{"shelf":%q}`, b.shelves["north"]), large)}
			}
			b.at("north", kind)
			b.at("south", b.holds("south"))
			b.at("east", notHeld)
			c.Get(b.path())
		}
		n := c.Upstream("north").Connections() - before
		c.Require(n <= allowed, exam.Finding{
			Did:      fmt.Sprintf("%d searches one after another; each time north answered %s, with a body of 60 KB", times, says[i]),
			Expected: "calls over the same connection",
			Saw:      fmt.Sprintf("%d calls of north over %d new connections", times, n),
			Detail:   helps[i],
		})
	}
}
