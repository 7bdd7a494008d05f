package exam

import (
	"fmt"
	"net/http"

	"github.com/cairn-learn/cairn/grader/exam"
)

func changes(x *exam.X) {
	x.Check("put-replaces", "replaces the whole parcel on PUT", putReplaces,
		exam.After("get"),
		exam.Why("PUT says: this is the parcel now. Were the old note to stay, no client could ever take a note away."),
		exam.Read(lesson+"put-replaces"))
	x.Check("put-repeated", "is in the same state after the same PUT twice", putRepeated,
		exam.After("put-replaces", "list-order"),
		exam.Why("A client that got no answer sends its PUT again. So do nginx and some HTTP libraries, unasked, because PUT is defined as safe to repeat."),
		exam.Read(lesson+"put-replaces"))
	x.Check("own-id", "chooses ids itself, whatever the body says", ownID,
		exam.After("put-replaces"),
		exam.Why("What a client may not choose must not be read from the body. With ids it is a nuisance; with owner or role, the same line is a security hole."),
		exam.Read(lesson+"put-replaces"))
	x.Check("delete", "forgets a deleted parcel", remove,
		exam.After("unknown-id", "list-order"),
		exam.Why("After a 204 the parcel is gone for everybody. A second DELETE finds nothing, and says so."),
		exam.Read(lesson+"the-status-line-is-the-answer"))
	x.Check("id-reused", "never gives the id of a deleted parcel to another", idReused,
		exam.After("delete"),
		exam.Why("Somebody still holds the old id: on a label, in a bookmark, in a queue of jobs. It must lead to nothing, not to a neighbour's parcel."),
		exam.Read(lesson+"put-replaces"))
}

func putReplaces(c *exam.C) {
	old := created(c, newParcel(c))
	path := "/parcels/" + old.ID
	next := newParcel(c).with(old.ID)
	put := func(p parcel, body any) {
		r := c.Put(path, body)
		want(c, r, http.StatusOK)
		wantParcel(c, r, p)
		back := c.Get(path)
		want(c, back, http.StatusOK)
		wantParcel(c, back, p)
	}
	put(next, next.body())

	bare := newParcel(c).with(old.ID)
	bare.Note = ""
	body := map[string]any{"recipient": bare.Recipient, "grams": bare.Grams}
	r := c.Put(path, body)
	want(c, r, http.StatusOK)
	got := parcelIn(c, r)
	if got.Note == next.Note {
		c.Fail(exam.Finding{
			Expected: `note is "": the body has none, and PUT replaces the whole parcel`,
			Saw:      fmt.Sprintf("note is still %q, from the PUT before. Decoding JSON into a value that is already filled changes only the fields that the JSON has", got.Note),
		})
	}
	wantParcel(c, r, bare)
	put(bare, body)
}

func putRepeated(c *exam.C) {
	target := created(c, newParcel(c))
	created(c, newParcel(c)) // a younger one, so that a lost place in the list shows
	before := list(c)
	next := newParcel(c).with(target.ID)
	for range 2 {
		r := c.Put("/parcels/"+target.ID, next.body())
		want(c, r, http.StatusOK)
		wantParcel(c, r, next)
	}
	after := list(c)
	did := "the same PUT /parcels/" + target.ID + " twice, then GET /parcels"
	if seen := times(after, target.ID); seen != 1 {
		c.Fail(exam.Finding{Did: did,
			Expected: fmt.Sprintf("parcel %s once in the list", target.ID),
			Saw:      fmt.Sprintf("it is there %d times: PUT has added a parcel, where it should have replaced one", seen)})
	}
	c.Require(len(after) == len(before), exam.Finding{Did: did,
		Expected: "the list is as long as before: " + count(len(before)),
		Saw:      count(len(after))})
	c.Require(ids(after) == ids(before), exam.Finding{Did: did,
		Expected: "every parcel keeps its place in the list: … " + tail(before),
		Saw:      "… " + tail(after)})
	for i := range after {
		if after[i].ID == target.ID {
			same(c, did, after[i], next)
		}
	}
}

