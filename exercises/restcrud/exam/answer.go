package exam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

const (
	whyPlain  = "A client that asks for JSON parses every answer as JSON, errors too. On this one its parser fails, and its log shows a syntax error in place of yours."
	whyStatus = "A client decides by the status code alone whether to go on, to try again or to give up. It never reads the text."
)

// want fails unless the answer has the status; where the body betrays who wrote
// the answer, it says so.
func want(c *exam.C, r *exam.Response, status int) {
	if r.Status == status {
		return
	}
	f := exam.Finding{Did: r.Did(), Expected: statusText(status), Saw: r.String()}
	switch {
	case notFoundByNetHTTP(r):
		f.Saw = quoted(r) + ": net/http wrote this. No pattern of your mux matches this path, or a handler called http.NotFound"
		f.Detail = fmt.Sprintf("A pattern is a method, a space and a path, as in mux.HandleFunc(%q, …).", pattern(r))
		f.Read = lesson + "one-pattern-per-operation"
	case notAllowedByNetHTTP(r):
		f.Saw = quoted(r) + ": net/http wrote this. Your mux knows this path with " + r.Header.Get("Allow") + " only"
		f.Detail = fmt.Sprintf("A pattern is a method, a space and a path, as in mux.HandleFunc(%q, …).", pattern(r))
		f.Read = lesson + "one-pattern-per-operation"
	case r.Status >= 300 && r.Status < 400:
		f.Saw += ", to " + r.Header.Get("Location")
	case r.Status == http.StatusOK && len(r.Body) == 0:
		f.Saw += " with an empty body: what net/http sends when a handler returns without writing anything"
	case r.Status == http.StatusOK && status == http.StatusCreated:
		f.Saw += ". 200 is what net/http sends when the body begins before WriteHeader was called"
	}
	c.Fail(f)
}

// wantError fails unless the answer is an error as the contract describes it.
func wantError(c *exam.C, r *exam.Response, status int) { wantErrorFor(c, r, r.Did(), status) }

// wantErrorFor is wantError with other words for what was done.
func wantErrorFor(c *exam.C, r *exam.Response, did string, status int) {
	wantRefusal(c, r, did, status)
	wantJSON(c, r)
	oneValue(c, r)
	object := r.Object(exam.Expected(`an object such as {"error": "…"}`))
	text, ok := object["error"].(string)
	c.Require(ok && strings.TrimSpace(text) != "", exam.Finding{
		Did:      r.Did(),
		Expected: `an object such as {"error": "…"}, with a text that is not empty`,
		Saw:      r.String(),
		Why:      "One form for every error means one place in every client that shows or logs it.",
		Read:     lesson + "who-answered",
	})
}

// wantRefusal fails unless the status is the refusal that was asked for.
func wantRefusal(c *exam.C, r *exam.Response, did string, status int) {
	f := exam.Finding{Did: did, Expected: statusText(status), Saw: r.String()}
	switch {
	case r.Status == status:
		return
	case r.Status < 300 && hasError(r):
		f.Saw += fmt.Sprintf(": an error in the body, and %s in the status line", statusText(r.Status))
		f.Why = whyStatus
		f.Read = lesson + "the-status-line-is-the-answer"
	case r.Status == http.StatusNotFound && status == http.StatusMethodNotAllowed:
		f.Saw += ": the answer for a path that does not exist. This path exists; only its method is wrong"
		f.Why = "404 sends somebody looking for a typing mistake in a path that has none. A pattern \"/\" takes part in the matching with every method, so the mux has no reason left to say 405."
		f.Read = lesson + "who-answered"
	case r.Status >= 500 && status < 500:
		f.Saw += ": the fault is the client's, and this says that it is the server's"
		f.Why = "A 5xx wakes somebody up, and makes a client try the same request again. This one will never succeed."
		f.Read = lesson + "the-status-line-is-the-answer"
	default:
		want(c, r, status)
	}
	c.Fail(f)
}

