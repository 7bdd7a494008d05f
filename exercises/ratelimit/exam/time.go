package exam

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// part is so much of a window.
func part(f float64) time.Duration { return time.Duration(f * float64(window)) }

// begin waits until the next border of windows as the clock has them is at least
// so much of a window away, and returns it. Programs that count in such windows,
// or in seconds, then come out the same every time.
func begin(ahead float64) (border time.Time) {
	border = time.Now().Truncate(window).Add(window)
	if time.Until(border) < part(ahead) {
		until(border)
		border = border.Add(window)
	}
	return border
}

// neverMore sends around every border that a program may have drawn: that of a
// window counted from the first message, that of windows as the clock has them,
// and that of a second.
func neverMore(c *exam.C) {
	border := begin(0.6)
	a, b := pair(c)
	split, even, second := newCustomer(c), newCustomer(c), newCustomer(c)
	start := time.Now()
	forgets := ""
	c.Parallel(
		func() { // one at first, the rest just before the border, and again a window after the first
			split.fill(1, a)
			until(border.Add(-part(0.1)))
			split.attempt(limit-1, b)
			forgets = shortLived(split)
			until(start.Add(part(1.05)))
			split.attempt(limit, a)
		},
		func() { // all at once, and some more in the middle
			even.fill(limit, a, b)
			until(start.Add(part(0.5)))
			even.attempt(2, b)
		},
		func() { // at the end of a second, and at the beginning of the second but one
			full := start.Add(150 * time.Millisecond).Truncate(time.Second).Add(time.Second)
			until(full.Add(-150 * time.Millisecond))
			second.fill(limit, a, b)
			until(full.Add(time.Second + 50*time.Millisecond))
			second.attempt(2, a)
		})
	if m := even.tooMany(); m != nil {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("sent %d messages at once, and 2 more when half of the window of %s had passed", limit, window),
			Expected: fmt.Sprintf("%d accepted, the other 2 refused: a window has not passed since", limit),
			Saw:      fmt.Sprintf("%d accepted within a stretch shorter than the window. The limit seems to fill up again little by little: then a burst is allowed, and what has come in meanwhile on top", len(m)),
		})
	}
	if m := split.tooMany(); m != nil {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("sent 1 message, %d more somewhat later, and %d when just more than the window of %s had passed since the first", limit-1, limit, window),
			Expected: fmt.Sprintf("1 of the last %d is accepted, in the place of the first: the window reaches back from each message", limit),
			Saw:      fmt.Sprintf("%d accepted within a stretch shorter than the window, around a moment at which %s", len(m), forgets),
		})
	}
	if m := second.tooMany(); m != nil {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("sent %d messages at the end of a second of the clock, and 2 more 1.2 s later, at the beginning of a second", limit),
			Expected: fmt.Sprintf("%d accepted, the other 2 refused: a window of %s has not passed since", limit, window),
			Saw:      fmt.Sprintf("%d accepted within a stretch shorter than the window: the time seems to be counted in whole seconds", len(m)),
		})
	}
}

// shortLived tells how a program that counts anew all at once comes to do so: a
// log whose expiry is that of its first entry, or a number with an end.
func shortLived(cu *customer) string {
	r := cu.c.Redis()
	for _, key := range r.Keys(pattern(cu.name)) {
		if kind := r.Text("TYPE", key); kind != "string" && r.TTL(key) < part(0.9) {
			return "the key goes with all that is in it: it expires before its newest entry is as old as the window"
		}
	}
	return "the program forgets all at once and begins to count anew"
}

