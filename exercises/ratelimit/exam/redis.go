package exam

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

func leaveNothing(c *exam.C) {
	a, b := pair(c)
	r := c.Redis()
	gone, steady := newCustomer(c), newCustomer(c)
	steady.window = time.Second
	run := c.Run(patience, "RATE_WINDOW="+steady.window.String())
	c.Require(run.Listened, exam.Finding{Did: "started the program with RATE_WINDOW=1s", Expected: "it listens", Saw: "it does not"})
	own := c.Client("E", exam.ToInstance(run.Instance))
	var first, later int64
	c.Parallel(
		func() {
			gone.fill(limit, a, b)
			keys := wantExpiry(gone, "right after the last message")
			before := usage(r, keys)
			refuse(gone, b, 40)
			after := r.Keys(pattern(gone.name))
			c.Require(len(after) <= len(keys) && usage(r, after) <= before+16 || gone.accepted() > limit, exam.Finding{
				Did:      "sent 40 messages that were refused",
				Expected: "Redis holds no more of this customer than before",
				Saw:      "it holds more: something is noted of refused messages too",
				Why:      "The limit is there for those who send too much. Here they decide how much memory it takes.",
			})
			wantExpiry(gone, "after 40 messages that were refused")
			for at := 0.5; at < 0.95; at += 0.1 { // and go on, so that an expiry that is set anew shows
				until(gone.sent[0].from.Add(part(at)))
				gone.send(a)
			}
			wantGone(gone)
		},
		func() { // now two, now three, so that the key never expires
			start := time.Now()
			for i := range 7 {
				until(start.Add(time.Duration(i) * (steady.window/2 + 2*tolerance)))
				steady.attempt(2+i%2, own)
				later = usage(r, r.Keys(pattern(steady.name)))
				if i == 1 {
					first = later
				}
			}
		})
	c.Require(later <= 2*first+64, exam.Finding{
		Did:      fmt.Sprintf("sent %d messages in each %s, for more than three times as long", limit, steady.window),
		Expected: "Redis holds no more of this customer than the window needs",
		Saw:      "it holds more each time: what is older than the window is never removed while the customer goes on",
	})
}

// refuse sends n messages at once, or fewer on a slow machine: they should be
// over before the window is.
func refuse(cu *customer, cl *exam.Client, n int) {
	for range n {
		if time.Since(cu.sent[0].from) > part(0.45) {
			return
		}
		cu.rush(cl)
	}
}

// wantGone waits until nothing of the customer is left.
func wantGone(cu *customer) {
	r := cu.c.Redis()
	end := cu.last().Add(window + time.Second + 500*time.Millisecond)
	for {
		left := r.Keys(pattern(cu.name))
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			cu.c.Fail(exam.Finding{
				Did:      fmt.Sprintf("waited for the window of %s and a second more, after the last message that was accepted", window),
				Expected: "nothing of this customer is left in Redis",
				Saw:      "something is. (Messages that were refused had come until shortly before the window was over)",
			})
		}
		time.Sleep(20 * time.Millisecond) // between two looks
	}
}

// wantExpiry fails unless the customer has keys, all keys of the program are
// where the task wants them, and each of the customer's expires in time.
func wantExpiry(cu *customer, when string) []string {
	r := cu.c.Redis()
	for _, key := range r.Keys("*") {
		if !strings.HasPrefix(key, "ratelimit:") {
			cu.c.Fail(exam.Finding{
				Did: "looked at all keys in Redis", Expected: "each begins with ratelimit: and the customer's name",
				Saw: fmt.Sprintf("a key %q", key),
				Why: "Whoever looks for memory in Redis, or for the mistake, has nothing but the names of the keys.",
			})
		}
	}
	keys := r.Keys(pattern(cu.name))
	cu.c.Require(len(keys) > 0, exam.Finding{
		Did:      "looked for the keys of customer " + cu.name + ", " + when,
		Expected: "a key ratelimit:" + cu.name + ", which may go on after that",
		Saw:      "none",
	})
	for _, key := range keys {
		ttl := r.TTL(key)
		if ttl == exam.NoKey || ttl > 0 && ttl <= window+time.Second {
			continue
		}
		saw := fmt.Sprintf("%s expires later than that", key)
		if ttl == exam.NoExpiry {
			saw = key + " never expires"
		}
		cu.c.Fail(exam.Finding{
			Did:      "looked at the keys of customer " + cu.name + ", " + when,
			Expected: fmt.Sprintf("each expires within %s: the window, and at most a second more", window+time.Second),
			Saw:      saw,
		})
	}
	return keys
}

// usage is the memory that keys take, in bytes.
func usage(r *exam.Redis, keys []string) (bytes int64) {
	for _, key := range keys {
		bytes += r.Int("MEMORY", "USAGE", key, "SAMPLES", 0)
	}
	return bytes
}

// goByRedis sends the first message by a long way: it is decided late, and so it
// counts for longer than the instance that has sent it would think. Another
// customer does the same without the long way, so that a program is not blamed
// for its clock that gets this wrong anyway.
func goByRedis(c *exam.C) {
	const held = 500 * time.Millisecond
	a, near, far := c.Client("A", exam.To(first)), c.Client("B", exam.To(second)), c.Client("C", exam.To(distant))
	newCustomer(c).send(far) // so that its connection stands
	cu, control := newCustomer(c), newCustomer(c)
	faults := c.RedisFaults(distant)
	before := faults.Bites()[0].Delayed
	faults.Delay(held)
	sent := time.Now()
	c.Parallel(
		func() {
			cu.sendHeld(far, held).response.Want(http.StatusAccepted)
		},
		func() {
			until(sent.Add(held))
			control.fill(1, near)
		})
	faults.Delay(0)
	if faults.Bites()[0].Delayed == before {
		return // decided without Redis; other checks look at that
	}
	cu.fill(limit-1, a)
	control.fill(limit-1, near)
	until(sent.Add(window + held/2))
	cu.send(a)
	control.send(near)
	if cu.tooMany() == nil || control.tooMany() != nil {
		return
	}
	c.Fail(exam.Finding{
		Did: fmt.Sprintf("sent a message through an instance whose commands take %s to Redis, %d more through another, and one more %s after the first had been sent",
			held, limit-1, window+held/2),
		Expected: fmt.Sprintf("the last one is refused: Redis decided about the first %s after it was sent, and a window of %s has not passed since", held, window),
		Saw:      fmt.Sprintf("accepted: %d within a stretch shorter than the window. The first was counted from the moment at which its instance sent it, by the clock of that instance", limit+1),
	})
}
