package exam

import (
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

func roomNames(c *exam.C) {
	h, other := newHouse(c), newHouse(c)
	name, building := text(c.Unique("Oak")), text(c.Unique("North"))
	oak := h.room().with("name", name).with("building", building)
	accept(c, oak.insert(), "a room of the house")
	refuse(c, oak.insert(), rule{"23505", "the house has a room of this name in this building", "Nothing in the schema makes the name of a room unique."})
	accept(c, oak.with("building", text(c.Unique("South"))).insert(), "a room of this name in another building")
	accept(c, oak.with("tenant_id", other.id).insert(), "a room of this name in another house")

	alone := oak.with("building", null)
	id := accept(c, alone.insert(), "a room of this name in no building")
	refuse(c, alone.insert(), rule{"23505", "the house has a room of this name without a building", "To UNIQUE, a NULL is unlike every other NULL, so that rows with one never collide."})
	accept(c, alone.with("tenant_id", other.id).insert(), "a room of this name, without a building, in another house")
	refuse(c, fmt.Sprintf("update rooms set building = %s where id = %s", building, id), rule{"23505", "after the change two rooms of the house have the same name and building", "The rule holds for new rows and not for changes."})
}

func emails(c *exam.C) {
	h, other := newHouse(c), newHouse(c)
	email := c.Unique("Ada.King") + "@Example.com"
	ada := h.member().with("email", text(email))
	id := accept(c, ada.insert(), "a member of the house")
	refuse(c, ada.insert(), rule{"23505", "the house has a member with this address", "Nothing in the schema makes the address of a member unique."})
	for _, same := range []string{strings.ToLower(email), strings.ToUpper(email)} {
		refuse(c, ada.with("email", text(same)).insert(), rule{"23505", "the house has a member with this address, written " + email,
			"The addresses differ in capitals alone, and were taken for two."})
	}
	kept(c, "members", "email", id, email)
	accept(c, ada.with("tenant_id", other.id).insert(), "a member of another house")
	second := h.newMember()
	refuse(c, fmt.Sprintf("update members set email = %s where id = %s", text(strings.ToLower(email)), second), rule{"23505", "after the change two members of the house have the same address", "The rule holds for new rows and not for changes."})
}

// gone writes a row, deletes it and returns its id, which is nobody's now.
func gone(c *exam.C, r row) string {
	id := accept(c, r.insert(), "a row that is in order")
	accept(c, fmt.Sprintf("delete from %s where id = %s returning id", r.table, id), "a row that nothing refers to")
	return id
}

func references(c *exam.C) {
	h := newHouse(c)
	room, from := h.newRoom(), noon(c)
	noHouse := gone(c, newRow("tenants", "name", text(c.Unique("House"))))
	noMember, noRoom := gone(c, h.member()), gone(c, h.room())
	noBooking := gone(c, h.booking(room, from, 1))
	free := h.booking(room, from.AddDate(0, 0, 1), 1)
	for _, r := range []struct {
		row          row
		column, what string
		id           string
	}{
		{h.member(), "tenant_id", "tenant", noHouse},
		{h.room(), "tenant_id", "tenant", noHouse},
		{free, "room_id", "room", noRoom},
		{free, "member_id", "member", noMember},
		{h.extra(noBooking), "booking_id", "booking", noBooking},
	} {
		refuse(c, r.row.with(r.column, r.id).insert(), rule{"23503", "there is no such " + r.what,
			fmt.Sprintf("Nothing in the schema ties %s of %s to a %s.", r.column, r.row.table, r.what)})
	}
	booking := h.newBooking(room, from, 1)
	refuse(c, fmt.Sprintf("update bookings set room_id = %s where id = %s", noRoom, booking), rule{"23503", "after the change there is no such room", "The rule holds for new rows and not for changes."})
}

func apart(c *exam.C) {
	h, other := newHouse(c), newHouse(c)
	room, from := h.newRoom(), noon(c)
	theirMember, theirRoom := other.newMember(), other.newRoom()
	theirBooking := other.newBooking(theirRoom, from, 1)
	const cause = "The id exists, and that was all that was asked; whose it is, nobody has looked."
	refuse(c, h.booking(theirRoom, from.AddDate(0, 0, 2), 1).insert(), rule{"23503", "the room belongs to another house", cause})
	refuse(c, h.booking(room, from.AddDate(0, 0, 3), 1).with("member_id", theirMember).insert(), rule{"23503", "the member belongs to another house", cause})
	refuse(c, h.extra(theirBooking).insert(), rule{"23503", "the booking belongs to another house", cause})

	booking := h.newBooking(room, from.AddDate(0, 0, 4), 1)
	accept(c, h.extra(booking).insert(), "an extra of the house's own booking")
	const moves = "The row has moved to another house, and what refers to it stayed behind."
	refuse(c, fmt.Sprintf("update bookings set tenant_id = %s where id = %s", other.id, booking), rule{"23503", "its room belongs to the house that it leaves", moves})
	refuse(c, fmt.Sprintf("update rooms set tenant_id = %s where id = %s", other.id, room), rule{"23503", "the room has bookings in the house that it leaves", moves})
}

// fate says what became of a row that refers to one that was deleted.
func fate(c *exam.C, table, id, what string) func(*exam.Finding) {
	return func(f *exam.Finding) {
		if c.DB().Int(fmt.Sprintf("select count(*) from %s where id = %s", table, id)) == 0 {
			f.Saw += what + " has gone with it."
		} else {
			f.Saw += what + " is still there, and what it refers to is gone."
		}
	}
}

func deletes(c *exam.C) {
	h := newHouse(c)
	room, from := h.newRoom(), noon(c)
	member := h.newMember()
	booking := accept(c, h.booking(room, from, 1).with("member_id", member).insert(), "a booking by a member")
	extra := accept(c, h.extra(booking).insert(), "an extra of this booking")
	old := accept(c, h.booking(h.newRoom(), from, 1).with("cancelled_at", moment(from)).with("cancel_reason", "'rain'").insert(), "a booking that is cancelled")
	stays := accept(c, h.extra(old).insert(), "an extra of another booking")

	refuse(c, fmt.Sprintf("delete from rooms where id = %s", room), rule{"23503", "the room has bookings", ""}, fate(c, "bookings", booking, "Its booking"))
	refuse(c, fmt.Sprintf("delete from tenants where id = %s", h.id), rule{"23503", "the house has rooms, members and bookings", "A whole customer is gone."}, fate(c, "bookings", booking, " Its booking"))
	small := newHouse(c)
	lonely := small.newMember()
	refuse(c, fmt.Sprintf("delete from tenants where id = %s", small.id), rule{"23503", "the house has a member", ""}, fate(c, "members", lonely, "Its member"))

	accept(c, fmt.Sprintf("delete from members where id = %s returning id", member), "a member who leaves; the bookings stay, without a member")
	c.Equal(c.DB().Int(fmt.Sprintf("select count(*) from bookings where id = %s and member_id is null and tenant_id = %s and room_id = %s", booking, h.id, room)), 1,
		"the number of bookings with this id, without a member, in the same house and room", exam.Did("deleted the member who had booked, and looked for the booking"))

	accept(c, fmt.Sprintf("delete from bookings where id = %s returning id", booking), "a booking that is taken out, with its extras")
	c.Equal(c.DB().Int(fmt.Sprintf("select count(*) from extras where id = %s", extra)), 0, "the number of extras that are left of it", exam.Did("deleted the booking"))
	c.Equal(c.DB().Int(fmt.Sprintf("select count(*) from extras where id = %s", stays)), 1, "the number of extras of another booking", exam.Did("deleted a booking, and looked at the extras of another"))
}