// neverLess waits until a window has passed: in silence, with messages that are
// refused, and since a part of the messages.
func neverLess(c *exam.C) {
	begin(0.6)
	a, b := pair(c)
	quiet, busy, half := newCustomer(c), newCustomer(c), newCustomer(c)
	again := func(cu *customer, since message) {
		until(since.to.Add(window + 3*tolerance))
		cu.attempt(limit, a, b)
	}
	c.Parallel(
		func() {
			quiet.fill(limit, a, b)
			again(quiet, quiet.sent[limit-1])
		},
		func() {
			busy.fill(limit, a, b)
			last := busy.sent[limit-1]
			for range 15 {
				busy.send(b)
				time.Sleep(part(0.06)) // between two attempts
			}
			again(busy, last)
		},
		func() {
			half.fill(1, a)
			until(half.sent[0].to.Add(part(0.5)))
			half.fill(limit-1, a, b)
			again(half, half.sent[0])
		})
	if _, before, ok := quiet.wrongly(); ok {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("sent %d messages, waited until more than the window of %s had passed since the last one, and sent %d again", limit, window, limit),
			Expected: "all are accepted: what is older than the window does not count",
			Saw:      fmt.Sprintf("one was refused, although at most %d had been accepted in the window before it: the program estimates, or counts longer than the window", before),
		})
	}
	if _, before, ok := half.wrongly(); ok {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("sent 1 message, %d more half a window later, and %d when more than the window of %s had passed since the first", limit-1, limit, window),
			Expected: "one of these is accepted, in the place of the first, which is older than the window",
			Saw:      fmt.Sprintf("none was, although only %d had been accepted in the window before: what is too old still counts as long as something newer is there", before),
		})
	}
	if _, before, ok := busy.wrongly(); ok {
		c.Fail(exam.Finding{
			Did:      fmt.Sprintf("sent %d messages, went on for the whole window of %s although they were refused, and sent %d when it had passed", limit, window, limit),
			Expected: "these are accepted: a refused message does not count",
			Saw:      fmt.Sprintf("one was refused, although at most %d had been accepted in the window before it. Without the messages that were refused meanwhile, it comes out right", before),
			Why:      "A client that retries too eagerly is locked out for as long as it retries, and that is how clients behave that nobody looks after.",
			Read:     lesson + "what-stays-behind",
		})
	}
}

func tellWait(c *exam.C) {
	a, b := pair(c)
	early, late := newCustomer(c), newCustomer(c)
	var faults [4]*exam.Finding
	c.Parallel(
		func() {
			early.fill(limit, a, b)
			start := early.sent[0].to
			for i, at := range []float64{0.05, 0.35, 0.7} {
				until(start.Add(part(at)))
				faults[i] = wrongWait(early, b)
			}
		},
		func() {
			late.fill(1, a)
			until(late.sent[0].to.Add(part(0.6)))
			late.fill(limit-1, a, b)
			faults[3] = wrongWait(late, b)
		})
	for _, f := range faults {
		if f != nil {
			c.Fail(*f)
		}
	}
}

// wrongWait sends a message that is refused, and looks at Retry-After, which
// counts from the oldest message that is still in the window. It returns what is
// wrong with it, or nil.
func wrongWait(cu *customer, cl *exam.Client) *exam.Finding {
	m := cu.send(cl)
	if m.accepted {
		return nil // the machine was slow, and the window has passed
	}
	oldest, newest := cu.sent[0], cu.sent[limit-1]
	seconds := func(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
	least := seconds(oldest.from.Add(window).Sub(m.to) - tolerance)
	most := seconds(oldest.to.Add(window).Sub(m.from) + tolerance)
	given, err := strconv.Atoi(m.response.Header.Get("Retry-After"))
	if err == nil && given >= least && given <= most {
		return nil
	}
	saw := "Retry-After: " + m.response.Header.Get("Retry-After")
	switch {
	case err != nil:
	case given < least:
		saw += ". After that time the message would be refused once more"
	default:
		saw += ". It would have been accepted a second earlier, or more"
	}
	return &exam.Finding{
		Did: fmt.Sprintf("sent a message too many. Of the %d in the window, the oldest leaves it in %.1f s, the newest in %.1f s",
			limit, oldest.to.Add(window).Sub(m.from).Seconds(), newest.to.Add(window).Sub(m.from).Seconds()),
		Expected: fmt.Sprintf("Retry-After: %d, the smallest whole number of seconds after which one is accepted", most),
		Saw:      saw,
	}
}
