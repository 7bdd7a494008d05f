package exam

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/grader/services"
)

// tarOf packs files as a build context. All have the same time, so that only their content counts
// for a cache.
func tarOf(files map[string][]byte) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		mode := int64(0o644)
		if bytes.HasPrefix(files[name], []byte("#!")) {
			mode = 0o755
		}
		_ = w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(files[name])), Typeflag: tar.TypeReg})
		_, _ = w.Write(files[name])
	}
	_ = w.Close()
	return &b
}

// ImageRun says how a container is started from the image. It has no capabilities and can gain none.
type ImageRun struct {
	Env      []string // "NAME=value"
	Port     int      // on which the program listens
	ReadOnly bool     // its root file system
	Tmpfs    []string // paths of small file systems in memory
}

// Container runs the image in the hands of a check, and is gone when the check has ended.
type Container struct {
	*services.Container
	c   *C
	img *Image
	did string
}

const (
	containerMemory    = 256 << 20
	containerProcesses = 64
)

// StartImage starts a container. What the image is to blame for fails the check.
func (c *C) StartImage(img *Image, r ImageRun) *Container {
	did := "ran the image" + r.words()
	e := c.engine()
	began := time.Now()
	got, err := e.Start(c.ctx, services.Run{
		Image: img.id, Env: r.Env, Port: r.Port, ReadOnly: r.ReadOnly, Scratch: r.Tmpfs,
		Memory: containerMemory, Process: containerProcesses,
	})
	c.record(report.Entry{Kind: report.KindProgram, Actor: "container", Text: "was started" + r.words(), Duration: time.Since(began), Failed: err != nil}, began)
	var refused *services.StartError
	if errors.As(err, &refused) {
		c.Fail(Finding{Did: did, Expected: "it starts", Saw: safe.Line(startCause(img, refused.Message)),
			Why: "An image that does not start is found out by the platform, in the middle of a deployment."})
	}
	if err != nil {
		c.trouble(err)
	}
	box := &Container{Container: got, c: c, img: img, did: did}
	c.atEnd(box.end)
	return box
}

// words are the options of a run, as docker run has them.
func (r ImageRun) words() string {
	text := ""
	if r.ReadOnly {
		text += " --read-only"
	}
	for _, path := range r.Tmpfs {
		text += " --tmpfs " + path
	}
	if text != "" {
		return " with" + text
	}
	return ""
}

// end keeps what the container has written, and removes it.
func (b *Container) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if out, errs, err := b.Log(ctx); err == nil {
		for stream, text := range map[string]string{"stdout": out, "stderr": errs} {
			for line := range strings.Lines(text) {
				b.c.session.log.add("container", process.Line{At: time.Now(), Stream: stream, Text: safe.Line(strings.TrimRight(line, "\n"))})
			}
		}
	}
	b.Remove()
}

// Client makes a client that talks to the container's port.
func (b *Container) Client() *Client {
	cl := b.c.Client("examiner")
	cl.box = b
	return cl
}

