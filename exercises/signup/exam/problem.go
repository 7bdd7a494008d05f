package exam

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

const kinds = "https://signup.example/problems/"

// kind is a row of the task's table: a status and its type.
type kind struct {
	status int
	uri    string
}

var (
	blank = "about:blank"

	kindMalformed = kind{http.StatusBadRequest, kinds + "malformed"}
	kindInvalid   = kind{http.StatusUnprocessableEntity, kinds + "invalid"}
	kindTaken     = kind{http.StatusConflict, kinds + "name-taken"}
	kindNotFound  = kind{http.StatusNotFound, blank}
	kindMethod    = kind{http.StatusMethodNotAllowed, blank}
	kindTooLarge  = kind{http.StatusRequestEntityTooLarge, blank}
	kindMedia     = kind{http.StatusUnsupportedMediaType, blank}
	kindInternal  = kind{http.StatusInternalServerError, blank}
	kindAway      = kind{http.StatusServiceUnavailable, blank}
)

// problem is what a refusal says.
type problem struct {
	Type, Title, Detail, Instance string
	Errors                        []fieldError
}

// wantProblem fails unless the answer is a problem of that kind, in the form of
// the task. did is what was done, in words that name the point of it.
func wantProblem(c *exam.C, r *exam.Response, did string, k kind) problem {
	wantStatus(c, r, did, k.status)
	wantProblemType(c, r, did)
	object := problemObject(c, r, did)
	text := func(name string) string {
		value, there := object[name]
		s, ok := value.(string)
		if ok && strings.TrimSpace(s) != "" {
			return s
		}
		f := exam.Finding{Did: did, Expected: fmt.Sprintf("the member %q: a text", name), Saw: fmt.Sprintf("no member %q in %s", name, r)}
		if there {
			f.Saw = name + ": " + jsonOf(value)
		}
		f.Read = lesson + "one-form-for-every-error"
		c.Fail(f)
		return ""
	}
	p := problem{Type: text("type"), Title: text("title"), Detail: text("detail"), Instance: text("instance")}
	wantMembers(c, r, did, k, p, object)
	if k == kindInvalid {
		p.Errors = errorsIn(c, r, did, object)
	}
	return p
}

// wantMembers looks at what the five members say.
func wantMembers(c *exam.C, r *exam.Response, did string, k kind, p problem, object map[string]any) {
	f := exam.Finding{Did: did, Read: lesson + "one-form-for-every-error"}
	if number, ok := object["status"].(json.Number); !ok || number.String() != fmt.Sprint(r.Status) {
		f.Expected = fmt.Sprintf("the member \"status\": %d, the number in the status line", r.Status)
		f.Saw = "no such member in " + r.String()
		if value, there := object["status"]; there {
			f.Saw = "status: " + jsonOf(value)
		}
		f.Why = "The member is a copy for those who have only the body left, in a queue or a log. A copy that differs is worse than none."
		c.Fail(f)
	}
	if p.Type != k.uri {
		f.Expected, f.Saw = "type: "+k.uri, "type: "+p.Type
		f.Why = "The type is what a client compares. It is a name, and names are compared letter by letter."
		c.Fail(f)
	}
	if k.uri == blank && p.Title != http.StatusText(r.Status) {
		f.Expected = fmt.Sprintf("title: %s, the status in words, because the type is about:blank", http.StatusText(r.Status))
		f.Saw = "title: " + p.Title
		f.Why = "about:blank means: nothing more to say than the status. A title of its own would name a kind of problem that there is no type for."
		c.Fail(f)
	}
	if _, err := url.Parse(p.Instance); err != nil || strings.ContainsAny(p.Instance, " \t\n\"<>") {
		f.Expected, f.Saw = "instance: a URI reference", "instance: "+p.Instance
		c.Fail(f)
	}
}

