package exam

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

func find(c *exam.C) {
	b := newBook(c)
	b.at("north", exam.Answer{Body: map[string]string{"note": strings.Repeat("n", large), "shelf": b.shelves["north"]}})
	b.at("south", notHeld)
	b.at("east", b.holds("east"))
	got := b.wantCopies(c.Get(b.path()), "GET "+b.path()+", which north and east hold; the answer of north is 60 KB long", "north", "east")
	c.Require(len(got.Failed) == 0, exam.Finding{Expected: "no branch that failed", Saw: fmt.Sprint(got.Failed),
		Detail: "south answered 404. That is an answer, and not a failure."})
	b = newBook(c)
	for _, name := range branches {
		b.at(name, b.holds(name))
	}
	b.wantCopy(c.Get(b.path()+"/first"), "GET "+b.path()+"/first, which all branches hold", branches...)
}

func missing(c *exam.C) {
	b := newBook(c)
	for _, name := range branches {
		b.at(name, notHeld)
	}
	for _, what := range []string{"", "/first"} {
		did := "GET " + b.path() + what + "; every branch answered 404"
		r := c.Get(b.path() + what)
		r.Want(http.StatusNotFound, exam.Did(did), exam.Expected("404: errors.Is(err, ErrNotHeld)"))
		var got copies
		r.JSON(&got, exam.Did(did))
		c.Require(len(got.Failed) == 0, exam.Finding{Did: did, Expected: "an error without a *BranchError",
			Saw:    fmt.Sprintf("main.go found %d *BranchError in it", len(got.Failed)),
			Detail: "404 is an answer, and no failure. No branch has failed here."})
	}
	for _, name := range branches {
		b.at(name, b.holds(name))
	}
	for _, what := range []string{"", "/first"} {
		did := "GET " + b.path() + what + " for the second time; now all branches hold it"
		r := c.Get(b.path() + what)
		c.Require(r.Status == http.StatusOK, exam.Finding{Did: did, Expected: "200: each search asks the branches anew",
			Saw: r.String() + ", which was true of the search before"})
	}
}

// together holds all answers back until every branch has been asked.
func together(c *exam.C) {
	for _, what := range []string{"", "/first"} {
		b := newBook(c)
		b.allLate()
		p := b.send(c.Client("A"), what)
		var asked, not []string
		for _, name := range branches {
			if len(c.Upstream(name).WaitCalls(b.path(), 1, soon)) > 0 {
				asked = append(asked, name)
			} else {
				not = append(not, name)
			}
		}
		did := "GET " + b.path() + what + ", while every branch kept its answer back"
		f := exam.Finding{Did: did, Expected: "a call of every branch, before any of them has answered",
			Saw: fmt.Sprintf("%s kept the program waiting, and %s had not been asked %s later: one call waits for the answer of another",
				strings.Join(asked, " and "), strings.Join(not, " and "), soon)}
		if len(asked) == 0 {
			f.Saw = fmt.Sprintf("no branch was asked within %s", soon)
		}
		f.Detail = "A goroutine for each branch, and a channel on which it says what came of it."
		c.Require(len(not) == 0, f)
		b.release()
		r, err := p.Answer()
		c.Require(err == nil && r.Status == http.StatusOK, exam.Finding{Did: did + "; then all answered", Expected: "200", Saw: outcome(r, err)})
	}
	crowd(c)
}

// crowd lets many searches wait at once: none of them may wait for another.
func crowd(c *exam.C) {
	const n = 12
	all := make([]*book, n)
	pending := make([]*exam.Pending, n)
	for i := range all {
		b := newBook(c)
		b.crowd = n
		b.allLate()
		all[i], pending[i] = b, b.send(c.Client("A"), "")
	}
	did := fmt.Sprintf("GET /books/… for %d books at the same time, while every branch kept its answers back", n)
	for _, b := range all {
		for _, name := range branches {
			b.call(name, did)
		}
	}
	for i, b := range all {
		b.release()
		_, _ = pending[i].Answer() // whether one search ends another is a check of its own
	}
}

func first(c *exam.C) {
	b := newBook(c)
	b.at("north", never)
	b.at("south", b.holds("south"))
	b.at("east", exam.Answer{Status: http.StatusNotFound, Hold: true})
	did := "GET " + b.path() + "/first; south had the book, north and east kept their answers back"
	p := b.send(c.Client("A"), "/first")
	b.call("south", did)
	c.Require(b.awaits(soon, p), exam.Finding{Did: did, Expected: "the copy of south, at once",
		Saw: fmt.Sprintf("no answer %s after south had given its own: it waits for all of them", soon)})
	r, err := p.Answer()
	c.Require(err == nil, exam.Finding{Did: did, Expected: "200", Saw: outcome(r, err)})
	b.wantCopy(r, did, "south")

	patientFirst(c, http.StatusNotFound, "north")
	patientFirst(c, http.StatusInternalServerError, "north")
	patientFirst(c, http.StatusInternalServerError, "north", "south")
}

