// Package exam examines the parcel register.
package exam

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

const lesson = "foundations/rest-crud#"

// Exam declares the checks, in the order in which they are easiest to pass.
func Exam(x *exam.X) {
	basics(x)
	changes(x)
	refusals(x)
	x.Check("parallel", "keeps its parcels intact under parallel requests", parallel,
		exam.After("put-repeated", "own-id", "id-reused", "harmless"),
		exam.Why("net/http runs every request in a goroutine of its own. What two of them touch at the same time, and one of them changes, needs a lock."),
		exam.Read(lesson+"every-request-is-a-goroutine"))
}

func basics(x *exam.X) {
	x.Check("empty-list", "answers GET /parcels with [] when it has no parcels", emptyList,
		exam.Why("A client loops over the list. An empty array is a loop that ends at once; null is a special case that somebody forgets."),
		exam.Read(lesson+"null-is-not-an-empty-list"))
	x.Check("create", "answers POST /parcels with 201 and the new parcel", create,
		exam.After("empty-list"),
		exam.Why("201 tells the client that there is now something which was not there before, and the body tells it what: above all the id."),
		exam.Read(lesson+"the-status-line-is-the-answer"))
	x.Check("location", "says in Location where the new parcel is", location,
		exam.After("create"),
		exam.Why("With Location a client can follow what it has made without knowing how you build your paths."),
		exam.Read(lesson+"the-status-line-is-the-answer"))
	x.Check("get", "finds a parcel by its id", get,
		exam.After("create"),
		exam.Why("This is the address that POST has just given out. Whoever has kept it must find the parcel there."),
		exam.Read(lesson+"one-pattern-per-operation"))
	x.Check("unknown-id", "answers 404 for an id that does not exist", unknownID,
		exam.After("get"),
		exam.Why("A client decides by the status code alone. An error that travels as a success is believed."),
		exam.Read(lesson+"the-status-line-is-the-answer"))
	x.Check("list-order", "lists every parcel, oldest first", listOrder,
		exam.After("create"),
		exam.Why("A list that comes in another order every time cannot be compared, paged or tested, and on a screen the rows jump."),
		exam.Read(lesson+"null-is-not-an-empty-list"))
}

func emptyList(c *exam.C) {
	r := c.Get("/parcels")
	if notFoundByNetHTTP(r) || notAllowedByNetHTTP(r) {
		c.Fail(exam.Finding{
			Expected: "200 OK and []",
			Saw:      quoted(r) + ": the mux answered by itself, because no pattern of yours matches GET /parcels",
			Why:      "A mux knows only the patterns that it was given. Everything else gets its own short answer, in plain text.",
			Read:     lesson + "one-pattern-per-operation",
			Detail:   "This is the place to begin. In New, register a handler for the pattern \"GET /parcels\" that answers with an empty list, and grade again.",
		})
	}
	want(c, r, http.StatusOK)
	wantJSON(c, r)
	switch body := strings.TrimSpace(string(r.Body)); {
	case body == "null":
		c.Fail(exam.Finding{
			Expected: "[]",
			Saw:      "null: that is what encoding/json makes of a nil slice, and a slice declared with var is nil until something is appended",
		})
	case len(listed(c, r)) > 0:
		c.Fail(exam.Finding{Expected: "a program that has just started has no parcels", Saw: r.String(),
			Why: "Sample data in the code is sample data in production."})
	}
}

func create(c *exam.C) {
	in := newParcel(c)
	got := created(c, in)
	c.Require(urlSafe(got.ID), exam.Finding{
		Expected: "an id of letters, digits, - and _",
		Saw:      fmt.Sprintf("id %q", got.ID),
		Why:      "The id becomes part of a path. A slash, a space or a question mark in it changes what the path means.",
	})
	plain := in
	plain.Note = ""
	r := c.Post("/parcels", map[string]any{"recipient": plain.Recipient, "grams": plain.Grams})
	want(c, r, http.StatusCreated)
	wantParcel(c, r, plain)
}

