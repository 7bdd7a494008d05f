package exam

import (
	"fmt"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// instants writes moments as people in several zones have them, and asks which
// moment PostgreSQL has understood.
func instants(c *exam.C) {
	h := newHouse(c)
	from := noon(c)
	for _, hours := range []int{2, -5, 9} {
		zone := time.FixedZone("", hours*3600)
		from = from.Add(24 * time.Hour).In(zone)
		r := h.booking(h.newRoom(), from, 1).with("cancelled_at", moment(from)).with("cancel_reason", "'a test'")
		id := accept(c, r.insert(), "a booking with a zone of its own")
		for _, column := range []string{"starts_at", "ends_at", "cancelled_at"} {
			want := from
			if column == "ends_at" {
				want = from.Add(time.Hour)
			}
			sql := fmt.Sprintf("select extract(epoch from %s)::bigint from bookings where id = %s", column, id)
			if c.DB().Int(sql) == want.Unix() {
				continue
			}
			is := c.DB().Rows(fmt.Sprintf("select %s::text as at, pg_catalog.pg_typeof(%s)::text as type from bookings where id = %s", column, column, id))
			c.Fail(exam.Finding{
				Did:      fmt.Sprintf("wrote %s into %s of a booking, and read it", moment(want), column),
				Expected: "the moment that was written: " + want.UTC().Format("2006-01-02 15:04:05") + " in UTC",
				Saw:      fmt.Sprintf("%s is %v, of type %v: the zone that was written with it has been dropped", column, is[0]["at"], is[0]["type"]),
				Detail:   known(c, "bookings"),
			})
		}
	}
}

func period(c *exam.C) {
	h := newHouse(c)
	room, from := h.newRoom(), noon(c)
	const never = "Nothing in the schema compares the two times."
	refuse(c, h.booking(room, from, -2).insert(), rule{"23514", "it ends two hours before it begins", never})
	refuse(c, h.booking(room, from, 0).insert(), rule{"23514", "it ends in the moment in which it begins", "A booking of no length was let through."},
		why("A period without length overlaps with nothing: a room can have any number of them at the same time."))
	id := h.newBooking(room, from, 1)
	refuse(c, fmt.Sprintf("update bookings set ends_at = %s where id = %s", moment(from.Add(-time.Hour)), id), rule{"23514", "after the change it ends before it begins", "The rule holds for new rows and not for changes."})
	accept(c, h.booking(room, from.AddDate(0, 0, 1), 1.0/60).insert(), "a booking of a minute")
	accept(c, h.booking(room, from.AddDate(1, 0, 0), 24*90).insert(), "a booking of three months")
	accept(c, h.booking(room, from.AddDate(-30, 0, 0), 1).insert(), "a booking of long ago, entered later")
}

func cancelled(c *exam.C) {
	h := newHouse(c)
	room, day := h.newRoom(), noon(c)
	next := func() row { day = day.AddDate(0, 0, 1); return h.booking(room, day, 1) }
	at := moment(day.Add(-time.Hour))
	refuse(c, next().with("cancelled_at", at).with("cancel_reason", null).insert(), rule{"23514", "it is cancelled without a reason",
		"If a CHECK is there, think through what it says when cancel_reason is NULL. One that comes out as NULL, and not as false, lets the row in."})
	refuse(c, next().with("cancelled_at", null).with("cancel_reason", "'rain'").insert(), rule{"23514", "it has a reason and is not cancelled", "A reason without a time was let through."})
	refuse(c, next().with("cancelled_at", at).with("cancel_reason", "'   '").insert(), rule{"23514", "the reason is three spaces", "A reason that says nothing was let through."})
	refuse(c, next().with("cancelled_at", at).with("cancel_reason", "''").insert(), rule{"23514", "the reason is the empty text", "A reason that says nothing was let through."})
	id := accept(c, next().with("cancelled_at", null).with("cancel_reason", null).insert(), "a booking that is not cancelled")
	refuse(c, fmt.Sprintf("update bookings set cancelled_at = %s where id = %s", at, id), rule{"23514", "after the change it is cancelled without a reason", "The rule holds for new rows and not for changes."})
	accept(c, fmt.Sprintf("update bookings set cancelled_at = %s, cancel_reason = 'rain' where id = %s returning id", at, id), "a cancellation with time and reason")
	accept(c, fmt.Sprintf("update bookings set cancelled_at = null, cancel_reason = null where id = %s returning id", id), "the end of a cancellation; the room is still free")
}

// taken is why an overlapping booking was let in.
const taken = "Whatever the schema compares, it has let these two into one room at one time."

func overlap(c *exam.C) {
	h := newHouse(c)
	room, from := h.newRoom(), noon(c)
	id := h.newBooking(room, from, 2)
	hour := func(n float64) time.Time { return from.Add(time.Duration(n * float64(time.Hour))) }
	for _, o := range []struct {
		at, hours float64
		says      string
	}{
		{0.5, 1, "it lies within another booking of the room"},
		{0, 2, "the room is taken at exactly this time"},
		{-1, 4, "another booking of the room lies within it"},
		{-1, 1.5, "its end overlaps with another booking of the room"},
		{1.5, 3, "its beginning overlaps with another booking of the room"},
	} {
		refuse(c, h.booking(room, hour(o.at), o.hours).insert(), rule{"23P01", o.says, taken})
	}
	east := hour(1).In(time.FixedZone("", 9*3600))
	refuse(c, h.booking(room, east, 0.5).insert(), rule{"23P01", "it lies within another booking of the room, written in another zone", "Times were compared as they were written, and not as moments."})
	accept(c, h.booking(room, hour(2), 1).insert(), "a booking that begins when the one before ends")
	accept(c, h.booking(room, hour(-1), 1).insert(), "a booking that ends when the next begins")
	accept(c, h.booking(h.newRoom(), hour(0), 2).insert(), "a booking of another room at the same time")
	other := newHouse(c)
	accept(c, other.booking(other.newRoom(), hour(0), 2).insert(), "a booking in another house at the same time")
	moved := h.newBooking(room, hour(30), 1)
	refuse(c, fmt.Sprintf("update bookings set starts_at = %s where id = %s", moment(hour(1)), moved), rule{"23P01", "after the change it overlaps with others", "The rule holds for new rows and not for changes."})
	cancelling(c, h, id, room, hour(0))
}

// cancelling cancels a booking, lets the room to somebody else, and tries to undo
// the cancellation.
func cancelling(c *exam.C, h house, id, room string, at time.Time) {
	accept(c, fmt.Sprintf("update bookings set cancelled_at = %s, cancel_reason = 'rain' where id = %s returning id", moment(at), id), "a cancellation")
	accept(c, h.booking(room, at, 2).insert(), "a booking at the time of one that is cancelled")
	accept(c, h.booking(room, at, 2).with("cancelled_at", moment(at)).with("cancel_reason", "'rain'").insert(), "a booking that is cancelled, at a time that is taken")
	refuse(c, fmt.Sprintf("update bookings set cancelled_at = null, cancel_reason = null where id = %s", id),
		rule{"23P01", "the room has been let to somebody else since", "A cancellation was undone, and nothing looked whether the room is still free."})
}

func atOnce(c *exam.C) {
	h := newHouse(c)
	room, another, from := h.newRoom(), h.newRoom(), noon(c)
	first := c.DB().Hold(h.booking(room, from, 2).insert())
	accept(c, h.booking(another, from, 2).insert(), "a booking of another room, which nobody else wants")
	second := h.booking(room, from.Add(time.Hour), 2).insert()
	_, refused := c.DB().Try(second)
	c.Require(refused != nil && (refused.Code == "55P03" || refused.Code == "23P01"), exam.Finding{
		Did:      "booked a room in a transaction that is still open, then ran on another connection: " + second,
		Expected: "the second one waits for the first, or is refused with 23P01: the times overlap",
		Saw:      secondSaw(refused),
		Detail:   known(c, "bookings"),
	})
	first.Release()
	accept(c, second, "a booking of a room that is free: the transaction before it was rolled back")
}

func secondSaw(refused *exam.Refusal) string {
	if refused != nil {
		return "PostgreSQL refused it, but with " + refused.String()
	}
	return "PostgreSQL took it at once. What looked for overlaps could not see the first booking, which was not yet committed; when it is, both are in the table"
}
