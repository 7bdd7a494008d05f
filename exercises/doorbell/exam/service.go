package exam

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// alike tells whether two texts mean the same as a value of the variable.
func alike(name, a, b string) bool {
	switch name {
	case "RING_TIMEOUT":
		x, errX := time.ParseDuration(a)
		y, errY := time.ParseDuration(b)
		return errX == nil && errY == nil && x == y
	case "QUIET":
		x, errX := strconv.ParseBool(a)
		y, errY := strconv.ParseBool(b)
		return errX == nil && errY == nil && x == y
	case "DOORS":
		return slices.Equal(list(a), list(b))
	default:
		return a == b
	}
}

func list(text string) []string {
	all := strings.Split(text, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// shows fails unless the page has these settings.
func (h *house) shows(did string, page map[string]string, want [][2]string) {
	for _, s := range want {
		name, value := s[0], s[1]
		got := page[name]
		if alike(name, got, value) {
			continue
		}
		f := exam.Finding{
			Did:      did,
			Expected: fmt.Sprintf("%q: %q, or what means the same as a value of %s", name, value, name),
			Saw:      fmt.Sprintf("%q: %q", name, got),
		}
		if _, err := strconv.ParseInt(got, 10, 64); name == "RING_TIMEOUT" && err == nil {
			f.Saw += ": a number without its unit, which the program itself would refuse"
		}
		h.c.Fail(f)
	}
	for _, part := range []string{"http://", h.address, h.path} {
		h.c.Require(strings.Contains(page["PHONE_URL"], part), exam.Finding{
			Did:      did,
			Expected: "PHONE_URL with scheme, host, port and path: http, " + h.address + ", " + h.path,
			Saw:      fmt.Sprintf("%q", page["PHONE_URL"]),
			Why:      "A mask over the whole of it hides what one has come to see: which phone it is.",
			Read:     lesson + "say-what-you-run-with",
		})
	}
}

func defaults(c *exam.C) {
	h := newHouse(c)
	page := h.client(h.start("HOST")).config()
	h.shows("started the program with what it requires and nothing else, then GET /config", page, [][2]string{
		{"HOST", "127.0.0.1"}, {"RING_TIMEOUT", "2s"}, {"MAX_MESSAGE", "256"}, {"QUIET", "false"}, {"CHIME", "ding"},
		{"GREETING", "Somebody is at the door"}, {"DOORS", strings.Join(h.doors, ",")},
	})
}

// chosen is a setting other than the default for each optional variable.
func chosen(c *exam.C) [][2]string {
	return [][2]string{
		{"HOST", "localhost"},
		{"RING_TIMEOUT", fmt.Sprintf("%dms", 100*c.Int(31, 99))},
		{"MAX_MESSAGE", fmt.Sprint(c.Int(1, 65536))},
		{"QUIET", c.Pick("1", "true")},
		{"CHIME", c.Pick("gong", "buzz")},
		{"GREETING", c.Words(2)},
	}
}

func changes(settings [][2]string) []string {
	var all []string
	for _, s := range settings {
		all = append(all, s[0]+"="+s[1])
	}
	return all
}

func configPage(c *exam.C) {
	h := newHouse(c)
	settings := chosen(c)
	r := h.start(changes(settings)...)
	did := "started the program " + nothingWrong(changes(settings)) + ", then GET /config"
	page := h.client(r).config()
	h.shows(did, page, append(settings, [2]string{"DOORS", strings.Join(h.doors, ",")}, [2]string{"PORT", fmt.Sprint(r.Port())}))
	c.Client("stranger", exam.ToInstance(r.Instance)).Get("/config").Want(http.StatusUnauthorized,
		exam.Did("GET /config without the key"), exam.Why("Even without secrets the page tells a stranger what to attack."))
}

func startLines(c *exam.C) {
	h := newHouse(c)
	settings := chosen(c)
	r := h.start(changes(settings)...)
	page := h.client(r).config()
	r.Kill() // everything that it has said is known then
	lines := r.Stderr()
	for _, name := range names {
		values := []string{page[name]}
		switch name {
		case "API_KEY":
			values = nil // what stands in its place is free
		case "PHONE_URL":
			values = []string{h.address, h.path}
		case "DOORS":
			values = h.doors
		}
		if slices.ContainsFunc(lines, func(line string) bool {
			return mentions(line, name) && !slices.ContainsFunc(values, func(v string) bool { return !strings.Contains(line, v) })
		}) {
			continue
		}
		f := exam.Finding{
			Did:      "started the program " + nothingWrong(changes(settings)),
			Expected: fmt.Sprintf("a line on standard error with %s and its value %q", name, page[name]),
			Saw:      "none. It said: " + said(lines),
		}
		if line := find(lines, name); line != "" {
			f.Saw = line
		}
		c.Fail(f)
	}
}

func key(c *exam.C) {
	h := newHouse(c)
	h.connect()
	r := h.start()
	h.client(r).ring(h.doors[0], "").Want(http.StatusOK)
	stranger := c.Client("stranger", exam.ToInstance(r.Instance))
	for _, try := range [][2]string{
		{"without a key", ""}, {"with an empty key", "Bearer "}, {"with another key", "Bearer " + token(c, 24)},
		{"with the beginning of the key", "Bearer " + h.key[:8]},
	} {
		stranger.Post("/doors/"+h.doors[0]+"/ring", "", exam.Header("Authorization", try[1])).
			Want(http.StatusUnauthorized, exam.Did("POST /doors/"+h.doors[0]+"/ring "+try[0]))
	}
}

func call(c *exam.C) {
	for _, greeting := range []string{c.Words(3), ""} {
		h := newHouse(c)
		p := h.connect()
		chime, message := c.Pick("gong", "buzz"), c.Words(2)
		change := []string{"CHIME=" + chime, "GREETING=" + greeting}
		r := h.client(h.start(change...)).ring(h.doors[1], message)
		did := "started the program " + nothingWrong(change) + ", and rang at the door " + h.doors[1]
		r.Want(http.StatusOK, exam.Did(did))
		made := p.made()
		c.Require(len(made) == 1, exam.Finding{Did: did, Expected: "one call of the phone", Saw: fmt.Sprintf("%d calls", len(made))})
		got := made[0]
		user, password, _ := (&http.Request{Header: got.Header}).BasicAuth()
		var body map[string]any
		_ = json.Unmarshal(got.Body, &body) // what is no JSON leaves nil
		for _, s := range []struct{ what, got, want string }{
			{"the path of the URL", got.Path, h.path},
			{"the query of the URL", got.Query, "line=" + h.query},
			{"the user of the URL", user, h.user},
			{"the password of the URL", password, h.password},
			{"door", fmt.Sprint(body["door"]), h.doors[1]},
			{"chime", fmt.Sprint(body["chime"]), chime},
			{"greeting", fmt.Sprint(body["greeting"]), greeting},
			{"message", fmt.Sprint(body["message"]), message},
		} {
			c.Require(s.got == s.want, exam.Finding{Did: did,
				Expected: fmt.Sprintf("a call of the phone with %s: %q", s.what, s.want), Saw: fmt.Sprintf("%q", s.got)})
		}
	}
}

func limits(c *exam.C) {
	h := newHouse(c)
	p := h.connect()
	n := c.Int(20, 90)
	change := []string{"DOORS= " + h.doors[0] + " ,\t" + h.doors[1], fmt.Sprintf("MAX_MESSAGE=%d", n), "QUIET=0"}
	cl := h.client(h.start(change...))
	did := func(what string) exam.Option {
		return exam.Did("started the program with " + environment(change) + ", and rang " + what)
	}
	for _, door := range h.doors[:2] {
		cl.ring(door, strings.Repeat("x", n)).Want(http.StatusOK, did(fmt.Sprintf("at the door %s with a message of %d bytes", door, n)))
	}
	cl.ring(h.doors[2], "").Want(http.StatusNotFound, did("at the door "+h.doors[2]))
	cl.ring(h.doors[0], strings.Repeat("x", n+1)).Want(http.StatusRequestEntityTooLarge, did(fmt.Sprintf("with a message of %d bytes", n+1)))
	before := len(p.made())
	for _, quiet := range []string{"true", "1"} {
		change = []string{"QUIET=" + quiet}
		r := h.client(h.start(change...)).ring(h.doors[0], "").Want(http.StatusOK, did("at the door "+h.doors[0]))
		c.Require(r.Object()["rang"] == false && len(p.made()) == before, exam.Finding{
			Did:      "started the program with QUIET=" + quiet + ", and rang",
			Expected: `200 {"rang":false}, and no call of the phone`,
			Saw:      fmt.Sprintf("%s, and %d calls", r, len(p.made())-before),
		})
	}
}

// timeout runs two programs against one phone that does not answer. The first
// gives up; only then the phone answers the second, which is patient.
func timeout(c *exam.C) {
	h := newHouse(c)
	p := h.connect()
	wake := p.fallSilent()
	short, long := h.start("RING_TIMEOUT=150ms"), h.start("RING_TIMEOUT=30s")
	c.Parallel(func() {
		defer wake()
		cl := h.client(short)
		f := exam.Finding{
			Did:      "started the program with RING_TIMEOUT=150ms, and rang while the phone did not answer, three times",
			Expected: "504 after 150 ms, at most a second later",
			Saw:      "no answer within 1.5 s, each time",
		}
		for range 3 { // a busy machine may be late once
			r, err := cl.Try(http.MethodPost, "/doors/"+h.doors[0]+"/ring", "", cl.key, exam.Timeout(1500*time.Millisecond))
			if err == nil && r.Status == http.StatusGatewayTimeout {
				return
			}
			if err == nil {
				f.Saw = r.String()
				break
			}
		}
		c.Fail(f)
	}, func() {
		r := h.client(long).ring(h.doors[0], "", exam.Timeout(15*time.Second))
		r.Want(http.StatusOK, exam.Did("started the program with RING_TIMEOUT=30s, and rang; the phone answered within seconds"))
	})
}