// wantStatus fails unless the status is that of the refusal.
func wantStatus(c *exam.C, r *exam.Response, did string, status int) {
	if r.Status == status {
		return
	}
	f := exam.Finding{Did: did, Expected: statusText(status), Saw: r.String()}
	switch {
	case r.Status < 300 && hasMember(r, "title"):
		f.Saw += fmt.Sprintf(": a refusal in the body, and %s in the status line", statusText(r.Status))
		f.Why = "Every client, proxy and graph goes by the status line. A refusal that travels as a success is believed."
	case r.Status < 300 && r.Method == http.MethodPost:
		f.Saw += ": this was taken for a good team"
	case r.Status >= 500 && status < 500:
		f.Saw += ": the fault is in the request, and this says that it is in the service"
		f.Why = "A 5xx wakes somebody up, and makes a client send the same again. This one will never be accepted."
	case r.Status == http.StatusBadRequest && status == http.StatusUnprocessableEntity:
		f.Saw += ". The body is a JSON object, so it is its fields that are judged"
		f.Read = lesson + "two-kinds-of-wrong"
	case r.Status == http.StatusUnprocessableEntity && status == http.StatusBadRequest:
		f.Saw += ". There is no team here of which the fields could be judged"
		f.Read = lesson + "two-kinds-of-wrong"
	}
	c.Fail(f)
}

// wantProblemType fails unless the answer says that it is a problem, and tells
// apart the ways in which it comes to say something else.
func wantProblemType(c *exam.C, r *exam.Response, did string) {
	got := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(got)
	if err == nil && media == "application/problem+json" {
		return
	}
	f := exam.Finding{Did: did, Expected: fmt.Sprintf("%d with Content-Type: application/problem+json", r.Status),
		Saw: fmt.Sprintf("%d with Content-Type: %s", r.Status, got), Why: whyForm, Read: lesson + "one-form-for-every-error"}
	plain := got == "text/plain; charset=utf-8"
	nosniff := r.Header.Get("X-Content-Type-Options") == "nosniff"
	switch text := strings.TrimSpace(string(r.Body)); {
	case got == "":
		f.Saw = "no Content-Type header"
	case text == "404 page not found", text == "Method Not Allowed":
		f.Saw = fmt.Sprintf("%d with the text %q as text/plain: the mux of net/http wrote this answer, because no pattern of yours matches", r.Status, text)
	case plain && nosniff && hasMember(r, "title"):
		f.Saw = fmt.Sprintf("%s as text/plain: http.Error says so whatever was set before", r)
	case plain && nosniff:
		f.Saw = fmt.Sprintf("%d with a text as text/plain, from http.Error", r.Status)
		f.Detail = "This is the place to begin. Let every refusal go through one function, as fail in problem.go is one, and let that send the five members of a problem document with this Content-Type. Then grade again."
	case plain:
		f.Saw += ": net/http guessed this from the first bytes, because no Content-Type was set, or it was set after WriteHeader"
	case media == "application/json":
		f.Saw += ": this is the type of a team. A client that gets it looks for a name and an email"
	}
	c.Fail(f)
}

// problemObject is the body, which must be one JSON object.
func problemObject(c *exam.C, r *exam.Response, did string) map[string]any {
	d := json.NewDecoder(strings.NewReader(string(r.Body)))
	var first, second any
	if d.Decode(&first) == nil && d.Decode(&second) == nil {
		c.Fail(exam.Finding{Did: did, Expected: "one JSON object",
			Saw:  r.String() + ": two answers, one behind the other. The handler wrote one and went on",
			Why:  "Writing an answer does not end a handler. Whatever comes next is done as well.",
			Read: lesson + "one-form-for-every-error"})
	}
	return r.Object(exam.Did(did), exam.Expected("a JSON object with the members of a problem"))
}

func hasMember(r *exam.Response, name string) bool {
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(string(r.Body)))
	return d.Decode(&object) == nil && object[name] != nil
}

func statusText(code int) string { return fmt.Sprintf("%d %s", code, http.StatusText(code)) }

// problemDocument looks for teams that are not there, under ids of every sort.
func problemDocument(c *exam.C) {
	for _, id := range []string{fmt.Sprint(c.Int(1_000_000, 9_000_000)), c.Unique("team"), "99999999999999999999", "-1"} {
		r := c.Get("/teams/" + id)
		wantProblem(c, r, r.Did(), kindNotFound)
	}
}

