package exam

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// ordinaryDay writes a row into each table and reads them back.
func ordinaryDay(c *exam.C) {
	h := newHouse(c)
	email := c.Unique("Ada") + "@Example.com"
	member := accept(c, h.member().with("email", text(email)).insert(), "a member of the house")
	room := h.newRoom()
	from := noon(c)
	booking := accept(c, h.booking(room, from, 2).with("member_id", member).insert(), "a booking of a free room by a member")
	extra := accept(c, h.extra(booking).insert(), "an extra of this booking")
	kept(c, "members", "email", member, email)
	c.Equal(c.DB().Int(fmt.Sprintf("select count(*) from bookings b join extras e on e.booking_id = b.id where b.id = %s and e.id = %s and b.room_id = %s and b.member_id = %s and b.tenant_id = %s",
		booking, extra, room, member, h.id)), 1, "the number of bookings with this room, this member and this extra",
		exam.Did("joined the booking and its extra, which had just been written"))
}

// kept fails unless a column holds a text as it was written.
func kept(c *exam.C, table, column, id, want string) {
	sql := fmt.Sprintf("select %s::text from %s where id = %s", column, table, id)
	got := c.DB().Text(sql)
	if got == want {
		return
	}
	f := exam.Finding{
		Did: "wrote a row into " + table + ", then ran: " + sql, Expected: fmt.Sprintf("%q, as it was written", want),
		Saw: fmt.Sprintf("%q", got), Detail: known(c, table),
		Why: "People read again what they wrote: in a list, on a bill, above a letter. What the schema has changed, no program can change back.",
	}
	if column == "email" {
		f.Read = lesson + "unique-within-what"
	}
	c.Fail(f)
}

func required(c *exam.C) {
	h := newHouse(c)
	room := h.newRoom()
	booking := h.newBooking(room, noon(c), 1)
	for _, r := range []row{newRow("tenants", "name", null), h.member(), h.room(), h.booking(room, noon(c).AddDate(10, 0, 0), 1), h.extra(booking)} {
		for _, name := range r.names {
			if name == "building" || name == "member_id" {
				continue
			}
			refuse(c, r.with(name, null).insert(), rule{"23502",
				fmt.Sprintf("%s.%s must be there", r.table, name),
				fmt.Sprintf("The column %s of %s may be NULL.", name, r.table)})
		}
	}
	update := fmt.Sprintf("update bookings set price = null where id = %s", booking)
	refuse(c, update, rule{"23502", "the price must stay there", "The rule holds for new rows and not for changes."})
	accept(c, h.room().with("building", null).insert(), "a room of a house with one building, which needs no name")
	accept(c, h.booking(room, noon(c).AddDate(20, 0, 0), 1).insert(), "a booking by somebody who is no member")
}

func blanks(c *exam.C) {
	h := newHouse(c)
	room := h.newRoom()
	booking := h.newBooking(room, noon(c), 1)
	for _, t := range []struct {
		row  row
		name string
	}{{newRow("tenants"), "name"}, {h.member(), "name"}, {h.room(), "name"}, {h.room(), "building"}, {h.extra(booking), "title"}} {
		for _, blank := range []struct{ text, called string }{{"", "the empty text"}, {"   ", "three spaces"}} {
			refuse(c, t.row.with(t.name, text(blank.text)).insert(), rule{"23514",
				fmt.Sprintf("%s.%s is %s", t.row.table, t.name, blank.called),
				fmt.Sprintf("Nothing in the schema minds that %s is %s.", t.name, blank.called)})
		}
	}
	refuse(c, fmt.Sprintf("update rooms set name = ' ' where id = %s", room), rule{"23514",
		"a room must not lose its name by a change either", "The rule holds for new rows and not for changes."})
	for _, email := range []string{"", "ada", "@example.com", "ada@", "ada lovelace@example.com"} {
		refuse(c, h.member().with("email", text(email)).insert(), rule{"23514",
			fmt.Sprintf("%q is not something, an @ and something, without a blank", email),
			fmt.Sprintf("Nothing in the schema minds an address such as %q.", email)})
	}
	for _, local := range []string{"o'brien+desk", "a", "ünï.cødé"} {
		email := local + "@" + c.Unique("x") + ".museum"
		accept(c, h.member().with("email", text(email)).insert(), "something, an @ and something, without a blank")
	}
}

func texts(c *exam.C) {
	h := newHouse(c)
	long := strings.TrimSpace(c.Words(60))
	long = long[:min(len(long), 300)]
	odd := "  O'Hara & Søn · 会議室 " + c.Unique("№")
	for _, name := range []string{long, odd} {
		id := accept(c, newRow("tenants", "name", text(name)).insert(), fmt.Sprintf("a name of %d characters", len([]rune(name))))
		kept(c, "tenants", "name", id, name)
		id = accept(c, h.member().with("name", text(name)).insert(), fmt.Sprintf("a name of %d characters", len([]rune(name))))
		kept(c, "members", "name", id, name)
		id = accept(c, h.room().with("name", text(name)).with("building", text(name)).insert(), fmt.Sprintf("a name of %d characters", len([]rune(name))))
		kept(c, "rooms", "name", id, name)
		kept(c, "rooms", "building", id, name)
		booking := accept(c, h.booking(id, noon(c), 1).with("cancelled_at", "now()").with("cancel_reason", text(name)).insert(), fmt.Sprintf("a reason of %d characters", len([]rune(name))))
		kept(c, "bookings", "cancel_reason", booking, name)
		id = accept(c, h.extra(booking).with("title", text(name)).insert(), fmt.Sprintf("a title of %d characters", len([]rune(name))))
		kept(c, "extras", "title", id, name)
	}
	email := strings.Repeat("long.", 20) + c.Unique("x") + "@example.com"
	kept(c, "members", "email", accept(c, h.member().with("email", text(email)).insert(), fmt.Sprintf("an address of %d characters", len(email))), email)
}

