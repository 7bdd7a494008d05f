package exam

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
	"github.com/cairn-learn/cairn/grader/wire"
)

func accepts(c *exam.C) {
	begin(0.15)
	a, _ := pair(c)
	r := a.Post("/messages", map[string]string{"to": "+49 30 123456", "text": c.Words(2)})
	refusal(c, r.Want(http.StatusBadRequest, exam.Did(r.Did()+", without X-Customer")))

	cu := newCustomer(c)
	ids := map[string]bool{}
	for left := limit - 1; left >= 0; left-- {
		r := cu.send(a).response
		r.Want(http.StatusAccepted, exam.Did(cu.did(r)+fmt.Sprintf(", message %d of %d", limit-left, limit))).WantType("application/json")
		id, _ := r.Object()["id"].(string)
		c.Require(id != "" && !ids[id], exam.Finding{Did: cu.did(r), Expected: `an "id" that no other message has`, Saw: r.String()})
		ids[id] = true
		wantHeaders(c, cu, r, left)
	}
	r = cu.send(a).response
	r.Want(http.StatusTooManyRequests, exam.Did(cu.did(r)+fmt.Sprintf(", message %d of %d", limit+1, limit)))
	refusal(c, r)
	wantHeaders(c, cu, r, 0)
	if n, err := strconv.Atoi(r.Header.Get("Retry-After")); err != nil || n < 0 {
		r.WantHeader("Retry-After", "a whole number of seconds")
	}
}

// wantHeaders looks at the two headers of a decision.
func wantHeaders(c *exam.C, cu *customer, r *exam.Response, left int) {
	r.WantHeader("X-RateLimit-Limit", strconv.Itoa(limit), exam.Did(cu.did(r)))
	r.WantHeader("X-RateLimit-Remaining", strconv.Itoa(left), exam.Did(cu.did(r)+
		fmt.Sprintf(", after %d that were accepted", cu.accepted()-accepted(r))))
}

func accepted(r *exam.Response) int {
	if r.Status == http.StatusAccepted {
		return 1
	}
	return 0
}

// refusal fails unless the answer says in JSON what is wrong.
func refusal(c *exam.C, r *exam.Response) {
	r.WantType("application/json")
	text, ok := r.Object()["error"].(string)
	c.Require(ok && strings.TrimSpace(text) != "", exam.Finding{
		Did: r.Did(), Expected: `a JSON object whose "error" says what is wrong`, Saw: r.String(),
		Why: "A status is for programs. Whoever looks for the mistake in their own needs a sentence.",
	})
}

func countTogether(c *exam.C) {
	begin(0.15)
	a, b := pair(c)
	cu := newCustomer(c)
	cu.attempt(limit+1, a, b)
	if cu.accepted() == limit && !cu.sent[limit].accepted {
		uniqueIDs(c)
		return
	}
	f := exam.Finding{
		Did:      fmt.Sprintf("sent %d messages of one customer, by turns to two instances", limit+1),
		Expected: fmt.Sprintf("%d accepted, the last one refused: RATE_LIMIT is %d", limit, limit),
		Saw:      fmt.Sprintf("%d accepted", cu.accepted()),
	}
	if len(work(c.Commands())) == 0 {
		f.Saw += ", and nothing was asked of Redis: each instance counts what it has accepted itself"
		f.Detail = "This is the place to begin. Let decide count in Redis, which all instances share, under a key for each customer."
	} else if n := len(c.Redis().Keys(pattern(cu.name))); n > 1 {
		f.Saw += fmt.Sprintf(". Redis holds %d keys of this one customer: the instances do not count under the same", n)
	}
	c.Fail(f)
}

// uniqueIDs sends a message to each of the instances that have had none yet, and
// fails when two get the same id.
func uniqueIDs(c *exam.C) {
	cu := newCustomer(c)
	seen := map[any]bool{}
	for _, i := range []int{distant, unheard, severed} {
		id := cu.send(c.Client("C", exam.To(i))).response.Object()["id"]
		c.Require(!seen[id], exam.Finding{
			Did:      "sent a message to each of three instances, the first that they had",
			Expected: "another id for each",
			Saw:      "the same id twice",
			Why:      "The network answers with these ids. Two messages under one id are one to whoever asks what became of it.",
		})
		seen[id] = true
	}
}

// work are the commands that belong to no connection's start or health.
func work(commands []wire.Command) []wire.Command {
	return slices.DeleteFunc(commands, func(cmd wire.Command) bool { return cmd.Setup() || cmd.Name == "PING" })
}

