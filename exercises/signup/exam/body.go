package exam

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

const limit = 1 << 20

func malformed(c *exam.C) {
	whole := jsonOf(newTeam(c))
	for _, bad := range []struct{ what, body string }{
		{"no body at all", ""},
		{"a team that breaks off before its last }", whole[:len(whole)-1]},
		{"a form, declared as JSON", "name=" + c.Words(1)},
		{"a comma before the last }", whole[:len(whole)-1] + ",}"},
		{"a list with a team in it", "[" + whole + "]"},
		{"a text", jsonOf(c.Words(2))},
		{"null", "null"},
		{"a name that is not UTF-8", strings.Replace(whole, "The ", "Th\xe9 ", 1)},
		{"500,000 times [", strings.Repeat("[", 500_000)},
	} {
		did := "POST /teams with " + bad.what
		r := c.Post("/teams", bad.body)
		if r.Status == http.StatusCreated && strings.Contains(bad.what, "UTF-8") {
			c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusBadRequest),
				Saw:  r.String() + ": encoding/json puts U+FFFD where it can't read a byte, and says nothing",
				Read: lesson + "what-encodingjson-lets-through"})
		}
		wantProblem(c, r, did, kindMalformed)
	}
}

func trailing(c *exam.C) {
	before := teams(c)
	for _, more := range []struct{ what, text string }{
		{"a second team behind it", jsonOf(newTeam(c))},
		{"words behind it", "\n" + c.Words(2)},
		{"one more } behind it", " }"},
	} {
		r := c.Post("/teams", jsonOf(newTeam(c))+more.text)
		did := "POST /teams with a good team and " + more.what
		if r.Status == http.StatusCreated {
			c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusBadRequest),
				Saw: r.String() + ": the first JSON value was read, and what stands behind it was not looked at. Decode stops after one value"})
		}
		wantProblem(c, r, did, kindMalformed)
	}
	wantNoneStored(c, before, "POST /teams with three bodies that go on behind the team, each answered with 400")
	team := newTeam(c)
	acceptedBody(c, "POST /teams with a good team and white space behind it", jsonOf(team)+"\r\n\t ", team)
}

// sameKey repeats keys in the team, in a runner and in a key that is unknown
// anyway; and shows that the same key in two objects is no repetition.
func sameKey(c *exam.C) {
	whole := jsonOf(newTeam(c))
	again := func(key string) string { return strings.TrimSuffix(whole, "}") + `,` + key + `}` }
	for _, twice := range []struct{ what, body string }{
		{"a second name", again(`"name":` + jsonOf(c.Unique("Other")))},
		{"a second club, equal to the first", again(whole[strings.Index(whole, `"club"`):strings.Index(whole, `,"email"`)])},
		{"a second shirt for runner 0", strings.Replace(whole, `"shirt":`, `"shirt":"S","shirt":`, 1)},
		{`a second name, under the key n\u0061me`, again(`"n\u0061me":` + jsonOf(c.Unique("Other")))},
		{"a second x inside of an unknown key", again(`"extra":{"x":1,"x":2}`)},
		{"a second x in an object inside of an unknown key of runner 0", strings.Replace(whole, `"shirt":`, `"extra":{"x":1,"x":2},"shirt":`, 1)},
	} {
		r := c.Post("/teams", twice.body)
		did := "POST /teams with a good team that has " + twice.what
		if r.Status == http.StatusCreated {
			c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusBadRequest),
				Saw: r.String() + ": one of the two was stored, and the other is gone. encoding/json takes the last, and says nothing"})
		}
		if errs, _ := readErrors(r); r.Status == http.StatusUnprocessableEntity {
			c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusBadRequest),
				Saw: fmt.Sprintf("422 with the errors %s: the fields were judged, and the key that stands twice was not noticed. Any object counts, however deep, also where its key is unknown", listed(errs))})
		}
		wantProblem(c, r, did, kindMalformed)
	}
}

