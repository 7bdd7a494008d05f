package exam

import (
	"fmt"
	"math"
	"net/http"
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
// that of a second, and just before the end of the window.
func neverMore(c *exam.C) {
	border := begin(0.6)
	a, b := pair(c)
	half, split, second := newCustomer(c), newCustomer(c), newCustomer(c)
	late := []*customer{newCustomer(c), newCustomer(c), newCustomer(c)}
	start := time.Now()
	forgets := ""
	c.Parallel(
		func() { // all at once, and some more in the middle
			half.fill(limit, a, b)
			until(start.Add(part(0.5)))
			half.attempt(2, b)
		},
		func() { sendLate(late[0], 0, a, b) },
		func() { sendLate(late[1], part(0.065), a, b) },
		func() { sendLate(late[2], part(0.13), a, b) },
		func() { // one at first, the rest just before the border, and again a window after the first
			split.fill(1, a)
			until(border.Add(-part(0.1)))
			split.attempt(limit-1, b)
			forgets = shortLived(split)
			until(start.Add(part(1.05)))
			split.attempt(limit, a)
		},
		func() { // at the end of a second, and at the beginning of the second but one
			full := start.Add(150 * time.Millisecond).Truncate(time.Second).Add(time.Second)
			until(full.Add(-150 * time.Millisecond))
			second.fill(limit, a, b)
			until(full.Add(time.Second + 50*time.Millisecond))
			second.attempt(2, a)
		})
	half.orTooMany(exam.Finding{
		Did:      fmt.Sprintf("sent %d messages at once, and 2 more when half of the window of %s had passed", limit, window),
		Expected: fmt.Sprintf("%d accepted, the other 2 refused: a window has not passed since", limit),
		Saw:      "%d accepted within a stretch shorter than the window. The limit seems to fill up again little by little: then a burst is allowed, and what has come in meanwhile on top",
	})
	split.orTooMany(exam.Finding{
		Did:      fmt.Sprintf("sent 1 message, %d more somewhat later, and %d when just more than the window of %s had passed since the first", limit-1, limit, window),
		Expected: fmt.Sprintf("1 of the last %d is accepted, in the place of the first: the window reaches back from each message", limit),
		Saw:      "%d accepted within a stretch shorter than the window, around a moment at which " + forgets,
	})
	second.orTooMany(exam.Finding{
		Did:      fmt.Sprintf("sent %d messages at the end of a second of the clock, and 2 more 1.2 s later, at the beginning of a second", limit),
		Expected: fmt.Sprintf("%d accepted, the other 2 refused: a window of %s has not passed since", limit, window),
		Saw:      "%d accepted within a stretch shorter than the window: the time seems to be counted in whole seconds",
	})
	for _, cu := range late {
		cu.orTooMany(exam.Finding{
			Did:      fmt.Sprintf("sent %d messages at once, and one more after 65, 80, 90 and 97 %% of the window of %s", limit, window),
			Expected: fmt.Sprintf("%d accepted, the others refused: a window has not passed since", limit),
			Saw:      "%d accepted within a stretch shorter than the window: what was accepted stops counting too early",
		})
	}
}

// sendLate sends all at once, and some more towards the end of the window. It
// begins after a pause, since a program that counts in parts of a window is wrong
// by another amount at each moment.
func sendLate(cu *customer, pause time.Duration, a, b *exam.Client) {
	time.Sleep(pause)
	cu.fill(limit, a, b)
	for _, at := range []float64{0.65, 0.8, 0.9, 0.97} {
		until(cu.sent[0].from.Add(part(at)))
		cu.send(b)
	}
}

// orTooMany fails the check with f, whose Saw has a place for their number, when
// too many messages were accepted.
func (cu *customer) orTooMany(f exam.Finding) {
	if m := cu.tooMany(); m != nil {
		f.Saw = fmt.Sprintf(f.Saw, len(m))
		cu.c.Fail(f)
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

// neverLess waits until a window has passed: in silence, since a part of the
// messages, after one that was refused, and with many that are refused.
func neverLess(c *exam.C) {
	begin(0.6)
	a, b := pair(c)
	quiet, half, once, busy := newCustomer(c), newCustomer(c), newCustomer(c), newCustomer(c)
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
			half.fill(1, a)
			until(half.sent[0].to.Add(part(0.5)))
			half.fill(limit-1, a, b)
			again(half, half.sent[0])
		},
		func() {
			once.fill(limit, a, b)
			until(once.sent[0].to.Add(part(0.6)))
			once.attempt(2, a, b)
			again(once, once.sent[limit-1])
		},
		func() {
			busy.fill(limit, a, b)
			for range 15 {
				busy.send(b)
				time.Sleep(part(0.06)) // between two attempts
			}
			again(busy, busy.sent[limit-1])
		})
	quiet.orWrongly(exam.Finding{
		Did:      fmt.Sprintf("sent %d messages, waited until more than the window of %s had passed since the last one, and sent %d again", limit, window, limit),
		Expected: "all are accepted: what is older than the window does not count",
		Saw:      "one was refused, although fewer than %d had been accepted in the window before it: the program estimates, or counts longer than the window",
	})
	half.orWrongly(exam.Finding{
		Did:      fmt.Sprintf("sent 1 message, %d more half a window later, and %d when more than the window of %s had passed since the first", limit-1, limit, window),
		Expected: "one of these is accepted, in the place of the first, which is older than the window",
		Saw:      "none was, although fewer than %d had been accepted in the window before: what is too old still counts as long as something newer is there",
	})
	remembered := exam.Finding{
		Did:      fmt.Sprintf("sent %d messages, 2 more at 60 %% of the window of %s, which were refused, and %d when it had passed", limit, window, limit),
		Expected: "these are accepted: what was accepted is older than the window, and a refused message does not count",
		Saw:      "refused, although fewer than %d had been accepted in the window before: a refusal is remembered for longer than there is a reason for it",
	}
	if once.accepted() == limit { // if more were, the refused ones have been counted
		once.orWrongly(remembered)
	}
	busy.orWrongly(exam.Finding{
		Did:      fmt.Sprintf("sent %d messages, went on for the whole window of %s although they were refused, and sent %d when it had passed", limit, window, limit),
		Expected: "these are accepted: a refused message does not count",
		Saw:      "one was refused, although fewer than %d had been accepted in the window before it. Without the messages that were refused meanwhile, it comes out right",
		Why:      "A client that retries too eagerly is locked out for as long as it retries, and that is how clients behave that nobody looks after.",
		Read:     lesson + "what-stays-behind",
	})
	once.orWrongly(remembered)
}

// orWrongly fails the check with f, whose Saw has a place for the limit, when a
// message was refused without a reason.
func (cu *customer) orWrongly(f exam.Finding) {
	if cu.wrongly() {
		f.Saw = fmt.Sprintf(f.Saw, cu.limit)
		cu.c.Fail(f)
	}
}

// takeSettings starts one more instance, with a limit and a window of its own.
func takeSettings(c *exam.C) {
	other, long := c.Int(2, limit-1)+c.Int(0, 1)*limit, 1500*time.Millisecond
	run := c.Run(patience, "RATE_LIMIT="+strconv.Itoa(other), "RATE_WINDOW="+long.String())
	with := fmt.Sprintf("with RATE_LIMIT=%d and RATE_WINDOW=%s", other, long)
	c.Require(run.Listened, exam.Finding{Did: "started the program " + with, Expected: "it listens", Saw: "it does not"})
	cl := c.Client("E", exam.ToInstance(run.Instance))
	cu := newCustomer(c)
	cu.limit, cu.window = other, long
	for i := range other {
		r := cu.send(cl).response
		r.Want(http.StatusAccepted, exam.Did(fmt.Sprintf("message %d of a customer, %s", i+1, with)))
		r.WantHeader("X-RateLimit-Limit", strconv.Itoa(other), exam.Did("a message of a customer, "+with))
	}
	until(cu.sent[0].from.Add(long * 8 / 10))
	cu.send(cl)
	until(cu.sent[other-1].to.Add(long + 3*tolerance))
	cu.send(cl)
	cu.orTooMany(exam.Finding{
		Did:      fmt.Sprintf("sent %d messages, and one more 1.2 s later, %s", other, with),
		Expected: fmt.Sprintf("%d accepted: a window of 1.5 s has not passed since", other),
		Saw:      "%d accepted",
	})
	cu.orWrongly(exam.Finding{
		Did:      fmt.Sprintf("sent %d messages, and one more when 1.5 s had passed since the last one, %s", other, with),
		Expected: "it is accepted",
		Saw:      "it was refused, although fewer than %d had been accepted in the window before it",
	})
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
				faults[i] = wrongWait(early, b, fmt.Sprintf("when %.0f %% of the window of %s had passed since the %d in it", at*100, window, limit))
			}
		},
		func() {
			late.fill(1, a)
			until(late.sent[0].to.Add(part(0.6)))
			late.fill(limit-1, a, b)
			faults[3] = wrongWait(late, b, fmt.Sprintf("when 60 %% of the window of %s had passed since the oldest in it, and nothing since the newest", window))
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
func wrongWait(cu *customer, cl *exam.Client, when string) *exam.Finding {
	m := cu.send(cl)
	oldest := cu.sent[0]
	if m.accepted || oldest.unseen {
		return nil // the machine was slow
	}
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
	case given > int(window/time.Second)+1:
		saw = "a number larger than the whole window: Retry-After is in seconds"
	default:
		saw += ". It would have been accepted a second earlier, or more"
	}
	return &exam.Finding{
		Did:      "sent a message too many, " + when,
		Expected: fmt.Sprintf("Retry-After: %d, the smallest whole number of seconds after which one is accepted", most),
		Saw:      saw,
	}
}
