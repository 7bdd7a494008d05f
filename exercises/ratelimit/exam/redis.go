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
	cu := newCustomer(c)
	cu.fill(limit, a, b)
	keys := wantExpiry(cu, "right after the last message")
	before := usage(r, keys)
	for range 50 {
		cu.send(b)
	}
	cu.c.Require(usage(r, r.Keys(pattern(cu.name))) <= before+200, exam.Finding{
		Did:      "sent 50 messages that were refused",
		Expected: "Redis holds no more of this customer than before",
		Saw:      "it holds more: refused messages are noted too",
		Why:      "The limit is there for those who send too much. Here they decide how much memory it takes.",
	})
	wantExpiry(cu, "after 50 messages that were refused")
	last := cu.sent[limit-1].to
	end := last.Add(window + time.Second + 500*time.Millisecond)
	for {
		left := r.Keys(pattern(cu.name))
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			c.Fail(exam.Finding{
				Did:      fmt.Sprintf("waited for the window of %s and a second more, after the last message that was accepted", window),
				Expected: "nothing of this customer is left in Redis",
				Saw:      fmt.Sprintf("%d key(s) are still there", len(left)),
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