// Await asks for a path until there is an answer, whatever its status, at most d. Where there is
// none, the finding says why.
func (b *Container) Await(path string, d time.Duration) (*Response, *Finding) {
	deadline := time.Now().Add(d)
	cl := b.Client()
	cl.quiet = true
	for {
		r, err := cl.Try("GET", path, nil, Timeout(2*time.Second))
		if err == nil {
			return r, nil
		}
		running, code, oom, stateErr := b.State(b.c.ctx)
		if stateErr != nil {
			b.c.trouble(stateErr)
		}
		if !running {
			return nil, b.endedFinding(path, d, code, oom)
		}
		if time.Now().After(deadline) || b.c.ctx.Err() != nil {
			return nil, &Finding{Did: b.did, Expected: b.expects(path, d), Saw: fmt.Sprintf("the container runs, and nobody answers at its port within %s", d)}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (b *Container) expects(path string, d time.Duration) string {
	return fmt.Sprintf("an answer to GET %s within %s", path, d)
}

func (b *Container) endedFinding(path string, d time.Duration, code int, oom bool) *Finding {
	f := &Finding{Did: b.did, Expected: b.expects(path, d), Saw: fmt.Sprintf("the container ended with status %d", code)}
	if oom {
		f.Saw += ": it used more than " + fmt.Sprint(containerMemory>>20) + " MB of memory"
	} else if last := b.LastLine(); last != "" {
		f.Saw += ": " + last
	}
	return f
}

// LastLine is the last line that the container has written, safe to show.
func (b *Container) LastLine() string {
	out, errs, err := b.Log(b.c.ctx)
	if err != nil {
		b.c.trouble(err)
	}
	lines := strings.Split(strings.TrimSpace(out+"\n"+errs), "\n")
	return safe.Line(strings.TrimSpace(lines[len(lines)-1]))
}

// noAnswer ends the check because a request to the container got no answer.
func (b *Container) noAnswer(r *request, err error) {
	f := Finding{Did: r.did(), Expected: "an answer", Saw: transportError(err)}
	if b.c.session.ctx.Err() != nil {
		b.c.trouble(context.Cause(b.c.session.ctx))
	}
	if running, code, _, stateErr := b.State(b.c.ctx); stateErr == nil && !running {
		f.Saw = fmt.Sprintf("the container ended with status %d: %s", code, b.LastLine())
	}
	b.c.Fail(f)
}

var (
	namedFile   = regexp.MustCompile(`exec: "([^"]*)"`)
	refusedFile = regexp.MustCompile(`exec:? "?([^":]+)"?: permission denied`)
	namedUser   = regexp.MustCompile(`unable to find (user|group) ([^:]+):`)
)

// startCause says why the engine could not start an image, in the words of its author.
func startCause(img *Image, message string) string {
	if m := namedUser.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("the image has no %s called %s: nothing in it gives the name a number", m[1], m[2])
	}
	m := namedFile.FindStringSubmatch(message)
	switch {
	case refusedFile.MatchString(message):
		return refusedFile.FindStringSubmatch(message)[1] + " may not be executed by the user of the image"
	case strings.Contains(message, "o command specified"):
		return "the image does not say what to run: it has neither ENTRYPOINT nor CMD"
	case m == nil:
		return message
	case m[1] == "/bin/sh":
		return "there is no /bin/sh in the image, and an ENTRYPOINT or a CMD in shell form is run by it"
	case !strings.Contains(m[1], "/"):
		return m[1] + " has no path, so it is looked for in the folders of PATH, and it is in none of them"
	}
	if _, there := img.File(m[1]); there {
		return m[1] + " is there and cannot be executed: " + message
	}
	return "there is no " + m[1] + " in the image where its ENTRYPOINT or CMD looks for it"
}

// StopSignal is the signal by which the image wants to be stopped.
func (b *Container) StopSignal() string {
	if s := b.img.Config.StopSignal; s != "" {
		return s
	}
	return "SIGTERM"
}

// Stop sends the image's stop signal and waits for the end, at most d. It kills nothing.
func (b *Container) Stop(d time.Duration) (code int, exited bool, took time.Duration) {
	began := time.Now()
	err := b.Signal(b.c.ctx, b.StopSignal())
	if err == nil {
		code, exited, err = b.Wait(b.c.ctx, d)
	}
	if err != nil {
		b.c.trouble(err)
	}
	took = time.Since(began)
	text := "still runs"
	if exited {
		text = fmt.Sprintf("exited with status %d", code)
	}
	b.c.record(report.Entry{Kind: report.KindProgram, Actor: "container", Text: "was sent " + b.StopSignal(), Result: text, Duration: took}, began)
	return code, exited, took
}

// WaitHealth waits until the engine says the given of the container's health, at most d. It returns
// what it says in the end, and what the last check printed, safe to show. Without a check that is
// "none" at once.
func (b *Container) WaitHealth(want string, d time.Duration) (status, output string) {
	began := time.Now()
	for {
		status, output, err := b.Health(b.c.ctx)
		if err != nil {
			b.c.trouble(err)
		}
		if status == want || status == "none" || time.Since(began) > d || b.c.ctx.Err() != nil {
			b.c.record(report.Entry{Kind: report.KindProgram, Actor: "container", Text: "is " + status, Result: safe.Line(output), Duration: time.Since(began), Failed: status != want}, began)
			return status, safe.Text(strings.TrimSpace(output))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// WaitLog waits until a line of the container's log has both words, at most d, and tells whether one has.
func (b *Container) WaitLog(word, other string, d time.Duration) bool {
	for began := time.Now(); time.Since(began) < d && b.c.ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		out, errs, err := b.Log(b.c.ctx)
		if err != nil {
			b.c.trouble(err)
		}
		for line := range strings.Lines(out + "\n" + errs) {
			if strings.Contains(line, word) && strings.Contains(line, other) {
				return true
			}
		}
	}
	return false
}
