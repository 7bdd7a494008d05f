package exam

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// patience bounds waiting for what comes in milliseconds or not at all.
const patience = 8 * time.Second

// office is one instance of the program in the hands of a check.
type office struct {
	c     *exam.C
	in    *exam.Instance
	fresh *exam.Client // a new connection for every request, as a new caller has
	at    time.Time    // when the first signal was sent
}

func open(c *exam.C, instance int) *office {
	return &office{c: c, in: c.Instance(instance),
		fresh: c.Client("A", exam.To(instance), exam.FreshConnections())}
}

// opened is open for a program that has said that it is ready.
func opened(c *exam.C, instance int) *office {
	o := open(c, instance)
	if !o.await(func() bool { return o.readiness() == http.StatusOK }) {
		c.Fail(exam.Finding{Did: "GET /readyz after a start", Expected: "200 when Load has returned", Saw: fmt.Sprintf("never 200 in %s", patience)})
	}
	return o
}

// order is the body of a POST /invoices with n lines.
func order(c *exam.C, n int) map[string][]string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("%d %s", c.Int(1, 9), c.Words(2))
	}
	return map[string][]string{"lines": lines}
}

// await asks ok again and again until it holds, at most for patience.
func (o *office) await(ok func() bool) bool { return o.awaitFor(patience, ok) }

func (o *office) awaitFor(d time.Duration, ok func() bool) bool {
	end := time.Now().Add(d)
	for {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		time.Sleep(5 * time.Millisecond) // between two looks
	}
}

// readiness is the status of GET /readyz over a new connection, 0 for none.
func (o *office) readiness() int {
	r, err := o.fresh.Try(http.MethodGet, "/readyz", nil)
	if err != nil {
		return 0
	}
	return r.Status
}

// signal sends the signal and remembers when.
func (o *office) signal(sig os.Signal) {
	if o.at.IsZero() {
		o.at = time.Now()
	}
	o.in.Signal(sig)
}

// exit waits until the program has exited, at most until so long after the
// first signal.
func (o *office) exit(after time.Duration) (code int, exited bool) {
	return o.in.WaitExit(time.Until(o.at.Add(after)))
}

// since is how long ago the first signal was sent, for a person to read.
func (o *office) since() time.Duration { return time.Since(o.at).Round(time.Millisecond) }

// closed tells whether nobody listens any more.
func (o *office) closed() bool {
	_, err := o.fresh.Try(http.MethodGet, "/healthz", nil)
	return errors.Is(err, syscall.ECONNREFUSED)
}

// awaitClosed waits until connections are refused. The program has until its
// timeout for that, and must still run then.
func (o *office) awaitClosed(did string) {
	if o.awaitFor(time.Until(o.at.Add(stopTimeout)), o.closed) {
		return
	}
	o.c.Fail(exam.Finding{
		Did:      did,
		Expected: fmt.Sprintf("new connections are refused once the drain delay of %s is over, while the request goes on", drainDelay),
		Saw:      fmt.Sprintf("%s after the signal the program still accepted them", stopTimeout),
		Why:      "With the door open there is always one more request under way, so the last one never comes.",
		Read:     lesson + "first-the-sign-then-the-door",
	})
}

// begin sends half of an order and returns when the program has begun to read
// it.
func (o *office) begin(cl *exam.Client, lines map[string][]string) *exam.Pending {
	p, err := cl.Begin(http.MethodPost, "/invoices", lines, exam.Timeout(stopTimeout+2*grace))
	if err != nil {
		o.c.Fail(exam.Finding{Did: "POST /invoices, slowly: the header, half of the body, the rest",
			Expected: "the program reads the body", Saw: err.Error()})
	}
	return p
}

// wantInvoice fails unless the answer is an invoice with these lines, and
// returns its number.
func (o *office) wantInvoice(r *exam.Response, lines map[string][]string) int {
	r.Want(http.StatusCreated)
	number, fault := invoice(r, lines)
	o.c.Require(fault == "", exam.Finding{Did: r.Did(), Expected: "201 with the number and the whole text of the invoice", Saw: fault + ": " + r.String()})
	return number
}

// invoice reads an answer, and says what is wrong with it.
func invoice(r *exam.Response, lines map[string][]string) (number int, fault string) {
	var got struct {
		Number int    `json:"number"`
		Text   string `json:"text"`
	}
	switch err := json.Unmarshal(r.Body, &got); {
	case err != nil:
		return 0, "no JSON"
	case got.Number <= 0:
		return 0, "no number"
	}
	for _, line := range lines["lines"] {
		if !strings.Contains(got.Text, line) {
			return 0, fmt.Sprintf("the line %q is missing", line)
		}
	}
	return got.Number, ""
}

// outcome says what came of a request: its answer, or the reason for none.
func outcome(r *exam.Response, err error) string {
	switch {
	case err == nil:
		return r.String()
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, os.ErrDeadlineExceeded), strings.Contains(err.Error(), "deadline exceeded"):
		return "no answer"
	default:
		return "the connection broke off without an answer"
	}
}

// journal is what the program has written about each number.
type journal map[int][]string

func (o *office) journal() journal {
	j := journal{}
	for line := range strings.Lines(o.in.Log()) {
		var entry string
		var number int
		if n, err := fmt.Sscanf(line, "journal: %s %d", &entry, &number); n == 2 && err == nil {
			j[number] = append(j[number], entry)
		}
	}
	return j
}

// missing says what the journal lacks for a program that has issued these
// numbers and is done: "" for nothing.
func (j journal) missing(issued ...int) string {
	for _, n := range issued {
		if !slices.Contains(j[n], "issued") {
			return fmt.Sprintf("invoice %d was answered with 201 and has no entry \"issued\"", n)
		}
	}
	return ""
}

// unaccounted says in words which issued invoices were neither mailed nor handed
// back: "" for none.
func (j journal) unaccounted() string {
	open := 0
	for _, entries := range j {
		if slices.Contains(entries, "issued") && !slices.Contains(entries, "mailed") && !slices.Contains(entries, "unsent") {
			open++
		}
	}
	switch {
	case open == 0:
		return ""
	case open == 1:
		return "an invoice was issued, and is neither mailed nor unsent"
	default:
		return "several invoices were issued, and are neither mailed nor unsent"
	}
}