// countApart tries names that are easily confused, or that mean something to a
// program that puts them where they do not belong.
func countApart(c *exam.C) {
	begin(0.15)
	a, b := pair(c)
	name, long := c.Unique("acme"), c.Unique("a-customer-whose-name-is-as-long-as-they-may-be-and")
	full := named(c, name)
	r := full.send(a).response
	r.Want(http.StatusAccepted, exam.Did("sent the first message of a customer, when another one had just reached the limit"),
		exam.Expected("202: what one customer has sent takes nothing from another"))
	full.fill(limit-1, b, a)
	names := []string{
		c.Unique("globex"), strings.ToUpper(name), name + " *", name + "_*", name + ":log", name + ":seq", name + ":1",
		"{" + name + "}[?]", name + `"'\\%d`, long + "1", long + "2",
	}
	before := scripts(c)
	for _, name := range names {
		begin(0.15)
		other := named(c, name)
		r := other.send(b).response
		r.Want(http.StatusAccepted, exam.Did(fmt.Sprintf("sent the first message of customer %q, after %d of %q and some of others", name, limit, full.name)))
		r.WantHeader("X-RateLimit-Remaining", strconv.Itoa(limit-1), exam.Did(other.did(r)+", its first message"))
		other.attempt(limit, b)
		c.Require(other.accepted() == limit, exam.Finding{
			Did:      fmt.Sprintf("sent %d messages of customer %q", limit+1, name),
			Expected: fmt.Sprintf("%d accepted", limit),
			Saw:      fmt.Sprintf("%d accepted", other.accepted()),
		})
		wantKey(c, name)
	}
	c.Require(scripts(c)-before < int64(len(names)), exam.Finding{
		Did:      fmt.Sprintf("sent messages of %d customers, and counted the scripts that Redis keeps", len(names)),
		Expected: "no more than before: one script serves all customers",
		Saw:      "one more for each customer: something of the customer is part of the script's text",
		Why:      "Redis keeps every script that it has seen, and a name that is put into a program can be a program. Keys and values are handed over in KEYS and ARGV.",
		Read:     lesson + "what-happens-in-between",
	})
}

// wantKey fails unless what Redis holds of the customer bears its name. A program
// that does not use Redis yet is told so by another check.
func wantKey(c *exam.C, name string) {
	keys := c.Redis().Keys("*")
	if len(keys) == 0 {
		return
	}
	for _, key := range keys {
		if strings.HasPrefix(key, "ratelimit:"+name) {
			return
		}
	}
	c.Fail(exam.Finding{
		Did:      fmt.Sprintf("looked for the keys of customer %q, right after its messages", name),
		Expected: fmt.Sprintf("a key %q, which may go on after that", "ratelimit:"+name),
		Saw:      "none",
		Why:      "Whoever looks for memory in Redis, or for a mistake, has nothing but the names of the keys.",
		Read:     lesson + "what-stays-behind",
	})
}