func paths(c *exam.C) {
	path := created(c, "", newTeam(c))
	for _, unknown := range []string{"/" + c.Unique("path"), "/", path + "/" + c.Unique("runners")} {
		r := c.Get(unknown)
		wantProblem(c, r, r.Did(), kindNotFound)
	}
	for _, wrong := range []struct{ method, path, allowed string }{
		{http.MethodGet, "/teams", "POST"},
		{http.MethodDelete, "/teams", "POST"},
		{http.MethodPut, path, "GET"},
		{http.MethodDelete, path, "GET"},
	} {
		r := c.Do(wrong.method, wrong.path, nil)
		wantProblem(c, r, r.Did(), kindMethod)
		wantAllow(c, r, wrong.allowed)
	}
}

// wantAllow fails unless Allow names that one method; HEAD and OPTIONS may be
// there too.
func wantAllow(c *exam.C, r *exam.Response, method string) {
	header := strings.Join(r.Header.Values("Allow"), ",")
	named := false
	others := false
	for m := range strings.SplitSeq(header, ",") {
		switch strings.TrimSpace(m) {
		case method:
			named = true
		case "", http.MethodHead, http.MethodOptions:
		default:
			others = true
		}
	}
	saw := "no Allow header"
	if header != "" {
		saw = "Allow: " + header
	}
	c.Require(named && !others, exam.Finding{Did: r.Did(), Expected: "Allow: " + method, Saw: saw,
		Why: "A 405 must say what is allowed instead (RFC 9110, section 15.5.6)."})
}

// occurrences compares answers of the same kind: two that are wrong in different
// places, and two that are wrong in the same.
func occurrences(c *exam.C) {
	bad := with(newTeam(c), "name", "Ox")
	worse := without(newTeam(c), "email")
	unknown := fmt.Sprintf("/teams/%d", c.Int(1_000_000, 9_000_000))
	for _, pair := range [][2]struct {
		what string
		ask  func() *exam.Response
		kind kind
	}{
		{{"a team without email", func() *exam.Response { return c.Post("/teams", worse) }, kindInvalid},
			{"a team with a name of two letters", func() *exam.Response { return c.Post("/teams", bad) }, kindInvalid}},
		{{"a team with a name of two letters", func() *exam.Response { return c.Post("/teams", bad) }, kindInvalid},
			{"the same again", func() *exam.Response { return c.Post("/teams", bad) }, kindInvalid}},
		{{"a body that is empty", func() *exam.Response { return c.Post("/teams", "") }, kindMalformed},
			{"a body that is [1]", func() *exam.Response { return c.Post("/teams", "[1]") }, kindMalformed}},
		{{"GET " + unknown, func() *exam.Response { return c.Get(unknown) }, kindNotFound},
			{"the same again", func() *exam.Response { return c.Get(unknown) }, kindNotFound}},
	} {
		did := pair[0].what + ", then " + pair[1].what
		if pair[0].kind != kindNotFound {
			did = "POST /teams with " + did
		}
		a := wantProblem(c, pair[0].ask(), did, pair[0].kind)
		b := wantProblem(c, pair[1].ask(), did, pair[1].kind)
		c.Require(a.Title == b.Title, exam.Finding{Did: did,
			Expected: fmt.Sprintf("the same title twice: both have the type %s", a.Type),
			Saw:      fmt.Sprintf("%q, then %q. What is special about a case belongs into detail", a.Title, b.Title)})
		c.Require(a.Instance != b.Instance, exam.Finding{Did: did,
			Expected: "two instances: these are two occurrences",
			Saw:      fmt.Sprintf("twice the instance %s%s", a.Instance, pathRemark(a.Instance))})
	}
}

func pathRemark(instance string) string {
	if strings.HasPrefix(instance, "/teams") {
		return ". That is the path of the request, and thousands of requests share it"
	}
	return ""
}
