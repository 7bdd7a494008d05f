package exam

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// tolerance is how exact the task wants a program to be about the end of a
// window.
const tolerance = 10 * time.Millisecond

// customer sends messages and remembers when, and what came of them. Its methods
// may be called side by side.
type customer struct {
	c      *exam.C
	name   string
	limit  int
	window time.Duration

	mu   sync.Mutex
	sent []message
}

// message is one that a customer has sent. When it was decided nobody but the
// program knows: no earlier than from, no later than to.
type message struct {
	from, to time.Time
	accepted bool
	unseen   bool // accepted after a second in vain: on a busy machine, Redis may take that long
	response *exam.Response
}

func newCustomer(c *exam.C) *customer { return named(c, c.Unique("acme")) }

func named(c *exam.C, name string) *customer {
	return &customer{c: c, name: name, limit: limit, window: window}
}

// calm lies between two messages of a customer in no hurry: what goes wrong only
// in a rush belongs to the check that makes one.
const calm = 3 * time.Millisecond

// send sends one message, in no hurry. It fails the check unless the answer is a
// decision: 202 or 429, made with the help of Redis.
func (cu *customer) send(cl *exam.Client) message {
	time.Sleep(calm)
	return cu.rush(cl)
}

// rush is send at once.
func (cu *customer) rush(cl *exam.Client) message { return cu.sendHeld(cl, 0) }

// sendHeld is rush by way of a connection that holds every command for so long.
func (cu *customer) sendHeld(cl *exam.Client, held time.Duration) message {
	m := message{from: time.Now().Add(held)}
	r := cu.post(cl)
	m.to, m.response, m.accepted = time.Now(), r, r.Status == http.StatusAccepted
	r.WantOneOf([]int{http.StatusAccepted, http.StatusTooManyRequests})
	if r.Header.Get("X-RateLimit-Remaining") == "" {
		m.unseen = m.accepted && r.Duration >= 9*time.Second/10
		cu.c.Require(m.unseen, cu.undecided(r))
	}
	cu.mu.Lock()
	defer cu.mu.Unlock()
	cu.sent = append(cu.sent, m)
	return m
}

// undecided is what to say of an answer without X-RateLimit-Remaining.
func (cu *customer) undecided(r *exam.Response) exam.Finding {
	if r.Status == http.StatusTooManyRequests {
		return exam.Finding{
			Did: cu.did(r), Expected: "X-RateLimit-Remaining: 0", Saw: said(r),
			Read: lesson + "tell-them-when-to-come-back",
		}
	}
	return exam.Finding{
		Did:      cu.did(r),
		Expected: "an answer with X-RateLimit-Remaining: Redis is there, and answers",
		Saw:      said(r) + ", as if Redis could not be asked" + lastError(cu.c),
		Why:      "A gateway that takes a mistake of its own for an outage of Redis accepts everything from then on, and its limit is gone without an alarm.",
		Read:     lesson + "without-redis",
	}
}

func (cu *customer) post(cl *exam.Client) *exam.Response {
	return cl.Post("/messages", map[string]string{"to": "+49 30 901820", "text": "Your parcel is at the door."},
		exam.Header("X-Customer", cu.name))
}

// fill sends as many messages as are allowed, by turns to the given instances,
// and fails the check unless all are accepted.
func (cu *customer) fill(n int, to ...*exam.Client) {
	for i := range n {
		m := cu.send(to[i%len(to)])
		m.response.Want(http.StatusAccepted,
			exam.Did(fmt.Sprintf("sent message %d of a customer that had sent none in the last %s", i+1, cu.window)),
			exam.Expected(fmt.Sprintf("202: the limit is %d", cu.limit)))
	}
}

// attempt sends n messages by turns to the given instances, whatever comes of
// them.
func (cu *customer) attempt(n int, to ...*exam.Client) {
	for i := range n {
		cu.send(to[i%len(to)])
	}
}

func (cu *customer) did(r *exam.Response) string {
	return r.Did() + fmt.Sprintf(", as customer %q", cu.name)
}

func (cu *customer) accepted() (n int) {
	for _, m := range cu.sent {
		if m.accepted {
			n++
		}
	}
	return n
}

// last returns when the last message was accepted, at the latest.
func (cu *customer) last() (at time.Time) {
	for _, m := range cu.sent {
		if m.accepted && m.to.After(at) {
			at = m.to
		}
	}
	return at
}

// tooMany returns the accepted messages of a stretch that is surely shorter than
// the window, if they are more than the limit, else nil. Since only bounds are
// known of the moment of each decision, it blames nobody for a slow machine.
func (cu *customer) tooMany() []message {
	accepted := slices.DeleteFunc(slices.Clone(cu.sent), func(m message) bool { return !m.accepted || m.unseen })
	slices.SortFunc(accepted, func(a, b message) int { return a.to.Compare(b.to) })
	for i := range accepted {
		// Those decided for sure between the earliest moment of i and a window later.
		stretch := slices.DeleteFunc(slices.Clone(accepted), func(m message) bool {
			return m.from.Before(accepted[i].from) || m.to.Sub(accepted[i].from) > cu.window-tolerance
		})
		if len(stretch) > cu.limit {
			return stretch
		}
	}
	return nil
}

// wrongly tells whether a message was refused that surely had fewer accepted ones
// than the limit in the window before it.
func (cu *customer) wrongly() bool {
	for _, m := range cu.sent {
		before := 0
		for _, a := range cu.sent {
			if a.accepted && m.from.Sub(a.to) < cu.window+tolerance && a.from.Before(m.to) {
				before++
			}
		}
		if !m.accepted && before < cu.limit {
			return true
		}
	}
	return false
}

// said is an answer in short, and whether it lacks what a decision has.
func said(r *exam.Response) string {
	text := r.String()
	if r.Status == http.StatusAccepted {
		text = "202"
	}
	if r.Header.Get("X-RateLimit-Remaining") == "" {
		text += ", without X-RateLimit-Remaining"
	}
	return text
}

// pair are two clients, one at each of the first two instances.
func pair(c *exam.C) (a, b *exam.Client) {
	return c.Client("A", exam.To(first)), c.Client("B", exam.To(second))
}

// lastError is what Redis has answered last, after a semicolon, if that was an
// error, else "".
func lastError(c *exam.C) string {
	commands := work(c.Commands())
	if len(commands) == 0 || commands[len(commands)-1].Err == "" {
		return ""
	}
	cmd := commands[len(commands)-1]
	return fmt.Sprintf("; Redis answered %s with an error: %s", cmd.Name, cmd.Err)
}

// until waits for a moment.
func until(at time.Time) { time.Sleep(time.Until(at)) }
