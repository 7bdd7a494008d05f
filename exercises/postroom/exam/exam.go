// Package exam examines how an image runs its program: who has the number 1, who asks how it is,
// and where its log goes.
package exam

import (
	"fmt"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/exam"
)

const lesson = "containers/pid-one#"

const (
	builder    = "golang:1.26"
	distroless = "gcr.io/distroless/static-debian12:nonroot"
	startIn    = 10 * time.Second
	stopIn     = 3 * time.Second
	healthIn   = 10 * time.Second
	grace      = time.Second // for what the engine takes to start checks
)

// Exam declares the checks.
func Exam(x *exam.X) {
	x.Images(builder, distroless)
	x.Check("bases", "begins with the images that are allowed", bases,
		exam.Why("What a build begins with becomes part of every image. A team agrees on a few bases, and lets nothing else in."),
		exam.Read("containers/small-images#what-it-begins-with"))
	x.Check("builds", "builds without network", func(c *exam.C) { c.BuildImage(exam.ImageBuild{}) }, exam.After("bases"),
		exam.Read("containers/small-images#two-stages"))
	x.Check("runs", "runs with the settings of the platform", runs, exam.After("builds"),
		exam.Why("An image is the same everywhere; what differs from place to place comes at the start, by variables and files."),
		exam.Read(lesson+"what-starts-it"))
	x.Check("stops", "finishes its letter and ends with status 0 when it is told to stop", stops, exam.After("runs"),
		exam.Why("The platform asks once, waits, and kills. A program that the signal does not reach loses what it was doing, at every deployment."),
		exam.Read(lesson+"the-number-one"))
	x.Check("logs", "has its log on standard output", logs, exam.After("runs"), exam.Parallel(),
		exam.Why("The platform collects what containers write to standard output. A file in a container is read by nobody, and is gone with it."),
		exam.Read(lesson+"where-the-log-goes"))
	x.Check("healthy", "says that it is well", healthy, exam.After("runs"), exam.Parallel(),
		exam.Why("A new version gets traffic when it says that it is well. One that never does holds up the deployment; one that is not asked gets traffic at once."),
		exam.Read(lesson+"who-asks"))
	x.Check("unhealthy", "says when it is stuck, and when it is well again", unhealthy, exam.After("healthy"),
		exam.Why("A process that hangs still has its port open and its number in the list. Without a check that notices, the first to notice is a customer."),
		exam.Read(lesson+"how-long-it-takes"))
}

// bases looks at what the file begins with and copies from.
func bases(c *exam.C) {
	for _, use := range c.Dockerfile().Images() {
		if use.What != builder && use.What != distroless {
			c.Fail(exam.Finding{
				Did:      fmt.Sprintf("read the Dockerfile, line %d: %s", use.Line, use.Text),
				Expected: strings.Join([]string{builder, distroless, "scratch"}, ", ") + ", or a stage of the file",
				Saw:      use.What,
			})
		}
	}
}

// start runs the image as the platform does, and waits for an answer.
func start(c *exam.C) *exam.Container {
	port := c.Int(8100, 8999)
	box := c.StartImage(c.Image(), exam.ImageRun{
		Env: []string{fmt.Sprintf("PORT=%d", port), "INSTANCE_FROM=/etc/hostname"}, Port: port,
	})
	r, f := box.Await("/healthz", startIn)
	if f != nil {
		if strings.Contains(f.Saw, "INSTANCE is not set") {
			f.Saw += ". The platform sets INSTANCE_FROM, and it is the launcher that makes INSTANCE of it"
		}
		c.Fail(*f)
	}
	r.Want(200)
	return box
}

// runs looks at who answers.
func runs(c *exam.C) {
	box := start(c)
	var who struct{ Instance string }
	box.Client().Get("/healthz").Want(200).JSON(&who)
	c.Require(who.Instance == box.Hostname(), exam.Finding{
		Expected: "the instance that INSTANCE_FROM names: " + box.Hostname(),
		Saw:      fmt.Sprintf("the instance %q, which stands in the image. All containers of it have the same name", who.Instance),
	})
}

// stops tells the container to stop while a letter is being stamped.
func stops(c *exam.C) {
	box := start(c)
	sent := make(chan error, 1)
	letter := c.Unique("letter")
	go func() {
		r, err := box.Client().Try("POST", "/letters", map[string]string{"to": letter})
		if err == nil && r.Status != 201 {
			err = fmt.Errorf("status %d", r.Status)
		}
		sent <- err
	}()
	if logged(c.Image()) {
		box.WaitLog("begun", letter, startIn)
	} else {
		time.Sleep(400 * time.Millisecond) // of the second that it takes
	}
	code, exited, took := box.Stop(stopIn)
	lost := <-sent
	if exited && code == 0 && lost == nil {
		return
	}
	f := exam.Finding{
		Did:      "told the container to stop, as docker stop does, with " + box.StopSignal() + ", while a letter was being stamped",
		Expected: fmt.Sprintf("the letter is stamped, and it ends within %s, with status 0", stopIn),
		Saw:      fmt.Sprintf("it still runs after %s", stopIn),
	}
	if exited {
		f.Saw = fmt.Sprintf("it ended after %s with status %d", took.Round(100*time.Millisecond), code)
	}
	if lost != nil {
		f.Saw += ", and the letter got no answer"
	}
	first := strings.Join(append(c.Image().Config.Entrypoint, c.Image().Config.Cmd...), " ")
	switch {
	case box.StopSignal() != "SIGTERM":
		f.Saw += ". STOPSIGNAL asks for another signal than SIGTERM, and the server listens for no other"
	case strings.Contains(first, "launcher") && !strings.Contains(first, "-exec"):
		f.Saw += ". The process with the number 1 is " + first + ": the launcher got the signal, knows nothing of it, and took the server with it"
	default:
		f.Saw += ". The process with the number 1 is " + first
	}
	c.Fail(f)
}

// logged tells whether the log can be seen from outside.
func logged(img *exam.Image) bool {
	for _, env := range img.Config.Env {
		if to, ok := strings.CutPrefix(env, "LOG_FILE="); ok {
			return to == "-" || strings.HasPrefix(to, "/dev/") || strings.HasPrefix(to, "/proc/")
		}
	}
	return false
}

// logs sends a letter and looks for it on standard output.
func logs(c *exam.C) {
	box := start(c)
	letter := c.Unique("letter")
	box.Client().Post("/letters", map[string]string{"to": letter}).Want(201)
	out, errs, err := box.Log(c.Context())
	if err != nil || strings.Contains(out, letter) {
		return // trouble with the engine is noticed elsewhere
	}
	f := exam.Finding{
		Did:      fmt.Sprintf("sent a letter to %s, and read docker logs", letter),
		Expected: "the line about it on standard output",
		Saw:      "nothing of it on standard output",
	}
	where := "/tmp/postroom.log, inside of the container: LOG_FILE is not set"
	for _, env := range c.Image().Config.Env {
		if file, ok := strings.CutPrefix(env, "LOG_FILE="); ok {
			where = file + ", as LOG_FILE says"
		}
	}
	f.Saw += ". The server writes to " + where
	if strings.Contains(errs, letter) {
		f.Saw = "the line on standard error, and not there. That is for what goes wrong; collectors keep the two apart"
	}
	c.Fail(f)
}
