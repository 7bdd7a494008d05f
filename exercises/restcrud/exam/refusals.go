package exam

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

const limit = 64 << 10

func refusals(x *exam.X) {
	x.Check("unknown-path", "answers an unknown path with 404, in JSON", unknownPath,
		exam.After("unknown-id"), exam.Why(whyPlain), exam.Read(lesson+"who-answered"))
	x.Check("wrong-method", "answers a wrong method with 405 and Allow, in JSON", wrongMethod,
		exam.After("unknown-path"), exam.Why(whyPlain), exam.Read(lesson+"who-answered"))
	x.Check("media-type", "reads application/json and refuses everything else", mediaType,
		exam.After("unknown-id", "put-replaces"),
		exam.Why("A form or a text that happens to look like JSON is read as something that its sender never meant. A web page of somebody else can send both without asking; application/json it cannot."),
		exam.Read(lesson+"a-body-from-a-stranger"))
	x.Check("malformed", "answers a body that is not a parcel in JSON with 400", malformed,
		exam.After("unknown-id", "put-replaces"),
		exam.Why("400 says: do not send this again, it will not get better. It is the difference between a bug in the client and a night on call for you."),
		exam.Read(lesson+"a-body-from-a-stranger"))
	x.Check("trailing-data", "refuses a body that goes on after the parcel", trailingData,
		exam.After("malformed"),
		exam.Why("Two parcels in one body are a client's mistake. Registering the first and dropping the second without a word turns it into a lost parcel."),
		exam.Read(lesson+"a-body-from-a-stranger"))
	x.Check("values", "refuses values that break a rule", values,
		exam.After("malformed"),
		exam.Why("To encoding/json, a field that is missing and one that is zero look the same. What is required has to be asked for."),
		exam.Read(lesson+"a-body-from-a-stranger"))
	x.Check("too-large", "refuses a body over 64 KiB with 413", tooLarge,
		exam.After("unknown-id", "put-replaces"),
		exam.Why("Without a limit, one client that sends a few gigabytes has the whole service killed for lack of memory."),
		exam.Read(lesson+"a-body-from-a-stranger"))
	x.Check("endless-body", "refuses an endless body without waiting for its end", endlessBody,
		exam.After("too-large"),
		exam.Why("Content-Length is what the client says of itself, and a chunked body has none. Only counting while reading holds."),
		exam.Read(lesson+"a-body-from-a-stranger"))
	x.Check("harmless", "changes nothing when it refuses", harmless,
		exam.After("media-type", "values", "too-large"),
		exam.Why("A client that is told no keeps what it has and goes on. If half of its request took effect all the same, the two disagree from then on."),
		exam.Read(lesson+"an-error-ends-the-handler"))
}

func unknownPath(c *exam.C) {
	wantError(c, c.Get("/"+c.Unique("shelf")), http.StatusNotFound)
	wantError(c, c.Get("/"), http.StatusNotFound)
	wantError(c, c.Get("/parcels/1/"+c.Unique("label")), http.StatusNotFound)
	wantError(c, c.Post("/"+c.Unique("parcel"), newParcel(c).body()), http.StatusNotFound)
}

func wrongMethod(c *exam.C) {
	p := created(c, newParcel(c))
	refused := func(method, path string, body any, allowed ...string) {
		r := c.Do(method, path, body)
		wantRefusal(c, r, r.Did(), http.StatusMethodNotAllowed)
		wantAllow(c, r, allowed...)
		wantError(c, r, http.StatusMethodNotAllowed)
	}
	refused(http.MethodPatch, "/parcels", p.body(), "GET", "POST")
	refused(http.MethodDelete, "/parcels", nil, "GET", "POST")
	refused(http.MethodPatch, "/parcels/"+p.ID, map[string]any{"grams": p.Grams}, "GET", "PUT", "DELETE")
	refused(http.MethodPost, "/parcels/"+p.ID, p.body(), "GET", "PUT", "DELETE")
}

