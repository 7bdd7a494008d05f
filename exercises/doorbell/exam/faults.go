package exam

import (
	"fmt"
	"strings"

	"github.com/cairn-learn/cairn/grader/exam"
)

func missing(c *exam.C) {
	for _, name := range []string{"PHONE_URL", "API_KEY", "DOORS", "PORT"} {
		newHouse(c).refused([]string{name}, fault{name: name, words: "not set"})
	}
}

func empty(c *exam.C) {
	for _, name := range []string{"PORT", "RING_TIMEOUT", "QUIET", "API_KEY", "HOST"} { // the others: allFaults
		newHouse(c).refused([]string{name + "="}, fault{name: name, words: "empty"})
	}
	h := newHouse(c)
	if page := h.client(h.start("GREETING=")).config(); page["GREETING"] != "" {
		c.Fail(exam.Finding{
			Did:      `started the program with GREETING="", then GET /config`,
			Expected: `"GREETING":"": empty is a value, and means no greeting`,
			Saw:      fmt.Sprintf("%q, the default: it took empty for not set", page["GREETING"]),
			Why:      "With no way to say \"nothing\", whoever wants nothing writes a space or a dash, and people see it.",
		})
	}
}

// refusedEach starts the program once for each wrong value of one variable.
func refusedEach(c *exam.C, name string, values ...string) {
	for _, value := range values {
		change, f := wrong(name, value)
		newHouse(c).refused([]string{change}, f)
	}
}

func numbers(c *exam.C) {
	refusedEach(c, "PORT", fmt.Sprint(c.Int(65536, 99999)), "0", fmt.Sprint(-c.Int(1, 9000)), fmt.Sprint(c.Int(2, 6))+"0080abc")
	refusedEach(c, "MAX_MESSAGE", fmt.Sprint(c.Int(2, 64))+"k", "0", "99999999999999999999")
}

func durations(c *exam.C) {
	refusedEach(c, "RING_TIMEOUT", fmt.Sprint(c.Int(3, 9)), fmt.Sprintf("-%dms", c.Int(100, 900)), "0s", fmt.Sprintf("%ds", c.Int(31, 90)))
}

func choices(c *exam.C) {
	refusedEach(c, "QUIET", "yes", c.Words(1))
	refusedEach(c, "CHIME", c.Words(1))
}

func doors(c *exam.C) {
	for _, bad := range []struct{ list, name string }{
		{"front,Back Door,yard", "Back Door"},
		{"front;yard", "front;yard"},
		{"front,,yard", ""},
	} {
		newHouse(c).refused([]string{"DOORS=" + bad.list}, fault{name: "DOORS", value: bad.name})
	}
}

func phoneURL(c *exam.C) {
	host := c.Words(1) + ".example"
	for _, value := range []string{
		host + "/ring", host + ":8080/ring", "ftp://" + host + "/ring", "http:///ring", "http://" + host + ":port/ring",
	} {
		newHouse(c).refused([]string{"PHONE_URL=" + value}, fault{name: "PHONE_URL"})
	}
}

func shortKey(c *exam.C) {
	h := newHouse(c)
	h.key = token(c, 15)
	h.refused([]string{"API_KEY=" + h.key}, fault{name: "API_KEY"})
	h.key = token(c, 16)
	h.start("API_KEY=" + h.key)
}

func allFaults(c *exam.C) {
	h := newHouse(c)
	change := []string{"API_KEY"}
	faults := []fault{{name: "API_KEY", words: "not set"}}
	for _, s := range [][2]string{
		{"PORT", "70000"}, {"RING_TIMEOUT", fmt.Sprint(c.Int(3, 9))}, {"CHIME", "dong"}, {"MAX_MESSAGE", "-1"},
	} {
		bad, f := wrong(s[0], s[1])
		change, faults = append(change, bad), append(faults, f)
	}
	h.refused(change, faults...)
	newHouse(c).refused([]string{"PORT", "PHONE_URL=", "DOORS=", "QUIET=yes", "CHIME=", "MAX_MESSAGE="},
		fault{name: "PORT", words: "not set"}, fault{name: "PHONE_URL", words: "empty"}, fault{name: "DOORS", words: "empty"},
		fault{name: "QUIET", value: "yes"}, fault{name: "CHIME", words: "empty"}, fault{name: "MAX_MESSAGE", words: "empty"})
}

// beforeListening takes the port away, so that a program which listens first,
// however shortly, fails at that.
func beforeListening(c *exam.C) {
	h := newHouse(c)
	port := portOf(h.listen().Addr().String())
	for _, change := range []string{"API_KEY", "RING_TIMEOUT=5"} {
		r := c.Run(patience, h.env("PORT="+port, change)...)
		code, exited := r.WaitExit(patience)
		if exited && code == status {
			continue
		}
		saw := "it neither listened nor exited"
		if exited {
			saw = "it " + r.Ending() + ", and said: " + said(r.Stderr())
		}
		c.Fail(exam.Finding{
			Did:      "started the program with " + environment([]string{change}) + ", on a port that was in use already",
			Expected: fmt.Sprintf("status %d for the setting: the port is not even tried", status),
			Saw:      saw + ". It tried to listen before it looked at its settings",
		})
	}
}

func portTaken(c *exam.C) {
	h := newHouse(c)
	port := portOf(h.listen().Addr().String())
	r := c.Run(patience, h.env("PORT="+port)...)
	code, exited := r.WaitExit(patience)
	f := exam.Finding{
		Did:      "started the program with nothing wrong, on a port that was in use already",
		Expected: fmt.Sprintf("within 2 seconds it says so and exits, with a status that is neither 0 nor %d", status),
	}
	switch {
	case !exited:
		f.Saw = fmt.Sprintf("after %s it was still running, and served nobody", patience)
	case code == 0 || code == status:
		f.Saw = "it " + r.Ending()
	case !strings.Contains(strings.Join(r.Stderr(), "\n"), "in use"):
		f.Saw = "it " + r.Ending() + ", and said: " + said(r.Stderr())
	default:
		return
	}
	c.Fail(f)
}

// portOf is the port of host:port.
func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
