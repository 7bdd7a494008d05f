package exam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// replay lets the world move on between an order and its retries.
func replay(c *exam.C) {
	a, clients, held := newAttempt(c), bothInstances(c), look(c)
	first := a.send(clients[0])
	id := a.placed(first)
	held.settled("a first request, answered with 201")
	c.DB().Exec(`update orders set status = 'shipped' where id = $1`, id)
	c.DB().Exec(`update items set price = price + 50 where name = $1`, a.item)
	c.Note("the order has been shipped meanwhile, and the item costs more")
	again := a.send(clients[0])
	if n := a.orders(); n != 1 {
		f := exam.Finding{Did: "sent one order twice, with the same user, key and body",
			Expected: "one order in the table orders", Saw: orderWords(n)}
		c.Fail(a.because(f))
	}
	held.settled("a retry through the same instance")
	a.same(first, again, "sent one order twice; in between it was shipped, and the price rose")
	other := a.send(clients[1])
	if n := a.orders(); n != 1 {
		f := exam.Finding{Did: "sent one order twice through one instance, and once more through the other",
			Expected: "one order in the table orders",
			Saw:      orderWords(n) + ". The instance that had taken the order knew the key; the other one did not. What is in the memory of a program, no other program sees, and none at all after a restart",
			Read:     lesson + "in-the-database"}
		c.Fail(f)
	}
	a.same(first, other, "sent one order through one instance and then through the other; in between it was shipped, and the price rose")
	a.retryLast(clients)
}

// retryLast makes sure that a newer order under another key does not change what
// is answered under the older one.
func (a attempt) retryLast(clients [2]*exam.Client) {
	next := a
	next.key = a.c.Unique("key")
	a.c.DB().Exec(`update items set price = $2 where name = $1`, a.item, a.price)
	first, second := a.send(clients[0]), next.send(clients[1])
	next.placed(second, exam.Did("sent the same order under another key, as somebody does who wants it twice"),
		exam.Why("Two keys are two orders. Whoever takes them for one, because the body is the same, refuses to sell."))
	a.count(2, exam.Finding{Did: "sent the same order under two keys"})
	a.same(first, a.send(clients[1]), "sent an order again after another one had been made")
	next.same(second, next.send(clients[0]), "sent an order again")
}

// same fails unless the answer is the first one again.
func (a attempt) same(first, again *exam.Response, did string) {
	f := exam.Finding{Did: did, Expected: "the first answer again, byte for byte: " + first.String()}
	if f.Saw = differs(first, again); f.Saw == "" {
		return
	}
	if again.Status >= http.StatusInternalServerError {
		f = because500(f, a.c)
	}
	a.c.Fail(f)
}

// differs says in words how an answer is not the first one again, "" when it is.
func differs(first, again *exam.Response) string {
	if first.Status != again.Status {
		saw := "the retry got " + again.String()
		if bytes.Equal(first.Body, again.Body) && first.Header.Get("Location") == again.Header.Get("Location") {
			saw += ". The body and Location are those of the first answer; only the status differs"
		}
		return saw
	}
	for _, name := range []string{"Location", "Content-Type"} {
		if was, is := first.Header.Get(name), again.Header.Get(name); was != is {
			if is == "" {
				return fmt.Sprintf("%d and the same body, but no %s: the first answer had %s", again.Status, name, was)
			}
			return fmt.Sprintf("%s was %s the first time, and is %s now", name, was, is)
		}
	}
	if bytes.Equal(first.Body, again.Body) {
		return ""
	}
	var was, is any
	if json.Unmarshal(first.Body, &was) != nil || json.Unmarshal(again.Body, &is) != nil {
		return "the retry got " + again.String()
	}
	if names := membersThatDiffer(was, is); names != "" {
		return "the retry got " + again.String() + "; what differs is " + names + ". That is the order as it is now; the first answer was not kept"
	}
	if bytes.Equal(bytes.TrimSpace(first.Body), bytes.TrimSpace(again.Body)) {
		return fmt.Sprintf("the same but for its end: the first answer had %d bytes, and now there are %d. What was kept is not what had been sent", len(first.Body), len(again.Body))
	}
	i := 0
	for i < min(len(first.Body), len(again.Body)) && first.Body[i] == again.Body[i] {
		i++
	}
	return fmt.Sprintf("the same JSON in other bytes: from byte %d on the first answer was %s, and now it is %s. What was stored is not the text but its meaning", i, near(first.Body, i), near(again.Body, i))
}

func near(body []byte, i int) string {
	if i >= len(body) {
		return "at its end"
	}
	return fmt.Sprintf("%q", body[i:min(len(body), i+12)])
}