func mediaType(c *exam.C) {
	p := created(c, newParcel(c))
	for _, declared := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", ""} {
		for _, send := range []func(exam.RequestOption) *exam.Response{
			func(o exam.RequestOption) *exam.Response { return c.Post("/parcels", newParcel(c).body(), o) },
			func(o exam.RequestOption) *exam.Response { return c.Put("/parcels/"+p.ID, newParcel(c).body(), o) },
		} {
			r := send(exam.Header("Content-Type", declared))
			if r.Status < 300 {
				c.Fail(exam.Finding{
					Did:      fmt.Sprintf("%s, %s", r.Did(), declaredAs(declared)),
					Expected: statusText(http.StatusUnsupportedMediaType),
					Saw:      r.String(),
				})
			}
			wantError(c, r, http.StatusUnsupportedMediaType)
		}
	}
	for _, declared := range []string{"application/json; charset=utf-8", "application/json;charset=UTF-8"} {
		in := newParcel(c)
		r := c.Post("/parcels", in.body(), exam.Header("Content-Type", declared))
		if r.Status == http.StatusUnsupportedMediaType {
			c.Fail(exam.Finding{
				Did:      fmt.Sprintf("%s, %s", r.Did(), declaredAs(declared)),
				Expected: "201: the media type is application/json, and charset is a parameter of it",
				Saw:      r.String() + ". Comparing the whole header with == refuses every client whose library adds a charset",
				Why:      "Many HTTP libraries add the charset by themselves. Their users cannot know why you refuse them.",
			})
		}
		want(c, r, http.StatusCreated)
		wantParcel(c, r, in)
	}
}

func declaredAs(mediaType string) string {
	if mediaType == "" {
		return "with no Content-Type"
	}
	return "with Content-Type: " + mediaType
}

func malformed(c *exam.C) {
	p := created(c, newParcel(c))
	in := newParcel(c)
	whole := jsonOf(in.body())
	for _, bad := range []struct{ what, body string }{
		{"JSON that breaks off before its last }", whole[:len(whole)-1]},
		{"a form, declared as JSON", fmt.Sprintf("recipient=%s&grams=%d", c.Words(1), in.Grams)},
		{"an array around the parcel", "[" + whole + "]"},
		{"a string in place of a parcel", jsonOf(in.Recipient)},
		{"a number as recipient", jsonOf(map[string]any{"recipient": c.Int(1, 99), "grams": in.Grams})},
		{"a string as grams", jsonOf(map[string]any{"recipient": in.Recipient, "grams": "heavy"})},
		{"half a gram", jsonOf(map[string]any{"recipient": in.Recipient, "grams": 0.5})},
		{"no body at all", ""},
	} {
		for _, r := range []*exam.Response{c.Post("/parcels", bad.body), c.Put("/parcels/"+p.ID, bad.body)} {
			did := r.Did() + ": " + bad.what
			if r.Status < 300 && !hasError(r) {
				c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusBadRequest), Saw: r.String() + ": this was taken for a parcel"})
			}
			wantErrorFor(c, r, did, http.StatusBadRequest)
		}
	}
}

func trailingData(c *exam.C) {
	p := created(c, newParcel(c))
	whole := jsonOf(newParcel(c).body())
	for _, more := range []string{jsonOf(newParcel(c).body()), "\n" + c.Words(2), " }"} {
		for _, r := range []*exam.Response{c.Post("/parcels", whole+more), c.Put("/parcels/"+p.ID, whole+more)} {
			if r.Status < 300 && !hasError(r) {
				c.Fail(exam.Finding{Did: r.Did(),
					Expected: statusText(http.StatusBadRequest),
					Saw:      fmt.Sprintf("%s: the first JSON value was read, and what stands behind it was not looked at: %s. Decode stops after one value", r, short(more))})
			}
			wantError(c, r, http.StatusBadRequest)
		}
	}
	r := c.Post("/parcels", whole+"\r\n\t ")
	if r.Status >= 400 {
		c.Fail(exam.Finding{Did: r.Did() + " and white space behind it",
			Expected: "201: white space may follow", Saw: r.String(),
			Why: "curl, editors and many libraries end a body with a line break."})
	}
}

func values(c *exam.C) {
	p := created(c, newParcel(c))
	in := newParcel(c)
	for _, bad := range []struct {
		rule string
		body map[string]any
	}{
		{"recipient is missing", map[string]any{"grams": in.Grams, "note": in.Note}},
		{"recipient is empty", map[string]any{"recipient": "", "grams": in.Grams}},
		{"grams is missing", map[string]any{"recipient": in.Recipient, "note": in.Note}},
		{"grams is 0", map[string]any{"recipient": in.Recipient, "grams": 0}},
		{"grams is negative", map[string]any{"recipient": in.Recipient, "grams": -in.Grams}},
		{"there is no field at all", map[string]any{}},
	} {
		for _, r := range []*exam.Response{c.Post("/parcels", bad.body), c.Put("/parcels/"+p.ID, bad.body)} {
			if r.Status < 300 && !hasError(r) {
				c.Fail(exam.Finding{Did: r.Did(), Expected: "400: " + bad.rule, Saw: r.String()})
			}
			wantError(c, r, http.StatusBadRequest)
		}
	}
}

