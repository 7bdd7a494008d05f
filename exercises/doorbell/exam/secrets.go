package exam

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

// tells fails when text, from the place that where names, holds a part of one of
// the house's secrets.
func (h *house) tells(did, where, text string) {
	what, secret, part := "", "", ""
	for _, s := range [][2]string{
		{"API_KEY", h.key}, {"the password of PHONE_URL", h.password},
		{"the query of PHONE_URL", h.query}, {"the user of PHONE_URL", h.user},
	} {
		if p := leaked(text, s[1]); len(p) > len(part) {
			what, secret, part = s[0], s[1], p
		}
	}
	if part == "" {
		return
	}
	f := exam.Finding{Did: did, Expected: "nothing of " + what + " " + where, Saw: around(text, part) + ": the whole of it"}
	if part != secret {
		f.Saw = fmt.Sprintf("%s: %d characters of it, %q", around(text, part), len(part), part)
	}
	h.c.Fail(f)
}

// around returns the line of text that holds part, shortened to what stands
// before it.
func around(text, part string) string {
	line := text
	for l := range strings.Lines(text) {
		if strings.Contains(l, part) {
			line = strings.TrimSpace(l)
			break
		}
	}
	const before = 70
	i := strings.Index(line, part)
	from, to := max(0, i-before), i+len(part)
	cut := strings.ToValidUTF8(line[from:to], "")
	if from > 0 {
		cut = "…" + cut
	}
	if to < len(line) {
		cut += "…"
	}
	return cut
}

func secretsAtStart(c *exam.C) {
	h := newHouse(c)
	h.connect()
	spare := token(c, 20)
	r := h.start("SPARE_TOKEN=" + spare)
	cl := h.client(r)
	did := "started the program with nothing wrong"
	h.tells(did+", then GET /config", "on the page", string(cl.Get("/config", cl.key).Body))
	stranger := c.Client("stranger", exam.ToInstance(r.Instance))
	h.tells("GET /config without the key", "in the answer", string(stranger.Get("/config").Body))
	cl.ring(h.doors[0], c.Words(1)).Want(http.StatusOK)
	page := string(cl.Get("/config", cl.key).Body)
	r.Kill()
	h.tells(did+", and rang", "in its output", r.Log())
	if part := leaked(r.Log()+page, spare); part != "" {
		c.Fail(exam.Finding{
			Did:      "started the program with a variable of another program beside its own, SPARE_TOKEN",
			Expected: "nothing of it in the output, nor at /config",
			Saw:      around(r.Log()+page, part),
			Why:      "An environment holds what others have put there: tokens of the cloud, of the build, of the shell. os.Environ() gives all of it.",
			Read:     lesson + "say-what-you-run-with",
		})
	}
}

func masks(c *exam.C) {
	short, long := newHouse(c), newHouse(c)
	short.key, short.password, short.user, short.query = token(c, 16), token(c, 4), token(c, 3), token(c, 5)
	long.key, long.password, long.user, long.query = token(c, 40), token(c, 30), token(c, 21), token(c, 33)
	long.path = short.path
	a, b := short.client(short.start()).config(), long.client(long.start()).config()
	for _, name := range []string{"API_KEY", "PHONE_URL"} {
		c.Require(a[name] == b[name], exam.Finding{
			Did:      "GET /config of two programs whose secrets differ, and nothing else does",
			Expected: "the same " + name + " on both pages",
			Saw:      fmt.Sprintf("%q and %q", a[name], b[name]),
		})
	}
}

func secretsInFaults(c *exam.C) {
	try := func(what string, change string, h *house) {
		r := c.Run(patience, h.env(change)...)
		r.WaitExit(grace)
		r.Kill()
		h.tells("started the program with "+what, "in its output", r.Log())
	}
	h := newHouse(c)
	h.key = token(c, 15)
	try("an API_KEY of 15 characters", "API_KEY="+h.key, h)
	for _, bad := range [][2]string{
		{"whose password has a % that means nothing", "http://%s:%s%%zz@%s%s?line=%s"},
		{"whose password has a / in it", "http://%s:%s/@%s%s?line=%s"},
		{"for FTP", "ftp://%s:%s@%s%s?line=%s"},
		{"without http://", "%s:%s@%s%s?line=%s"},
	} {
		h := newHouse(c)
		try("a PHONE_URL "+bad[0], "PHONE_URL="+fmt.Sprintf(bad[1], h.user, h.password, h.address, h.path, h.query), h)
	}
	try("the port 70000, and good secrets", "PORT=70000", newHouse(c))
	try("no DOORS, and good secrets", "DOORS", newHouse(c))
}

func secretsInCalls(c *exam.C) {
	h := newHouse(c)
	p := h.connect()
	p.answers(http.StatusInternalServerError)
	reached := h.start()
	unreached := newHouse(c) // and never connected
	nobody := unreached.start("RING_TIMEOUT=1s")
	for _, try := range []struct {
		what string
		h    *house
		r    *exam.Run
	}{
		{"rang while the phone answered 500", h, reached},
		{"rang while the phone could not be reached", unreached, nobody},
	} {
		cl := try.h.client(try.r)
		resp := cl.ring(try.h.doors[0], "")
		resp.Want(http.StatusBadGateway, exam.Did(try.what))
		try.h.tells(try.what, "in the answer", string(resp.Body))
		try.r.Kill()
		try.h.tells(try.what, "in its output", try.r.Log())
	}
	p.fallSilent()
	slow := h.start("RING_TIMEOUT=100ms")
	resp := h.client(slow).ring(h.doors[0], "")
	resp.Want(http.StatusGatewayTimeout, exam.Did("rang while the phone did not answer"))
	h.tells("rang while the phone did not answer", "in the answer", string(resp.Body))
	slow.Kill()
	h.tells("rang while the phone did not answer", "in its output", slow.Log())
}
