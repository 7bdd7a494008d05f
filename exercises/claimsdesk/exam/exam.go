// Package exam examines TODO: the service, in a few words.
package exam

import (
	"fmt"
	"net/http"

	"github.com/cairn-learn/cairn/grader/exam"
)

// TODO: why each promise matters in production, in words of your own.
const (
	whyName    = "Whoever asks for one thing and gets another, with status 200, passes it on as true."
	whyRefusal = "A client decides by the status whether the fault is its own, and by the error what to correct."
	whyNote    = "Other programs write to the same table, and a note that is not found is no failure of the service."
)

// Exam declares the checks.
func Exam(x *exam.X) {
	x.Check("hello", "greets by name", hello,
		exam.Why(whyName), exam.Read("security/object-access#the-idea"))
	x.Check("nameless", "refuses a request without a name", nameless, exam.After("hello"),
		exam.Why(whyRefusal), exam.Read("security/object-access#the-idea"))
	x.Check("note", "answers with a row of the table", note, exam.After("hello"),
		exam.Why(whyNote), exam.Read("security/object-access#the-idea"))
	x.Check("no-note", "says that a note is not there", noNote, exam.After("note"),
		exam.Why(whyNote), exam.Read("security/object-access#the-idea"))
}

// hello asks for two names: one answer alone could be a constant.
func hello(c *exam.C) {
	one, two := c.Unique("ada"), c.Unique("bob")
	first := c.Get("/hello?name=" + one)
	if first.Status == http.StatusNotFound {
		c.Fail(exam.Finding{
			Did: first.Did(), Expected: "200 OK", Saw: first.String() + ": nothing answers at this path yet",
			Detail: `This is the place to begin. In New, register a handler for the pattern "GET /hello", and grade again.`,
		})
	}
	first.Want(http.StatusOK).WantType("application/json")
	second := c.Get("/hello?name=" + two).Want(http.StatusOK).WantType("application/json")
	if got := fmt.Sprint(first.Object()["hello"]); got == fmt.Sprint(second.Object()["hello"]) {
		c.Fail(exam.Finding{Did: first.Did() + ", then " + second.Did(), Expected: "the name of each", Saw: fmt.Sprintf("%q both times: the name of the request makes no difference", got)})
	}
	c.Equal(first.Object()["hello"], one, "the name in the greeting")
	c.Equal(second.Object()["hello"], two, "the name in the greeting")
}

func nameless(c *exam.C) {
	for _, path := range []string{"/hello", "/hello?name="} {
		r := c.Get(path)
		if r.Status == http.StatusOK {
			c.Fail(exam.Finding{Did: r.Did(), Expected: "400 Bad Request", Saw: r.String() + ": a greeting for nobody"})
		}
		if r.Status >= http.StatusInternalServerError {
			c.Fail(exam.Finding{Did: r.Did(), Expected: "400 Bad Request", Saw: r.String() + ": 5xx tells the client that the service is broken, and to try again"})
		}
		r.Want(http.StatusBadRequest).WantType("application/json")
		if text, _ := r.Object()["error"].(string); text == "" {
			c.Fail(exam.Finding{Did: r.Did(), Expected: "an error that says what is wrong", Saw: r.String()})
		}
	}
}

// note writes its rows itself, so that the program can't have kept them.
func note(c *exam.C) {
	texts := []string{c.Words(3), c.Words(3)}
	for _, text := range texts {
		id := c.DB().Int("insert into notes (text) values ($1) returning id", text)
		r := c.Get(fmt.Sprintf("/notes/%d", id)).Want(http.StatusOK).WantType("application/json")
		if got := r.Object()["text"]; got != text {
			c.Fail(exam.Finding{
				Did:      "insert into notes (text) values ('" + text + "'), then GET /notes/ with the id of that row",
				Expected: fmt.Sprintf("%q", text), Saw: fmt.Sprintf("%q: the text of another row, or of none", got),
			})
		}
	}
}

func noNote(c *exam.C) {
	r := c.Get("/notes/999999999")
	if r.Status >= http.StatusInternalServerError {
		c.Fail(exam.Finding{Did: r.Did(), Expected: "404 Not Found", Saw: r.String() + ": no row is taken for a failure of the database"})
	}
	r.Want(http.StatusNotFound).WantType("application/json")
}