func ranges(c *exam.C) {
	h := newHouse(c)
	room := h.newRoom()
	day := noon(c)
	booking := h.newBooking(room, day, 1)
	later := func() time.Time { day = day.AddDate(0, 0, 1); return day }
	for _, seats := range []string{"0", "-3", "501"} {
		refuse(c, h.room().with("seats", seats).insert(), rule{"23514", "a room has from 1 to 500 seats", "Nothing in the schema minds a room with " + seats + " seats."})
	}
	accept(c, h.room().with("seats", "1").insert(), "a room with one seat")
	accept(c, h.room().with("seats", "500").insert(), "a room with 500 seats")
	for _, wrong := range []struct{ amount, says, cause, why string }{
		{"-0.01", "an amount is not below zero", "Nothing in the schema minds an amount below zero.",
			"A price below zero pays the customer. The form forbids it; the import, the console and the next service have no form."},
		{"'NaN'", "NaN is no amount", "PostgreSQL holds NaN for greater than every number, so that >= 0 lets it in.",
			"One NaN makes every sum with it NaN: that of the day, of the month and of the year."},
		{"1000000.01", "an amount is at most 1000000", "Nothing in the schema minds an amount that is too high.",
			"A price with some digits too many is charged before anybody has read it."},
	} {
		r := rule{"23514", wrong.says, wrong.cause}
		refuse(c, h.booking(room, later(), 1).with("price", wrong.amount).insert(), r, why(wrong.why))
		refuse(c, h.extra(booking).with("amount", wrong.amount).insert(), r, why(wrong.why))
	}
	refuse(c, fmt.Sprintf("update bookings set price = -5 where id = %s", booking), rule{"23514", "an amount is not below zero, after a change either", "The rule holds for new rows and not for changes."})
	for _, right := range []string{"0", "1000000"} {
		accept(c, h.booking(room, later(), 1).with("price", right).insert(), "an amount from 0 to 1000000")
		accept(c, h.extra(booking).with("amount", right).insert(), "an amount from 0 to 1000000")
	}
}

func money(c *exam.C) {
	h := newHouse(c)
	booking := h.newBooking(h.newRoom(), noon(c), 1)
	sum := new(big.Rat)
	for _, amount := range []string{"0.10", "0.20", fmt.Sprintf("%d.%02d", c.Int(1, 999), c.Int(1, 99)), "999999.99"} {
		accept(c, h.extra(booking).with("amount", amount).insert(), "an amount to the cent")
		accept(c, fmt.Sprintf("update bookings set price = %s where id = %s returning id", amount, booking), "an amount to the cent")
		exactly(c, "bookings", "price", "id", booking, rat(amount))
		sum.Add(sum, rat(amount))
		exactly(c, "extras", "sum(amount)", "booking_id", booking, sum)
	}
	for _, amount := range []string{"19.999", "0.001"} {
		whole(c, h.extra(booking).with("amount", amount), "amount", amount)
		room := h.newRoom()
		whole(c, h.booking(room, noon(c), 1).with("price", amount), "price", amount)
	}
}

func rat(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

// exactly fails unless an amount, or a sum of amounts, is exactly what it should be.
func exactly(c *exam.C, table, what, column, id string, want *big.Rat) {
	sql := fmt.Sprintf("select (%s)::text from %s where %s = %s", what, table, column, id)
	got := c.DB().Text(sql)
	is := rat(got)
	c.Require(is != nil && is.Cmp(want) == 0, exam.Finding{
		Did: "wrote amounts with two decimals, then ran: " + sql, Expected: want.FloatString(2) + ", to the cent",
		Saw: got + ": the type of the column can't hold such amounts exactly", Detail: known(c, table),
	})
}

// whole fails unless an amount with parts of a cent is refused, and says what
// became of one that was not.
func whole(c *exam.C, r row, column, amount string) {
	id, refused := c.DB().Try(r.insert())
	if refused != nil && refused.Code == "23514" {
		return
	}
	f := exam.Finding{
		Did: "ran: " + r.insert(), Expected: "PostgreSQL refuses it with 23514 (check_violation): " + amount + " is no amount to the cent",
		Detail: known(c, r.table),
	}
	if refused != nil {
		f.Saw = "PostgreSQL refused it, but with " + refused.String()
		c.Fail(f)
	}
	is := c.DB().Text(fmt.Sprintf("select %s::text from %s where id = %s", column, r.table, text(id)))
	f.Saw = fmt.Sprintf("PostgreSQL took it, and %s is in the table: nothing minds parts of a cent", is)
	if is != amount {
		f.Saw = fmt.Sprintf("PostgreSQL took it, and %s is in the table. The type rounds, and does so before any CHECK looks", is)
		f.Why = "Whoever paid 19.999 has made a mistake somewhere. Rounded, it looks like a price, and nobody finds out."
	}
	c.Fail(f)
}
