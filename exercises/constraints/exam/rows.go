package exam

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// row is a row to be written: its values are SQL.
type row struct {
	table         string
	names, values []string
}

func newRow(table string, namesAndValues ...string) row {
	r := row{table: table}
	for i := 0; i < len(namesAndValues); i += 2 {
		r = r.with(namesAndValues[i], namesAndValues[i+1])
	}
	return r
}

// with returns the row with another value in one column.
func (r row) with(name, value string) row {
	r.names, r.values = slices.Clone(r.names), slices.Clone(r.values)
	if i := slices.Index(r.names, name); i >= 0 {
		r.values[i] = value
		return r
	}
	r.names, r.values = append(r.names, name), append(r.values, value)
	return r
}

func (r row) insert() string {
	return fmt.Sprintf("insert into %s (%s) values (%s) returning id", r.table, strings.Join(r.names, ", "), strings.Join(r.values, ", "))
}

const null = "null"

// text is a text as SQL has it.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// house is a tenant of the check's own, and makes rows of it that are in order.
type house struct {
	c  *exam.C
	id string // as SQL, like every id here
}

func newHouse(c *exam.C) house {
	return house{c, accept(c, newRow("tenants", "name", text(c.Unique("House"))).insert(), "a house")}
}

func (h house) member() row {
	name := h.c.Unique("member")
	return newRow("members", "tenant_id", h.id, "email", text(name+"@example.com"), "name", text(name))
}

func (h house) room() row {
	return newRow("rooms", "tenant_id", h.id, "building", text(h.c.Unique("building")), "name", text(h.c.Unique("room")), "seats", fmt.Sprint(h.c.Int(2, 40)))
}

// booking is one of a room for some hours from a moment on.
func (h house) booking(room string, from time.Time, hours float64) row {
	cents := h.c.Int(100, 99_999)
	return newRow("bookings", "tenant_id", h.id, "room_id", room, "member_id", null,
		"starts_at", moment(from), "ends_at", moment(from.Add(time.Duration(hours*float64(time.Hour)))),
		"price", fmt.Sprintf("%d.%02d", cents/100, cents%100))
}

func (h house) extra(booking string) row {
	return newRow("extras", "tenant_id", h.id, "booking_id", booking, "title", text(h.c.Unique("extra")), "amount", "12.50")
}

// newRoom, newBooking and so on write a row and return its id.
func (h house) newMember() string { return accept(h.c, h.member().insert(), "a member of the house") }
func (h house) newRoom() string   { return accept(h.c, h.room().insert(), "a room of the house") }

func (h house) newBooking(room string, from time.Time, hours float64) string {
	return accept(h.c, h.booking(room, from, hours).insert(), "a booking of a free room")
}

// moment is a moment as SQL, with its zone.
func moment(t time.Time) string { return text(t.Format("2006-01-02 15:04:05-07:00")) }

// noon is a moment drawn from the seed: twelve o'clock UTC of some day.
func noon(c *exam.C) time.Time {
	return time.Date(c.Int(2027, 2031), time.Month(c.Int(1, 12)), c.Int(1, 28), 12, 0, 0, 0, time.UTC)
}