func membersThatDiffer(was, is any) string {
	a, okA := was.(map[string]any)
	b, okB := is.(map[string]any)
	if !okA || !okB {
		return ""
	}
	var names []string
	for name, v := range a {
		if fmt.Sprint(v) != fmt.Sprint(b[name]) {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " and ")
}

// refuseOtherBody uses a key again, for something else.
func refuseOtherBody(c *exam.C) {
	a, clients, held := newAttempt(c), bothInstances(c), look(c)
	first := a.send(clients[0])
	a.placed(first)
	more := a
	more.quantity++
	for _, other := range []struct{ body, what string }{
		{more.body(), "another quantity"},
		{strings.Replace(a.body(), "}", `,"gift":true}`, 1), "one more field, which the service does not know"},
		{strings.Replace(a.body(), ":", ": ", 1), "one more space"},
		{a.body() + "\n", "a newline at its end"},
	} {
		for _, cl := range clients {
			r := cl.Post("/orders", other.body, a.headers()...)
			f := exam.Finding{
				Did:      fmt.Sprintf("sent %s, and then, with the same key, a body with %s: %s", a.body(), other.what, other.body),
				Expected: "422, and nothing changes", Saw: "the second request got " + r.String(),
			}
			if r.Status == first.Status && bytes.Equal(r.Body, first.Body) {
				f.Saw += ", which is the answer to the first. Nobody looked whether the bodies are the same"
				switch other.body {
				case more.body():
				case a.body() + "\n":
					f.Saw = "the second request got the answer to the first. What stands at the end of the body was not compared"
				default:
					f.Saw = "the second request got the answer to the first. The bodies were compared after decoding; in what was decoded, the difference is gone"
					f.Why = "A field that this version does not know may mean much to the client: gift wrapping, another address. Compared as they came, two bodies are never taken for one by mistake."
				}
			}
			c.Require(r.Status == http.StatusUnprocessableEntity, f)
			refusal(c, r, http.StatusUnprocessableEntity)
			held.settled("another body under the same key, answered with 422")
			a.count(1, exam.Finding{Did: f.Did})
		}
	}
	a.same(first, a.send(clients[1]), "sent the first body again, after other bodies had been refused under its key")
}

// keepUsersApart uses one key for two users, keys and names that look alike when
// they are put together, and such as differ in little.
func keepUsersApart(c *exam.C) {
	a, clients := newAttempt(c), bothInstances(c)
	b := a
	b.user = c.Unique("bob")
	a.apart(b, clients, "two users sent the same order with the same key",
		"That key was looked up without its user", "whose-key")
	for _, piece := range []struct{ user, key string }{{"1", "1"}, {"-1", "1-"}} {
		x, y := newAttempt(c), newAttempt(c)
		y.user, y.item, y.price, y.quantity = x.user+piece.user, x.item, x.price, x.quantity
		x.key = piece.key + y.key
		x.apart(y, clients, fmt.Sprintf("user %s with the key %s and user %s with the key %s sent the same order", x.user, x.key, y.user, y.key),
			"Name and key were put together into one text, and both pairs give the same", "whose-key")
	}
	x := newAttempt(c)
	y := x
	y.user = strings.ToUpper(x.user)
	x.apart(y, clients, fmt.Sprintf("users %s and %s sent the same order with the same key", x.user, y.user),
		"The two are different names, and were made one: only the case of their letters differs", "whose-key")
	x = newAttempt(c)
	y = x
	y.key = strings.ToUpper(x.key)
	x.apart(y, clients, fmt.Sprintf("one user sent the same order with the keys %s and %s", x.key, y.key),
		"The two are different keys, and were made one: only the case of their letters differs", "a-key-from-the-client")
	x = newAttempt(c)
	y = x
	long := x.key + strings.Repeat("k", 254-len(x.key))
	x.key, y.key = long+"1", long+"2"
	x.apart(y, clients, "one user sent the same order with two keys of 255 characters, of which only the last one differs",
		"The two are different keys, and were made one: not all that stands in them was looked at", "a-key-from-the-client")
}

// apart sends both attempts and fails unless each gets an order of its own. cause
// is what must be wrong when the second gets that of the first, and read where the
// lesson speaks of it.
func (a attempt) apart(b attempt, clients [2]*exam.Client, did, cause, read string) {
	c := a.c
	first, second := a.send(clients[0]), b.send(clients[1])
	a.placed(first)
	f := exam.Finding{Did: did, Expected: "201 for both, with an order each", Saw: "the second got " + second.String(), Read: lesson + read}
	if second.Status != http.StatusCreated {
		if second.Status >= http.StatusInternalServerError {
			f = because500(f, c)
		}
		c.Fail(f)
	}
	if second.Header.Get("Location") == first.Header.Get("Location") || bytes.Equal(first.Body, second.Body) {
		f.Saw = fmt.Sprintf("the second got the order of the first: Location %s. %s", second.Header.Get("Location"), cause)
		c.Fail(f)
	}
	b.placed(second)
	want := int64(1)
	if a.user == b.user {
		want = 2
	}
	a.count(want, exam.Finding{Did: did, Saw: "for the first user"})
	b.count(want, exam.Finding{Did: did, Saw: "for the second user"})
}