// wantJSON fails unless the answer says that it is JSON, and tells apart the
// ways in which net/http comes to say something else.
func wantJSON(c *exam.C, r *exam.Response) {
	got := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(got); err == nil && media == "application/json" {
		return
	}
	f := exam.Finding{Did: r.Did(), Expected: "Content-Type: application/json", Saw: "Content-Type: " + got, Why: whyPlain, Read: lesson + "who-answered"}
	plain := got == "text/plain; charset=utf-8"
	nosniff := r.Header.Get("X-Content-Type-Options") == "nosniff"
	switch {
	case got == "":
		f.Saw = "no Content-Type header"
	case notFoundByNetHTTP(r), notAllowedByNetHTTP(r):
		f.Saw = fmt.Sprintf("%s as %s: net/http wrote this answer, not your code", quoted(r), got)
	case plain && nosniff:
		f.Saw = fmt.Sprintf("%s as %s: http.Error always says text/plain, whatever Content-Type was set before", r, got)
		f.Read = lesson + "headers-then-status-then-body"
	case plain:
		f.Saw = fmt.Sprintf("%s as %s: net/http guessed this from the first bytes, because no Content-Type was set, or it was set after WriteHeader", r, got)
		f.Read = lesson + "headers-then-status-then-body"
	}
	c.Fail(f)
}

// oneValue fails when a second JSON value follows the first: the mark of a
// handler that wrote an error and went on.
func oneValue(c *exam.C, r *exam.Response) {
	d := json.NewDecoder(bytes.NewReader(r.Body))
	var first, second any
	if d.Decode(&first) != nil || d.Decode(&second) != nil {
		return
	}
	c.Fail(exam.Finding{
		Did:      r.Did(),
		Expected: "one JSON value",
		Saw:      r.String() + ": two answers, one behind the other. The handler wrote an error and went on; a return is missing",
		Why:      "Writing an error does not end a handler. Whatever comes next is done as well: here, what had just been refused.",
		Read:     lesson + "an-error-ends-the-handler",
	})
}

// wantAllow fails unless Allow names the methods of the path, and not the one
// that was refused. HEAD and OPTIONS may be there.
func wantAllow(c *exam.C, r *exam.Response, methods ...string) {
	var allowed []string
	for m := range strings.SplitSeq(strings.Join(r.Header.Values("Allow"), ","), ",") {
		if m = strings.TrimSpace(m); m != "" && m != "HEAD" && m != "OPTIONS" {
			allowed = append(allowed, m)
		}
	}
	slices.Sort(allowed)
	slices.Sort(methods)
	if slices.Equal(slices.Compact(allowed), methods) {
		return
	}
	saw := "no Allow header"
	if len(allowed) > 0 {
		saw = "Allow: " + strings.Join(r.Header.Values("Allow"), ", ")
	}
	c.Fail(exam.Finding{
		Did:      r.Did(),
		Expected: "Allow: " + strings.Join(methods, ", "),
		Saw:      saw,
		Why:      "A 405 must say what is allowed instead (RFC 9110, section 15.5.6). It is the one error that tells a developer how to fix the request.",
		Read:     lesson + "who-answered",
	})
}

// quoted is an answer in plain text, which would look odd behind its status.
func quoted(r *exam.Response) string {
	return fmt.Sprintf("%d with the text %q", r.Status, strings.TrimSpace(string(r.Body)))
}

func notFoundByNetHTTP(r *exam.Response) bool {
	return r.Status == http.StatusNotFound && string(r.Body) == "404 page not found\n"
}

func notAllowedByNetHTTP(r *exam.Response) bool {
	return r.Status == http.StatusMethodNotAllowed && string(r.Body) == "Method Not Allowed\n"
}

func hasError(r *exam.Response) bool {
	var body struct {
		Error any `json:"error"`
	}
	return json.NewDecoder(bytes.NewReader(r.Body)).Decode(&body) == nil && body.Error != nil
}

// pattern is a mux pattern that would match the request.
func pattern(r *exam.Response) string {
	if strings.HasPrefix(r.Path, "/parcels/") {
		return r.Method + " /parcels/{id}"
	}
	return r.Method + " " + r.Path
}

func statusText(code int) string { return fmt.Sprintf("%d %s", code, http.StatusText(code)) }