// sized is a parcel in exactly n bytes of JSON.
func sized(c *exam.C, n int) (parcel, string) {
	p := newParcel(c)
	p.Note = c.Words(2) + " "
	p.Note += strings.Repeat("x", n-len(jsonOf(p.body())))
	return p, jsonOf(p.body())
}

func tooLarge(c *exam.C) {
	full, body := sized(c, limit)
	r := c.Post("/parcels", body)
	if r.Status == http.StatusRequestEntityTooLarge {
		c.Fail(exam.Finding{Expected: "201: a body of 65,536 bytes is not larger than 64 KiB", Saw: r.String(),
			Why: "A limit is part of the contract. A client that keeps to it must not be refused."})
	}
	want(c, r, http.StatusCreated)
	got := wantParcel(c, r, full)
	want(c, c.Delete("/parcels/"+got.ID), http.StatusNoContent)

	p := created(c, newParcel(c))
	for _, size := range []int{limit + 1, 1 << 20} {
		_, body := sized(c, size)
		refusedAsLarge(c, c.Post("/parcels", body), size)
		refusedAsLarge(c, c.Put("/parcels/"+p.ID, body), size)
	}
}

func refusedAsLarge(c *exam.C, r *exam.Response, size int) {
	did := fmt.Sprintf("%s %s with a parcel of %d bytes", r.Method, r.Path, size)
	switch {
	case r.Status < 300 && !hasError(r):
		c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusRequestEntityTooLarge),
			Saw: statusText(r.Status) + ": the program has read all of it"})
	case r.Status == http.StatusBadRequest:
		c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusRequestEntityTooLarge),
			Saw: r.String() + ": the limit held, but the answer calls it bad JSON",
			Why: "With 400 the client looks for a mistake in its JSON. 413 tells it the one thing that helps: send less.",
			Detail: "The error that the limit raises comes out of Decode or ReadAll, perhaps wrapped. errors.As finds *http.MaxBytesError in it; " +
				"a limit made with io.LimitReader raises none and simply cuts the body."})
	}
	wantErrorFor(c, r, did, http.StatusRequestEntityTooLarge)
}

// endlessBody sends a megabyte in chunks and then nothing, without an end. The
// megabyte is more than net/http itself reads of a body that a handler left.
func endlessBody(c *exam.C) {
	_, body := sized(c, 1<<20)
	body = strings.TrimSuffix(body, `"}`)
	r, err := c.Try(http.MethodPost, "/parcels", body, exam.Unfinished())
	f := exam.Finding{
		Did:      "POST /parcels with 1 MiB of a chunked body whose end never comes",
		Expected: "413 as soon as 64 KiB are passed",
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		f.Saw = "no answer: after 1 MiB the program still waits for the rest. The limit is only looked at once the whole body has arrived, or only in Content-Length"
		c.Fail(f)
	case err != nil:
		f.Saw = "no answer: " + err.Error()
		c.Fail(f)
	}
	wantError(c, r, http.StatusRequestEntityTooLarge)
}

func harmless(c *exam.C) {
	p := created(c, newParcel(c))
	before := list(c)
	in := newParcel(c)
	_, large := sized(c, limit+1)
	for _, refused := range []struct {
		what string
		body any
		opts []exam.RequestOption
	}{
		{"that is not JSON", `{"recipient": "` + in.Recipient + `", `, nil},
		{"that breaks a rule", map[string]any{"recipient": in.Recipient, "grams": 0}, nil},
		{"of the wrong type", map[string]any{"recipient": in.Recipient, "note": in.Note, "grams": "heavy"}, nil},
		{"declared as text/plain", in.body(), []exam.RequestOption{exam.Header("Content-Type", "text/plain")}},
		{"over 64 KiB", large, nil},
	} {
		c.Put("/parcels/"+p.ID, refused.body, refused.opts...)
		unchanged(c, before, "PUT /parcels/"+p.ID+" with a body "+refused.what)
		c.Post("/parcels", refused.body, refused.opts...)
		unchanged(c, before, "POST /parcels with a body "+refused.what)
	}
}

func short(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 24 {
		return s[:24] + "…"
	}
	return s
}