// scripts is how many scripts Redis keeps.
func scripts(c *exam.C) int64 {
	_, after, _ := strings.Cut(c.Redis().Text("INFO", "memory"), "number_of_cached_scripts:")
	n, err := strconv.ParseInt(strings.TrimSpace(strings.SplitN(after, "\n", 2)[0]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// askOnce counts commands: for messages that are accepted and for one that is
// refused.
func askOnce(c *exam.C) {
	a, _ := pair(c)
	newCustomer(c).send(a) // a new connection, or a script that Redis has not seen
	cu := newCustomer(c)
	before := len(work(c.Commands()))
	for range limit + 1 {
		m := cu.send(a)
		asked := answered(work(c.Commands())[before:])
		if len(asked) > 1 {
			failTwice(c, cu, m, asked)
		}
		before = len(work(c.Commands()))
	}
}

// answered leaves out what Redis has refused: a script that it did not know is
// sent again.
func answered(commands []wire.Command) []wire.Command {
	return slices.DeleteFunc(commands, func(cmd wire.Command) bool { return cmd.Err != "" })
}

func failTwice(c *exam.C, cu *customer, m message, asked []wire.Command) {
	names := make([]string, len(asked))
	for i, cmd := range asked {
		names[i] = cmd.Name
	}
	saw := fmt.Sprintf("%d commands: %s", len(asked), strings.Join(names, ", "))
	switch {
	case slices.Contains(names, "MULTI"):
		saw += ". MULTI keeps others out, but nothing in it can depend on what another command of it has found: the message is noted before it is known whether it may be sent"
	case has(names, "INCR", "INCRBY") && has(names, "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"):
		saw += ". A program that ends between the two leaves a counter that never expires, and that customer is refused for ever"
	case has(names, "GET", "MGET", "HGET", "HMGET", "HGETALL", "LLEN", "LRANGE", "LINDEX", "SCARD", "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE"):
		saw += ". Between looking and noting, another instance can look as well, and both see the last free place"
	}
	c.Fail(exam.Finding{
		Did:      cu.did(m.response),
		Expected: "at most one command to Redis (a script is one)",
		Saw:      saw,
	})
}

func has(names []string, any ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(any, n) })
}

// surviveBurst sends while Redis is busy, so that it has all commands before it
// when it goes on.
func surviveBurst(c *exam.C) {
	const n, pause = 40, 200 * time.Millisecond
	begin(0.4)
	a, b := pair(c)
	cu, warm := newCustomer(c), newCustomer(c)
	c.Burst(n, func(i int) { warm.rush([]*exam.Client{a, b}[i%2]) }) // so that all connections stand
	c.Redis().Do("CLIENT", "PAUSE", pause.Milliseconds(), "ALL")
	c.Note("Redis is busy for %s, and answers whatever has come in meanwhile in one go", pause)
	c.Burst(n, func(i int) { cu.rush([]*exam.Client{a, b}[i%2]) })
	did := fmt.Sprintf("sent %d messages of one customer at once, half of them to each of two instances, while Redis was busy for %s", n, pause)
	if got := cu.accepted(); got != limit {
		c.Fail(exam.Finding{
			Did:      did,
			Expected: fmt.Sprintf("%d accepted, %d refused", limit, n-limit),
			Saw:      "another number was accepted" + direction(got) + collided(cu, got),
		})
	}
	left := map[string]bool{}
	for _, m := range cu.sent {
		if m.accepted {
			left[m.response.Header.Get("X-RateLimit-Remaining")] = true
		}
	}
	c.Require(len(left) == limit, exam.Finding{
		Did:      did,
		Expected: fmt.Sprintf("X-RateLimit-Remaining is another number in each of the %d that were accepted, from %d down to 0", limit, limit-1),
		Saw:      "some have the same number: what is left was not counted in the moment of the decision",
		Why:      "Two callers who are both told that one is left will both send one.",
		Read:     lesson + "what-happens-in-between",
	})
}

func direction(got int) string {
	if got > limit {
		return ": more"
	}
	return ": fewer"
}

// collided looks for members of a sorted set that have replaced each other.
func collided(cu *customer, accepted int) string {
	r := cu.c.Redis()
	for _, key := range r.Keys(pattern(cu.name)) {
		if r.Text("TYPE", key) != "zset" {
			continue
		}
		if n := r.Int("ZCARD", key); n < int64(accepted) {
			return ". The sorted set in Redis has fewer members than messages were accepted: a member that is added again under the same name replaces the old one, and counts once"
		}
	}
	return ""
}

func surviveFlush(c *exam.C) {
	a, b := pair(c)
	newCustomer(c).fill(2, a, b)
	c.Redis().Do("SCRIPT", "FLUSH", "SYNC")
	c.Redis().Do("FUNCTION", "FLUSH", "SYNC")
	c.Note("Redis has forgotten all scripts and functions")
	for i, cl := range []*exam.Client{a, b} {
		cu := newCustomer(c)
		r := cu.post(cl)
		f := exam.Finding{
			Did:      fmt.Sprintf("sent a message to instance %d, after SCRIPT FLUSH and FUNCTION FLUSH", i+1),
			Expected: "202 with X-RateLimit-Remaining, as ever",
			Saw:      said(r) + lastError(c),
		}
		c.Require(r.Status == http.StatusAccepted && r.Header.Get("X-RateLimit-Remaining") != "", f)
	}
}

// acceptOnError lets Redis answer every write with an error.
func acceptOnError(c *exam.C) {
	a, _ := pair(c)
	newCustomer(c).send(a)
	r := c.Redis()
	r.Do("CONFIG", "SET", "min-replicas-to-write", 1)
	answer := newCustomer(c).post(a)
	r.Do("CONFIG", "SET", "min-replicas-to-write", 0)
	c.Require(answer.Status == http.StatusAccepted, exam.Finding{
		Did:      "sent a message while Redis had lost its replicas, and answered every write with NOREPLICAS",
		Expected: "202",
		Saw:      said(answer),
		Read:     lesson + "without-redis",
	})
	recovers(c, a, "Redis accepted writes again")
}

// pattern matches the keys of a customer whose name has no special characters.
func pattern(name string) string { return "ratelimit:" + name + "*" }
