package exam

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// parcel is a parcel as the contract describes it.
type parcel struct {
	ID, Recipient string
	Grams         int
	Note          string
}

// newParcel draws a parcel that has no id yet.
func newParcel(c *exam.C) parcel {
	return parcel{
		Recipient: c.Pick("Ana", "Björn", "Chidi", "Dao", "Élise", "Farid", "Grace", "Hồng") + " " + c.Unique("flat"),
		Grams:     c.Int(40, 9000),
		Note:      c.Words(3),
	}
}

func (p parcel) with(id string) parcel {
	p.ID = id
	return p
}

// body is what a client sends of the parcel.
func (p parcel) body() map[string]any {
	return map[string]any{"recipient": p.Recipient, "grams": p.Grams, "note": p.Note}
}

func (p parcel) String() string {
	return fmt.Sprintf("{id %q, recipient %q, grams %d, note %q}", p.ID, p.Recipient, p.Grams, p.Note)
}

// created creates a parcel and returns it with its id.
func created(c *exam.C, p parcel) parcel {
	r := c.Post("/parcels", p.body())
	want(c, r, http.StatusCreated)
	return wantParcel(c, r, p)
}

// list is what GET /parcels says.
func list(c *exam.C) []parcel {
	r := c.Get("/parcels")
	want(c, r, http.StatusOK)
	wantJSON(c, r)
	var all []parcel
	for _, item := range listed(c, r) {
		all = append(all, parcelOf(c, r, item))
	}
	return all
}

// listed is the array in the body.
func listed(c *exam.C, r *exam.Response) []map[string]any {
	oneValue(c, r)
	var all []map[string]any
	r.JSON(&all, exam.Expected("a JSON array of parcels"))
	return all
}

// parcelIn is the parcel in the body.
func parcelIn(c *exam.C, r *exam.Response) parcel {
	wantJSON(c, r)
	oneValue(c, r)
	return parcelOf(c, r, r.Object(exam.Expected("the parcel as a JSON object")))
}

// parcelOf reads the four fields, or fails naming the one that is not there.
func parcelOf(c *exam.C, r *exam.Response, object map[string]any) (p parcel) {
	text := func(name string) string {
		s, ok := object[name].(string)
		if !ok {
			badField(c, r, object, name, "a string")
		}
		return s
	}
	p = parcel{ID: text("id"), Recipient: text("recipient"), Note: text("note")}
	number, _ := object["grams"].(json.Number)
	grams, err := number.Int64()
	if err != nil {
		badField(c, r, object, "grams", "an integer")
	}
	p.Grams = int(grams)
	if p.ID == "" {
		badField(c, r, object, "id", "a string that is not empty")
	}
	return p
}

func badField(c *exam.C, r *exam.Response, object map[string]any, name, form string) {
	f := exam.Finding{Did: r.Did(), Expected: fmt.Sprintf("the field %q: %s", name, form)}
	value, there := object[name]
	if there {
		f.Saw = fmt.Sprintf("%s: %s", name, jsonOf(value))
	} else {
		f.Saw = "there is no such field in " + r.String()
		f.Detail = "encoding/json sends exported fields only, under their Go names unless a tag such as `json:\"" + name + "\"` says otherwise. omitempty leaves out what is empty."
	}
	f.Why = "Clients are written against the four fields of the contract. Most languages read a missing one as null, and find out much later."
	c.Fail(f)
}

// wantParcel fails unless the parcel in the body is the wanted one, and returns
// it. A wanted parcel without an id may come back with any.
func wantParcel(c *exam.C, r *exam.Response, wanted parcel) parcel {
	got := parcelIn(c, r)
	if wanted.ID == "" {
		wanted.ID = got.ID
	}
	same(c, r.Did(), got, wanted)
	return got
}

// same fails unless got is wanted, and names the field that differs.
func same(c *exam.C, did string, got, wanted parcel) {
	diff := func(field string, g, w any) {
		if g != w {
			c.Fail(exam.Finding{
				Did:      did,
				Expected: fmt.Sprintf("%s is %#v", field, w),
				Saw:      fmt.Sprintf("%s is %#v", field, g),
			})
		}
	}
	diff("id", got.ID, wanted.ID)
	diff("recipient", got.Recipient, wanted.Recipient)
	diff("grams", got.Grams, wanted.Grams)
	diff("note", got.Note, wanted.Note)
}

// unchanged fails unless the list still is what it was.
func unchanged(c *exam.C, before []parcel, did string) {
	after := list(c)
	now := byID(after)
	if maps.Equal(byID(before), now) {
		return
	}
	f := exam.Finding{
		Did:      did + ", then GET /parcels",
		Expected: fmt.Sprintf("the same %s as before", count(len(before))),
		Saw:      fmt.Sprintf("%s instead of %s", count(len(after)), count(len(before))),
		Why:      "A client that is told no goes on as if nothing had happened. So nothing may have happened.",
		Read:     lesson + "an-error-ends-the-handler",
	}
	for _, p := range before {
		if next, there := now[p.ID]; there && next != p {
			f.Saw, f.Read = fmt.Sprintf("%s has become %s", p, next), lesson+"put-replaces"
		}
	}
	c.Fail(f)
}

// byID forgets the order of a list, which is not what every check is about.
func byID(list []parcel) map[string]parcel {
	m := make(map[string]parcel, len(list))
	for _, p := range list {
		m[p.ID] = p
	}
	return m
}

func count(n int) string {
	if n == 1 {
		return "1 parcel"
	}
	return fmt.Sprintf("%d parcels", n)
}

func ids(list []parcel) string {
	all := make([]string, len(list))
	for i, p := range list {
		all[i] = p.ID
	}
	return strings.Join(all, " ")
}

func sortedAsText(list []parcel) []parcel {
	return slices.SortedFunc(slices.Values(list), func(a, b parcel) int { return strings.Compare(a.ID, b.ID) })
}

func reversed(list []parcel) []parcel {
	r := slices.Clone(list)
	slices.Reverse(r)
	return r
}

func urlSafe(id string) bool {
	return id != "" && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// resolve is the path that a Location header leads to from /parcels. Location
// may be a whole URL, a path, or relative.
func resolve(location string) (path string, ok bool) {
	base := &url.URL{Path: "/parcels"}
	u, err := base.Parse(location)
	if err != nil || u.RawQuery != "" {
		return "", false
	}
	return u.EscapedPath(), true
}
