package exam

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// attempt is one order that a user wants to make, under one key. Sending it again
// is a retry.
type attempt struct {
	c         *exam.C
	user, key string
	item      string
	quantity  int
	price     int64
}

// newAttempt is of a user, a key and an item that are new.
func newAttempt(c *exam.C) attempt {
	a := attempt{c: c, user: c.Unique("ann"), key: c.Unique("key"), quantity: c.Int(2, 9)}
	a.item, a.price = newItem(c)
	return a
}

// newItem puts something up for sale.
func newItem(c *exam.C) (name string, price int64) {
	name, price = c.Unique("lamp"), 10*int64(c.Int(50, 400))
	c.DB().Exec(`insert into items (name, price) values ($1, $2)`, name, price)
	return name, price
}

func (a attempt) body() string { return fmt.Sprintf(`{"item":%q,"quantity":%d}`, a.item, a.quantity) }

func (a attempt) headers() []exam.RequestOption {
	return []exam.RequestOption{exam.Header("X-User", a.user), exam.Header("Idempotency-Key", a.key)}
}

// send sends the order, and fails the check when no answer comes.
func (a attempt) send(cl *exam.Client) *exam.Response {
	return cl.Post("/orders", a.body(), a.headers()...)
}

// begin sends the order without waiting for the answer.
func (a attempt) begin(cl *exam.Client, opts ...exam.RequestOption) *exam.Pending {
	opts = append([]exam.RequestOption{exam.Timeout(patience)}, opts...)
	return cl.Send(http.MethodPost, "/orders", a.body(), append(a.headers(), opts...)...)
}

// try sends the order and gives up after patience.
func (a attempt) try(cl *exam.Client) (*exam.Response, error) {
	return cl.Try(http.MethodPost, "/orders", a.body(), append(a.headers(), exam.Timeout(patience))...)
}

// orders is how many orders the user has.
func (a attempt) orders() int64 {
	return a.c.DB().Int(`select count(*) from orders where user_id = $1`, a.user)
}

// count fails unless the user has so many orders.
func (a attempt) count(want int64, f exam.Finding) {
	n := a.orders()
	if n == want {
		return
	}
	f.Expected = orderWords(want) + " in the table orders"
	if f.Saw != "" {
		f.Saw += "; "
	}
	f.Saw += orderWords(n)
	a.c.Fail(f)
}

func orderWords(n int64) string {
	switch n {
	case 0:
		return "no order"
	case 1:
		return "one order"
	}
	return fmt.Sprintf("%d orders", n)
}

// thereAre is orderWords with its verb, for a sentence.
func thereAre(n int64) string {
	if n > 1 {
		return "there are " + orderWords(n)
	}
	return "there is " + orderWords(n)
}

// placed fails unless the answer is that of an order made, with the row that it
// speaks of, and returns its id.
func (a attempt) placed(r *exam.Response, opts ...exam.Option) int64 {
	c := a.c
	o := r.Want(http.StatusCreated, opts...).WantType("application/json", opts...).Object(opts...)
	id, err := strconv.ParseInt(fmt.Sprint(o["id"]), 10, 64)
	if err != nil {
		c.Fail(exam.Finding{Did: r.Did(), Expected: "id, the number of the order", Saw: r.String()})
	}
	r.WantHeader("Location", fmt.Sprintf("/orders/%d", id), opts...)
	for _, f := range []struct {
		name string
		want any
	}{{"item", a.item}, {"quantity", a.quantity}, {"total", a.price * int64(a.quantity)}, {"status", "placed"}} {
		c.Equal(o[f.name], f.want, f.name+" in the answer", opts...)
	}
	at, _ := o["placed_at"].(string)
	if _, err := time.Parse(time.RFC3339, at); err != nil {
		c.Fail(exam.Finding{Did: r.Did(), Expected: "placed_at, a moment in the form of RFC 3339", Saw: r.String()})
	}
	n := c.DB().Int(`select count(*) from orders where id = $1 and user_id = $2 and item = $3 and quantity = $4 and total = $5`,
		id, a.user, a.item, a.quantity, a.price*int64(a.quantity))
	if n != 1 {
		c.Fail(a.noSuchOrder(r))
	}
	return id
}

// noSuchOrder is about an answer that speaks of an order which is not there.
func (a attempt) noSuchOrder(r *exam.Response) exam.Finding {
	return exam.Finding{
		Did:      r.Did(),
		Expected: "201, and the order that it tells of is in the table orders",
		Saw:      fmt.Sprintf("%s, Location %q, and that user has %s there that fits", r, r.Header.Get("Location"), "no order"),
		Why:      "A 201 for an order that does not exist is the worst answer: nobody will ever try again.",
	}
}