// patientFirst lets these branches answer with a status that is no copy, and the
// others have the book later.
func patientFirst(c *exam.C, status int, without ...string) {
	b := newBook(c)
	b.allLate()
	for _, name := range without {
		b.at(name, exam.Answer{Status: status, Hold: true})
	}
	holders := slices.DeleteFunc(slices.Clone(branches), func(name string) bool { return slices.Contains(without, name) })
	did := fmt.Sprintf("GET %s/first; %s answered %d, and then, later, %s had the book", b.path(), strings.Join(without, " and "), status, strings.Join(holders, " and "))
	p := b.send(c.Client("A"), "/first")
	for _, name := range branches {
		b.call(name, did)
	}
	for _, name := range without {
		b.call(name, did).Release()
	}
	if b.awaits(moment, p) {
		r, err := p.Answer()
		saw := ", before south and east had answered: the first answer was taken for the first copy"
		if len(holders) == 1 {
			saw = ", before " + holders[0] + " had answered: two failures were taken for the failure of all"
		}
		c.Fail(exam.Finding{Did: did, Expected: "the copy of " + strings.Join(holders, " or "), Saw: outcome(r, err) + saw})
	}
	b.release()
	r, err := p.Answer()
	c.Require(err == nil, exam.Finding{Did: did, Expected: "200", Saw: outcome(r, err)})
	b.wantCopy(r, did, holders...)
}

// partial lets the failure come first and the copy after it.
func partial(c *exam.C) {
	b := newBook(c)
	b.at("north", b.holdsLate("north"))
	b.at("south", exam.Answer{Status: http.StatusInternalServerError, Body: "catalogue closed", Hold: true})
	b.at("east", exam.Answer{Status: http.StatusNotFound, Hold: true})
	did := "GET " + b.path() + "; south answered 500, then north had the book, and east answered 404"
	p := b.send(c.Client("A"), "")
	north := b.call("north", did)
	b.call("east", did)
	b.call("south", did).Release()
	f := exam.Finding{Did: did, Expected: "200 with the copy of north, and the failure of south beside it"}
	if b.awaits(moment, p) {
		r, err := p.Answer()
		f.Saw = outcome(r, err) + ", before north had answered: the first failure ended the search"
		c.Fail(f)
	}
	b.askedOnce("south", did)
	if _, gone := north.WaitGone(0); gone {
		f.Saw = "the call of north was called off when south failed"
		c.Fail(f)
	}
	b.release()
	r, err := p.Answer()
	if err != nil || r.Status != http.StatusOK {
		f.Saw = outcome(r, err)
		c.Fail(f)
	}
	b.wantCopies(r, did, "north")
	b.wantFailed(r, did, failed{"south", "status 500"})
}

// otherStatuses are answers that are neither a copy nor a 404.
var otherStatuses = []int{500, 400, 401, 403, 410, 429, 201, 202, 204, 206, 503}

func unknown(c *exam.C) {
	for _, status := range otherStatuses {
		oneUnknown(c, status)
	}
}

// oneUnknown lets one branch answer with the status, and the others with 404.
func oneUnknown(c *exam.C, status int) {
	for _, what := range []string{"", "/first"} {
		b := newBook(c)
		b.at("north", notHeld)
		b.at("south", notHeld)
		b.at("east", b.odd(status))
		did := fmt.Sprintf("GET %s%s; north and south answered 404, east %d", b.path(), what, status)
		r := c.Get(b.path() + what)
		f := exam.Finding{Did: did, Expected: "502: nobody knows whether east holds the book", Saw: r.String()}
		switch r.Status {
		case http.StatusBadGateway:
			b.askedOnce("east", did)
			continue
		case http.StatusOK:
			f.Detail = "A copy is what a branch tells of with a 200. With every other status but 404 it has failed, whatever its body looks like."
		case http.StatusNotFound:
			f.Saw += ": errors.Is(err, ErrNotHeld) was true"
			f.Detail = "It belongs into an error when every branch has answered 404, and into no other. Is finds it anywhere in an error, also in one branch of a Join."
		}
		c.Fail(f)
	}
}

func causes(c *exam.C) {
	for _, status := range otherStatuses {
		b := newBook(c)
		b.at("north", b.holds("north"))
		b.at("south", notHeld)
		b.at("east", b.odd(status))
		did := fmt.Sprintf("GET %s; north had the book, south answered 404, east %d", b.path(), status)
		r := c.Get(b.path())
		b.wantCopies(r, did, "north")
		b.wantFailed(r, did, failed{"east", fmt.Sprintf("status %d", status)})
	}
	for _, what := range []string{"", "/first"} {
		b := newBook(c)
		b.at("north", exam.Answer{Body: "<html>" + c.Words(3)})
		b.at("south", exam.Answer{Status: http.StatusServiceUnavailable})
		c.Upstream("east").Refuse()
		did := "GET " + b.path() + what + "; north answered with HTML, south with 503, and east refused the connection"
		r := c.Get(b.path() + what)
		r.WantOneOf([]int{http.StatusBadGateway}, exam.Did(did), exam.Expected("502: errors.As finds a *BranchError"))
		b.wantFailed(r, did, failed{"south", "status 503"}, failed{"east", "refused"}, failed{"north", "garbled"})
	}
}
