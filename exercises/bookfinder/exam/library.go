package exam

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

var branches = []string{"north", "south", "east"}

// book is one that readers look for, and what the branches say of it.
type book struct {
	c       *exam.C
	in      *exam.Instance // the process that is asked
	isbn    string
	shelves map[string]string // by branch
	crowd   int               // how many searches are under way at once, if that is many
}

func newBook(c *exam.C) *book {
	b := &book{c: c, in: c.Instance(0), isbn: c.Unique("978"), shelves: map[string]string{}}
	for _, name := range branches {
		b.shelves[name] = fmt.Sprintf("%s %d", strings.ToUpper(c.Words(1)[:2]), c.Int(10, 99))
	}
	return b
}

func (b *book) path() string { return "/books/" + b.isbn }

// at scripts what a branch answers about the book.
func (b *book) at(branch string, a exam.Answer) { b.c.Upstream(branch).On(b.path(), a) }

// holds is the answer of a branch that has the book.
func (b *book) holds(branch string) exam.Answer {
	return exam.Answer{Body: map[string]string{"shelf": b.shelves[branch]}}
}

// holdsLate is the same, once it is released.
func (b *book) holdsLate(branch string) exam.Answer {
	a := b.holds(branch)
	a.Hold = true
	return a
}

// odd is an answer with a status that is none for a copy, and with the body of one.
func (b *book) odd(status int) exam.Answer {
	a := exam.Answer{Status: status}
	if status < 300 && status != http.StatusNoContent {
		a.Body = map[string]string{"shelf": b.shelves["east"]}
	}
	return a
}

// allLate lets every branch have the book, and keep its answer back.
func (b *book) allLate() {
	for _, name := range branches {
		b.at(name, b.holdsLate(name))
	}
}

// large is what an answer may be long, nearly: the branches send at most 64 KB.
const large = 60_000

var (
	notHeld = exam.Answer{Status: http.StatusNotFound, Body: map[string]string{"error": "not in this house"}}
	never   = exam.Answer{Hold: true}
)

// call waits until the branch is asked about the book, and fails when it is not.
func (b *book) call(branch, did string) *exam.Call {
	calls := b.c.Upstream(branch).WaitCalls(b.path(), 1, soon)
	f := exam.Finding{Did: did, Expected: "a call of every branch", Saw: fmt.Sprintf("%s was not asked within %s", branch, soon)}
	if b.crowd > 0 {
		f.Saw += fmt.Sprintf(" about one of these %d books", b.crowd)
		f.Detail = "The branches kept all those searches waiting. Whatever allows only so many calls or searches at a time lets one wait for another."
	}
	b.c.Require(len(calls) > 0, f)
	return calls[0]
}

// asked waits until each upstream has been asked n times about the book.
func (b *book) asked(n int, did string) {
	for _, name := range branches {
		calls := b.c.Upstream(name).WaitCalls(b.path(), n, soon)
		b.c.Require(len(calls) >= n, exam.Finding{Did: did, Expected: "a call of every branch",
			Saw: fmt.Sprintf("about %s, %d of six branches were not asked within %s", b.isbn, n-len(calls), soon)})
	}
}

// askedOnce fails when the branch has been asked about the book again.
func (b *book) askedOnce(branch, did string) {
	n := len(b.c.Upstream(branch).Calls(b.path()))
	b.c.Require(n == 1, exam.Finding{Did: did, Expected: "one call of each branch",
		Saw:    fmt.Sprintf("%d calls of %s", n, branch),
		Detail: "A search asks each branch once. Who asks a branch in trouble again and again adds to its trouble; whether to search again is for the caller to decide."})
}

// release lets the held calls about the book go on.
func (b *book) release() {
	for _, name := range branches {
		for _, k := range b.c.Upstream(name).Calls(b.path()) {
			k.Release()
		}
	}
}

// send begins a search; the answer is waited for where it is wanted.
func (b *book) send(cl *exam.Client, what string) *exam.Pending {
	return cl.Send(http.MethodGet, b.path()+what, nil, exam.Timeout(15*time.Second))
}

// awaits tells whether the pending request is over within d.
func (b *book) awaits(d time.Duration, p *exam.Pending) bool { return until(b.c, d, p.Answered) }

// until asks ok again and again until it holds, at most for d.
func until(c *exam.C, d time.Duration, ok func() bool) bool {
	end := time.Now().Add(d)
	for !ok() {
		if c.Context().Err() != nil || !time.Now().Before(end) {
			return false
		}
		time.Sleep(5 * time.Millisecond)
	}
	return true
}

// copies is a copy per branch, as the program told it.
type copies struct {
	Copies []struct{ Branch, Shelf string }
	Failed []failed
}

type failed struct{ Branch, Why string }

func (f failed) String() string { return fmt.Sprintf("%s: %q", f.Branch, f.Why) }

