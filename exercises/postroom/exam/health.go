package exam

import (
	"fmt"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

// healthy waits until the engine calls the container well.
func healthy(c *exam.C) {
	box := start(c)
	status, output := box.WaitHealth("healthy", healthIn+grace)
	if status == "healthy" {
		return
	}
	check := c.Image().Config.Health.Command
	f := exam.Finding{
		Did:      "started the container, and asked the engine how it is",
		Expected: fmt.Sprintf("healthy within %s", healthIn),
		Saw:      fmt.Sprintf("%s after %s", status, healthIn),
	}
	command := strings.Join(check, " ")
	switch {
	case status == "none":
		f.Saw = "the image has no HEALTHCHECK, so nobody asks"
	case len(check) > 0 && check[0] == "CMD-SHELL":
		f.Saw += ". The check is written as for a shell, and there is no /bin/sh in the image"
	case strings.Contains(output, "executable file not found") || strings.Contains(output, "no such file"):
		f.Saw += ". What the check starts is not in the image: " + strings.TrimPrefix(command, "CMD ")
	case strings.Contains(output, "connection refused"):
		f.Saw += ". The check asks at an address where nobody listens: PORT is another one each time"
	case status == "starting" && output == "":
		f.Saw += ". No check has been made yet: the first comes one interval after the start, and that is 30 s if it is not given"
	}
	if output != "" {
		f.Detail = "The last check said:\n" + output
	}
	c.Fail(f)
}

// unhealthy has the server hang, and go on again.
func unhealthy(c *exam.C) {
	box := start(c)
	if status, _ := box.WaitHealth("healthy", healthIn+grace); status != "healthy" {
		c.Fail(exam.Finding{Did: "started the container", Expected: "healthy", Saw: status})
	}
	// A check has just ended, so the next one is as far away as it can be.
	box.Client().Do("PUT", "/drill", map[string]bool{"stuck": true}).Want(200)
	status, _ := box.WaitHealth("unhealthy", healthIn+grace)
	if status != "unhealthy" {
		f := exam.Finding{
			Did:      "had the server hang: /healthz answers no more",
			Expected: fmt.Sprintf("unhealthy within %s", healthIn),
			Saw:      fmt.Sprintf("still %s after %s", status, healthIn),
		}
		h := c.Image().Config.Health
		f.Saw += fmt.Sprintf(". A check that hangs has failed when its timeout is over, here %s, and %d in a row have to fail, %s apart: that makes up to %s",
			h.Timeout, h.Retries, h.Interval, time.Duration(h.Retries)*(h.Timeout+h.Interval))
		c.Fail(f)
	}
	box.Client().Do("PUT", "/drill", map[string]bool{"stuck": false}).Want(200)
	if status, _ := box.WaitHealth("healthy", healthIn+grace); status != "healthy" {
		c.Fail(exam.Finding{
			Did: "let the server go on", Expected: fmt.Sprintf("healthy within %s", healthIn),
			Saw: fmt.Sprintf("still %s after %s", status, healthIn),
		})
	}
}