func mediaType(c *exam.C) {
	before := teams(c)
	for _, declared := range []string{"text/plain", "application/x-www-form-urlencoded", "application/problem+json", "application/jsonp", ""} {
		r := c.Post("/teams", newTeam(c), exam.Header("Content-Type", declared))
		did := "POST /teams with a good team, " + declaredAs(declared)
		if r.Status == http.StatusCreated {
			c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusUnsupportedMediaType), Saw: "201: it was read as JSON all the same"})
		}
		wantProblem(c, r, did, kindMedia)
	}
	wantNoneStored(c, before, "POST /teams with five wrong media types, each answered with 415")
	for _, declared := range []string{"application/json; charset=utf-8", "Application/JSON", "application/json;charset=\"UTF-8\""} {
		team := newTeam(c)
		r := c.Post("/teams", team, exam.Header("Content-Type", declared))
		did := "POST /teams with a good team, " + declaredAs(declared)
		if r.Status == http.StatusUnsupportedMediaType {
			c.Fail(exam.Finding{Did: did, Expected: "201: the media type is application/json",
				Saw: "415. A header is not a text: the type is not case-sensitive, and what stands behind ; are parameters",
				Why: "Many HTTP libraries add the charset by themselves. Their users cannot know why you refuse them."})
		}
		accepted(c, r, did, team)
	}
}

func declaredAs(mediaType string) string {
	if mediaType == "" {
		return "with no Content-Type"
	}
	return "with Content-Type: " + mediaType
}

// sized is a good team in exactly n bytes, with the white space that this takes
// before its first key or behind all of it.
func sized(c *exam.C, n int, behind bool) (object, string) {
	team := newTeam(c)
	body := jsonOf(team)
	space := strings.Repeat(" ", n-len(body))
	if behind {
		return team, body + space
	}
	return team, "{" + space + body[1:]
}

func tooLarge(c *exam.C) {
	for _, behind := range []bool{false, true} {
		where := map[bool]string{false: "white space in front", true: "white space behind it"}[behind]
		team, body := sized(c, limit, behind)
		did := "POST /teams with a good team of 1,048,576 bytes, most of them " + where
		r := c.Post("/teams", body)
		if r.Status == http.StatusRequestEntityTooLarge {
			c.Fail(exam.Finding{Did: did, Expected: "201: the limit is 1 MiB, and this is 1 MiB", Saw: "413"})
		}
		accepted(c, r, did, team)
		_, body = sized(c, limit+1, behind)
		did = "POST /teams with a good team of 1,048,577 bytes, most of them " + where
		r = c.Post("/teams", body)
		switch r.Status {
		case http.StatusCreated:
			c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusRequestEntityTooLarge), Saw: "201: it was read and stored"})
		case http.StatusBadRequest:
			c.Fail(exam.Finding{Did: did, Expected: statusText(http.StatusRequestEntityTooLarge),
				Saw: r.String() + ": the limit held, and the answer calls it bad JSON",
				Why: "With 400 the client looks for a mistake in its JSON. 413 tells it the one thing that helps: send less."})
		}
		wantProblem(c, r, did, kindTooLarge)
	}
	endless(c)
}

// endless sends more than net/http itself reads of a body that a handler left,
// and then nothing.
func endless(c *exam.C) {
	_, body := sized(c, 2*limit, false)
	r, err := c.Try(http.MethodPost, "/teams", body[:len(body)-1], exam.Unfinished())
	f := exam.Finding{
		Did:      "POST /teams with 2 MiB in chunks, and no end",
		Expected: "413 as soon as 1 MiB is passed",
		Why:      "Content-Length is what the client says of itself, and a chunked body has none. Only counting while reading holds.",
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		f.Saw = "no answer: after 2 MiB the program still waits for the rest. The limit is looked at when the whole body is there, or only in Content-Length"
		c.Fail(f)
	case err != nil:
		f.Saw = "no answer: " + err.Error()
		c.Fail(f)
	}
	wantProblem(c, r, f.Did, kindTooLarge)
}
