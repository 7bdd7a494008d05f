package exam

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// start runs the image as the platform does, with a key and a port of its own.
func start(c *exam.C, readOnly bool) (*exam.Container, string) {
	key, port := secret(c), c.Int(8100, 8999)
	r := exam.ImageRun{
		Env:  []string{"SIGNING_KEY=" + key, fmt.Sprintf("PORT=%d", port)},
		Port: port, ReadOnly: readOnly, Tmpfs: []string{"/tmp"},
	}
	return c.StartImage(c.Image(), r), key
}

// runs sells a ticket and shows it at the gate.
func runs(c *exam.C) {
	box, key := start(c, false)
	if _, f := box.Await("/healthz", startIn); f != nil {
		c.Fail(whyNot(c, f))
	}
	sell(c, box, key)
}

// whyNot adds what an image tells about a program that did not come up.
func whyNot(c *exam.C, f *exam.Finding) exam.Finding {
	switch {
	case strings.Contains(f.Saw, "no such file or directory") && strings.Contains(f.Saw, "exec "):
		f.Saw += ". The file is there; what is missing is the loader that it names, so it was linked against libc (CGO_ENABLED is 1 where a C compiler is at hand)"
	case strings.Contains(f.Saw, "permission denied") && strings.Contains(f.Saw, "mkdir"):
		f.Saw += ". The user of the image may not write where the program keeps its journal (SPOOL_DIR)"
	}
	return *f
}

// sell asks for a ticket of a name that nobody has heard of, and looks at its signature.
func sell(c *exam.C, box *exam.Container, key string) {
	name := c.Unique("guest")
	cl := box.Client()
	var sold struct{ Ticket string }
	cl.Post("/tickets", map[string]string{"name": name}).Want(201).JSON(&sold)
	payload := base64.RawURLEncoding.EncodeToString([]byte(name))
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(mac, "turnstile 1\n"+payload)
	want := payload + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	c.Require(sold.Ticket == want, exam.Finding{
		Expected: "a ticket signed with the SIGNING_KEY that the platform has set",
		Saw:      fmt.Sprintf("%q, which is signed with another key, or by another program", sold.Ticket),
	})
	var shown struct{ Name string }
	cl.Get("/tickets/" + sold.Ticket).Want(200).JSON(&shown)
	c.Equal(shown.Name, name, "the name on the ticket")
}

// ready asks the program itself what it misses.
func ready(c *exam.C) {
	box, _ := start(c, false)
	r, f := box.Await("/readyz", startIn)
	if f != nil {
		c.Fail(whyNot(c, f))
	}
	if r.Status == 200 {
		return
	}
	var missing struct{ Missing []string }
	r.JSON(&missing)
	saw := r.String()
	if len(missing.Missing) > 0 {
		saw = fmt.Sprintf("%d: the image has no %s", r.Status, strings.Join(missing.Missing, " and no "))
	}
	c.Fail(exam.Finding{Did: "GET /readyz", Expected: "200: CA certificates and time zones are there", Saw: saw})
}

// readOnly runs the program where only /tmp can be written.
func readOnly(c *exam.C) {
	if folders := c.Image().Config.Volumes; len(folders) > 0 {
		c.Fail(exam.Finding{
			Did: "looked for what could be written beside /tmp", Expected: "nothing",
			Saw: "VOLUME " + strings.Join(folders, " ") + ": for each container the engine makes a folder on the disk of its machine, which can be written and grows",
		})
	}
	box, key := start(c, true)
	if _, f := box.Await("/healthz", startIn); f != nil {
		if strings.Contains(f.Saw, "read-only file system") {
			f.Saw += ". " + spoolOf(c.Image())
		}
		c.Fail(whyNot(c, f))
	}
	sell(c, box, key)
}

// spoolOf tells where the program has its journal.
func spoolOf(img *exam.Image) string {
	for _, env := range img.Config.Env {
		if folder, ok := strings.CutPrefix(env, "SPOOL_DIR="); ok {
			return "SPOOL_DIR is " + folder + ", whose owner does not matter any more: only /tmp can be written"
		}
	}
	return "Without SPOOL_DIR the program keeps its journal in the folder spool where it is started"
}

// stops tells the container to stop, as docker stop does.
func stops(c *exam.C) {
	box, _ := start(c, false)
	if _, f := box.Await("/healthz", startIn); f != nil {
		c.Fail(whyNot(c, f))
	}
	code, exited, took := box.Stop(stopIn)
	f := exam.Finding{
		Did:      "told the container to stop, as docker stop does, with " + box.StopSignal(),
		Expected: fmt.Sprintf("it ends within %s, with status 0", stopIn),
	}
	switch {
	case !exited:
		f.Saw = fmt.Sprintf("it still runs after %s", stopIn)
	case code == 0:
		return
	default:
		f.Saw = fmt.Sprintf("it ended after %s with status %d", took.Round(100*time.Millisecond), code)
	}
	if box.StopSignal() != "SIGTERM" {
		f.Saw += ". STOPSIGNAL asks for another signal than SIGTERM, and the program knows no other"
	}
	c.Fail(f)
}