func location(c *exam.C) {
	in := newParcel(c)
	r := c.Post("/parcels", in.body())
	want(c, r, http.StatusCreated)
	id := parcelIn(c, r).ID
	header := r.Header.Get("Location")
	wanted := "Location: /parcels/" + id
	c.Require(header != "", exam.Finding{Expected: wanted, Saw: "no Location header",
		Detail: "A header counts only when it is set before WriteHeader, or before the first byte of the body."})
	path, ok := resolve(header)
	c.Require(ok && path == "/parcels/"+id, exam.Finding{Expected: wanted, Saw: "Location: " + header})
}

func get(c *exam.C) {
	first, second := created(c, newParcel(c)), created(c, newParcel(c))
	c.Require(first.ID != second.ID, exam.Finding{
		Did:      "two POST /parcels, one after the other",
		Expected: "two ids",
		Saw:      fmt.Sprintf("both parcels have id %q", first.ID),
	})
	for _, p := range []parcel{first, second} {
		r := c.Get("/parcels/" + p.ID)
		want(c, r, http.StatusOK)
		wantParcel(c, r, p)
	}
}

func unknownID(c *exam.C) {
	before := list(c)
	id := c.Unique("nobody")
	wantError(c, c.Get("/parcels/"+id), http.StatusNotFound)
	r := c.Put("/parcels/"+id, newParcel(c).body())
	if r.Status == http.StatusOK || r.Status == http.StatusCreated {
		c.Fail(exam.Finding{
			Expected: "404: PUT does not create",
			Saw:      r.String(),
			Why:      "Here the program chooses the ids. A PUT that creates turns every typing mistake in a path into a parcel that nobody brought.",
			Read:     lesson + "put-replaces",
		})
	}
	wantError(c, r, http.StatusNotFound)
	wantGone(c, c.Delete("/parcels/"+id))
	unchanged(c, before, "GET, PUT and DELETE on an id that does not exist")
}

// listOrder makes enough parcels for "10" to come before "2" where ids are
// compared as text, and asks often enough for a map to show its order.
func listOrder(c *exam.C) {
	old := list(c)
	made := make([]parcel, 12)
	for i := range made {
		made[i] = created(c, newParcel(c))
	}
	did := fmt.Sprintf("%d times POST /parcels, then GET /parcels", len(made))
	first, second := list(c), list(c)
	c.Require(len(first) == len(old)+len(made), exam.Finding{
		Did:      did,
		Expected: fmt.Sprintf("%d parcels, those of earlier checks included", len(old)+len(made)),
		Saw:      fmt.Sprintf("%d parcels", len(first)),
		Why:      "A list that leaves something out looks like a shelf that has lost it.",
	})
	c.Require(ids(first) == ids(second), exam.Finding{
		Did:      did + " twice",
		Expected: "the order in which they were created, both times",
		Saw:      "two different orders, one request after the other. Ranging over a map begins at a random place every time",
	})
	if got := first[len(old):]; ids(got) != ids(made) {
		c.Fail(exam.Finding{
			Did:      did,
			Expected: "the order in which they were created: … " + ids(made),
			Saw:      order(first),
			Why:      "New parcels are looked for at the end of the list. With few of them any order looks right; it begins to be wrong when nobody is watching any more.",
		})
	}
	for i, p := range made {
		same(c, did, first[len(old)+i], p)
	}
}

// order describes a list that is not in the order of creation.
func order(list []parcel) string {
	switch byText := sortedAsText(list); {
	case ids(byText) == ids(list):
		return ids(list) + ": the order of the ids as text, in which \"10\" comes before \"2\""
	case ids(reversed(byText)) == ids(list):
		return ids(list) + ": the order of the ids as text, the other way round"
	default:
		return ids(list)
	}
}

// jsonOf is v as JSON, for bodies that must have an exact length or form.
func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
