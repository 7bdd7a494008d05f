package exam

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// house is where one program is installed: its secrets and its phone.
type house struct {
	c                          *exam.C
	key, user, password, query string
	address                    string // of the phone, host:port
	path                       string
	doors                      []string
}

func newHouse(c *exam.C) *house {
	return &house{
		c: c, key: token(c, 24), user: token(c, 8), password: token(c, 14), query: token(c, 10),
		address: "127.0.0.1:9", path: "/" + c.Unique("phone"),
		doors: []string{c.Unique("front"), c.Unique("yard"), c.Unique("cellar")},
	}
}

// token is a secret that nothing else looks like: a letter that is no hex digit,
// a digit, a letter, and so on.
func token(c *exam.C, n int) string {
	const letters, digits = "ghjkpqrvwxyzGHJKPQRVWXYZ", "23456789"
	var b strings.Builder
	for i := range n {
		from := letters
		if i%2 == 1 {
			from = digits
		}
		b.WriteByte(from[c.Int(0, len(from)-1)])
	}
	return b.String()
}

// leaked returns the longest part of a token that stands in text, from three
// characters on; "" when there is none.
func leaked(text, token string) string {
	for n := len(token); n >= 3; n-- {
		for i := 0; i+n <= len(token); i++ {
			part := token[i : i+n]
			if n == 3 && i%2 == 1 {
				continue // two digits and a letter look like much else
			}
			if strings.Contains(text, part) {
				return part
			}
		}
	}
	return ""
}

func (h *house) phoneURL() string {
	u := url.URL{Scheme: "http", User: url.UserPassword(h.user, h.password), Host: h.address, Path: h.path, RawQuery: "line=" + h.query}
	return u.String()
}

// env is an environment in which nothing is wrong, with changes.
func (h *house) env(change ...string) []string {
	return append([]string{
		"PHONE_URL=" + h.phoneURL(), "API_KEY=" + h.key, "DOORS=" + strings.Join(h.doors, ","),
	}, change...)
}

// start starts the program where nothing is wrong, and fails unless it listens.
func (h *house) start(change ...string) *exam.Run {
	r := h.c.Run(patience, h.env(change...)...)
	if r.Listened {
		return r
	}
	saw := "it neither listened nor exited"
	if !r.Running() {
		saw = "it " + r.Ending() + ", and said: " + said(r.Stderr())
	}
	h.c.Fail(exam.Finding{
		Did:      "started the program " + nothingWrong(change),
		Expected: "it listens on its port",
		Saw:      saw,
		Why:      "A program that refuses good settings is as useless as one that takes bad ones.",
	})
	return nil
}

func nothingWrong(change []string) string {
	if len(change) == 0 {
		return "with all that it requires, and nothing wrong"
	}
	return "with " + environment(change) + ", and all else that it requires"
}

// environment says in words what changes: RING_TIMEOUT="5", no API_KEY.
func environment(change []string) string {
	var words []string
	for _, e := range change {
		if name, value, set := strings.Cut(e, "="); set {
			words = append(words, fmt.Sprintf("%s=%q", name, value))
		} else {
			words = append(words, "no "+name)
		}
	}
	return strings.Join(words, ", ")
}

// client talks to the run with the house's key.
func (h *house) client(r *exam.Run) *client {
	return &client{h.c.Client("panel", exam.ToInstance(r.Instance)), exam.Header("Authorization", "Bearer "+h.key)}
}

type client struct {
	*exam.Client
	key exam.RequestOption
}

func (cl *client) ring(door, message string, opts ...exam.RequestOption) *exam.Response {
	opts = append(opts, cl.key, exam.Header("Content-Type", "text/plain"))
	return cl.Post("/doors/"+door+"/ring", message, opts...)
}

// config returns the effective settings.
func (cl *client) config() map[string]string {
	r := cl.Get("/config", cl.key).Want(http.StatusOK)
	page := map[string]string{}
	for name, value := range r.Object() {
		if text, ok := value.(string); ok {
			page[name] = text
			continue
		}
		for _, known := range names {
			if name == known {
				cl.fail(r, fmt.Sprintf("a string for %s", name), fmt.Sprintf("%s: %v", name, value))
			}
		}
	}
	for _, name := range names {
		if _, ok := page[name]; !ok {
			cl.fail(r, "a member "+name, "none: "+r.String())
		}
	}
	return page
}

func (cl *client) fail(r *exam.Response, expected, saw string) {
	r.Want(0, exam.Expected(expected), exam.Saw(saw))
}

// phone is the telephone of a house, in the examiner's hands.
type phone struct {
	*exam.Upstream
	before int // calls that other houses had
}

// connect gives the house a phone that answers.
func (h *house) connect() *phone {
	u := h.c.Upstream("phone")
	p := &phone{Upstream: u, before: len(u.Calls("/"))}
	h.address = u.Addr()
	p.answers(http.StatusNoContent)
	return p
}

// listen takes a port until the check ends.
func (h *house) listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // cairn's own trouble
	}
	context.AfterFunc(h.c.Context(), func() { _ = l.Close() })
	return l
}

// answers sets the status that calls get from now on.
func (p *phone) answers(status int) { p.On("/", exam.Answer{Status: status}) }

// fallSilent lets calls wait: they get no answer from now on, until the function
// that it returns is called.
func (p *phone) fallSilent() (wake func()) {
	p.On("/", exam.Answer{Status: http.StatusNoContent, Hold: true})
	return func() {
		p.answers(http.StatusNoContent)
		p.Release()
	}
}

// made returns the calls since the house was connected.
func (p *phone) made() []*exam.Call { return p.Calls("/")[p.before:] }