func ownID(c *exam.C) {
	victim := created(c, newParcel(c))

	in := newParcel(c)
	body := in.body()
	body["id"] = victim.ID
	body["shelf"] = c.Words(1)
	r := c.Post("/parcels", body)
	if r.Status >= 400 {
		c.Fail(exam.Finding{
			Expected: "201: fields that are not asked for are ignored",
			Saw:      r.String(),
			Why:      "A client that reads a parcel, changes one field and sends the whole back also sends the id. Refusing it breaks the simplest client there is.",
		})
	}
	want(c, r, http.StatusCreated)
	got := parcelIn(c, r)
	c.Require(got.ID != victim.ID, exam.Finding{
		Expected: "a new id, chosen by the program",
		Saw:      fmt.Sprintf("id %q, taken from the body; it belongs to another parcel", got.ID),
	})
	wantParcel(c, r, in)

	next := newParcel(c)
	body = next.body()
	body["id"] = got.ID
	r = c.Put("/parcels/"+victim.ID, body)
	want(c, r, http.StatusOK)
	if p := parcelIn(c, r); p.ID == got.ID {
		c.Fail(exam.Finding{
			Expected: fmt.Sprintf("the path names the parcel: id %q", victim.ID),
			Saw:      fmt.Sprintf("id %q, taken from the body", p.ID),
		})
	}
	wantParcel(c, r, next.with(victim.ID))
	back := c.Get("/parcels/" + got.ID)
	want(c, back, http.StatusOK)
	wantParcel(c, back, in.with(got.ID))
}

func remove(c *exam.C) {
	old := created(c, newParcel(c))
	before := list(c)
	path := "/parcels/" + old.ID
	r := c.Delete(path)
	want(c, r, http.StatusNoContent)
	c.Require(len(r.Body) == 0, exam.Finding{Expected: "204 without a body", Saw: r.String()})

	gone := c.Get(path)
	if gone.Status == http.StatusOK {
		c.Fail(exam.Finding{Did: "DELETE " + path + ", answered with 204, then GET " + path,
			Expected: statusText(http.StatusNotFound), Saw: gone.String() + ": the parcel is still there"})
	}
	wantError(c, gone, http.StatusNotFound)
	wantGone(c, c.Delete(path))
	wantError(c, c.Put(path, newParcel(c).body()), http.StatusNotFound)

	after := list(c)
	if len(after) == len(before) {
		c.Fail(exam.Finding{Did: "DELETE " + path + ", then GET /parcels",
			Expected: count(len(before) - 1), Saw: fmt.Sprintf("still %s; the last is %s", count(len(after)), after[len(after)-1])})
	}
	c.Require(ids(after) == ids(before[:len(before)-1]), exam.Finding{Did: "DELETE " + path + ", then GET /parcels",
		Expected: "the other parcels in their places: … " + tail(before[:len(before)-1]), Saw: "… " + tail(after)})
}

// wantGone wants the answer that a DELETE gets when there is nothing to delete.
func wantGone(c *exam.C, r *exam.Response) {
	if r.Status == http.StatusNoContent {
		c.Fail(exam.Finding{Did: r.Did() + ", where no parcel is",
			Expected: statusText(http.StatusNotFound),
			Saw:      "204 No Content. delete(m, key) says nothing about a key that is not there; whether it is there must be asked first",
			Why:      "Somebody who mistypes an id is told that the parcel has been collected. It stands on the shelf for ever."})
	}
	wantError(c, r, http.StatusNotFound)
}

// idReused deletes a parcel that is not the youngest and then one that is, which
// tells a counter from the length of the list and from the highest id.
func idReused(c *exam.C) {
	first, second := created(c, newParcel(c)), created(c, newParcel(c))
	used := map[string]bool{}
	for _, p := range list(c) {
		used[p.ID] = true
	}
	for _, p := range []parcel{first, second} {
		want(c, c.Delete("/parcels/"+p.ID), http.StatusNoContent)
		next := created(c, newParcel(c))
		switch {
		case next.ID == p.ID:
			c.Fail(exam.Finding{Did: "DELETE /parcels/" + p.ID + ", then POST /parcels",
				Expected: "an id that no parcel has ever had",
				Saw:      fmt.Sprintf("id %q again, the one that was just deleted", next.ID)})
		case used[next.ID]:
			c.Fail(exam.Finding{Did: "DELETE /parcels/" + p.ID + ", then POST /parcels",
				Expected: "an id that no parcel has ever had",
				Saw:      fmt.Sprintf("id %q, which another parcel has: the new one has taken its place. An id made from the number of parcels comes round again after every DELETE", next.ID)})
		}
		used[next.ID] = true
	}
}

func times(list []parcel, id string) (n int) {
	for _, p := range list {
		if p.ID == id {
			n++
		}
	}
	return n
}

// tail is the ids at the end of a list, where a check's own parcels are.
func tail(list []parcel) string { return ids(list[max(0, len(list)-4):]) }