// wantCopies fails unless the answer has the book's copies in these branches, and
// no others.
func (b *book) wantCopies(r *exam.Response, did string, in ...string) copies {
	r.Want(http.StatusOK, exam.Did(did))
	var got copies
	r.JSON(&got, exam.Did(did))
	var have, want []string
	for _, k := range got.Copies {
		have = append(have, fmt.Sprintf("%s on shelf %q", k.Branch, k.Shelf))
	}
	for _, name := range in {
		want = append(want, fmt.Sprintf("%s on shelf %q", name, b.shelves[name]))
	}
	slices.Sort(have)
	slices.Sort(want)
	b.c.Require(slices.Equal(have, want), exam.Finding{Did: did,
		Expected: "the copies " + strings.Join(want, ", "), Saw: r.String()})
	return got
}

// wantCopy fails unless the answer is the copy of one of these branches.
func (b *book) wantCopy(r *exam.Response, did string, in ...string) {
	r.Want(http.StatusOK, exam.Did(did))
	var got struct{ Branch, Shelf string }
	r.JSON(&got, exam.Did(did))
	b.c.Require(slices.Contains(in, got.Branch) && got.Shelf == b.shelves[got.Branch], exam.Finding{Did: did,
		Expected: "the copy of " + strings.Join(in, " or "), Saw: r.String()})
}

// wantFailed fails unless the answer names these failures, in any order.
func (b *book) wantFailed(r *exam.Response, did string, want ...failed) {
	var got copies
	r.JSON(&got, exam.Did(did))
	b.c.Require(len(got.Failed) == len(want), exam.Finding{Did: did,
		Expected: "a failure of " + all(want),
		Saw:      fmt.Sprintf("main.go found %d *BranchError in the error, of %d", len(got.Failed), len(want)),
		Detail:   "It goes through everything that the error wraps, by Unwrap. What is behind a %v, or is a BranchError and no pointer to one, is not found."})
	for _, w := range want {
		i := slices.IndexFunc(got.Failed, func(f failed) bool { return f.Branch == w.Branch })
		f := exam.Finding{Did: did, Expected: fmt.Sprintf("the failure of %s, with %q", w.Branch, w.Why)}
		switch {
		case i < 0:
			f.Saw = "no *BranchError of it, but " + fmt.Sprint(got.Failed)
		case got.Failed[i].Why == "unknown":
			f.Saw = fmt.Sprintf("the *BranchError of %s, in which main.go found %s", w.Branch, causeOf(w.Why))
			f.Detail, f.Read = b.lost(w.Why, r)
		case got.Failed[i].Why != w.Why:
			f.Saw = "the *BranchError of " + got.Failed[i].String()
		default:
			continue
		}
		b.c.Fail(f)
	}
}

func all(list []failed) string {
	var names []string
	for _, f := range list {
		names = append(names, fmt.Sprintf("%s, with %q", f.Branch, f.Why))
	}
	return strings.Join(names, "; ")
}

// causeOf says what main.go looked for and did not find.
func causeOf(why string) string {
	switch why {
	case "timeout":
		return "no context.DeadlineExceeded"
	case "refused":
		return "no syscall.ECONNREFUSED, which the error of net/http wraps"
	case "garbled":
		return "no *json.SyntaxError, which is what encoding/json returns"
	default:
		return "no Status and no cause that it knows"
	}
}

// lost says what may have become of a cause: whether its text is there tells
// where it was lost.
func (b *book) lost(why string, r *exam.Response) (detail, read string) {
	text := string(r.Body) + b.line()
	said, known := map[string]string{
		"timeout": "deadline exceeded", "refused": "connection refused", "garbled": "invalid character",
	}[why]
	switch {
	case !known:
		return "", ""
	case strings.Contains(text, said):
		return fmt.Sprintf("Its text has %q. So the cause was there, and on the way up somebody kept the text and dropped the error: with %%v, with err.Error(), or in a type without Unwrap.", said),
			lesson + "w-keeps-the-cause-v-its-text"
	case why == "timeout":
		return "Its text has no word of it either: something else was put in its place, an error of one's own, or the cause that a context was given.", lesson + "who-ended-it"
	default:
		return "Its text has no word of it either: something else was put in the place of the error that came from below.", ""
	}
}

// line is the last line of the log about the book, "" when there is none.
func (b *book) line() (line string) {
	for _, l := range b.in.LogLines() {
		if strings.Contains(l, "/books/"+b.isbn) {
			line = l
		}
	}
	return line
}

// outcome says what came of a request.
func outcome(r *exam.Response, err error) string {
	switch {
	case err != nil:
		return "no answer"
	case r.Status == 499:
		return "499, the answer for a caller who has left: errors.Is(err, context.Canceled)"
	}
	return r.String()
}
