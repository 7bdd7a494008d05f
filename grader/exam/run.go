package exam

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Run is one more process of the program, which a check has started with an
// environment of its own, beside the instances that every check meets. How it
// ends is the check's business: an exit is no fault by itself. Whatever is left
// of it is gone when the check has ended.
type Run struct {
	*Instance

	// Listened tells whether the process accepted a connection on its $PORT
	// while Run waited. It may have exited since.
	Listened bool
}

// Run starts the program once more and waits until it accepts a connection on
// its $PORT or has exited, at most d. It fails nothing: that neither happened in
// time is seen by Listened being false and Running true.
//
// The environment is that of the first instance, with a free port of its own; a
// database or Redis is shared with it, proxy included. Each of
// env changes it: "NAME=value" sets a variable, "NAME=" sets it to the empty
// text, and "NAME" removes it. The last one about a name counts.
func (c *C) Run(d time.Duration, env ...string) *Run {
	p := &Program{session: c.session, index: c.session.nextRun(), change: env, beside: true,
		proxy: c.session.programs[0].proxy, redis: c.session.programs[0].redis}
	r := &Run{Instance: &Instance{c: c, Program: p}}
	if err := p.launch(); err != nil {
		c.trouble(err)
	}
	c.atEnd(func() {
		p.stopped.Store(true)
		p.proc.Kill()
	})
	r.note("was started" + changes(env))
	r.Listened = r.await(d)
	if e, ended := p.proc.Exit(); ended {
		r.note(e.String())
	}
	return r
}

// ToInstance makes the client talk to the given process, such as the Instance
// of a Run.
func ToInstance(i *Instance) ClientOption { return func(cl *Client) { cl.program = i.Program } }

// Port returns the port that the process was given as $PORT, 0 when that is none.
func (i *Instance) Port() int { return i.port }

// Ending says how the process ended, in words: "exited with status 2".
func (i *Instance) Ending() string { return i.ending() }

// Stderr returns the lines that the process has printed on its standard error,
// safe to show. All have arrived once it has exited.
func (i *Instance) Stderr() []string {
	var lines []string
	for _, l := range i.session.log.since(0) {
		if l.actor == i.name() && l.Stream == "stderr" {
			lines = append(lines, l.Text)
		}
	}
	return lines
}

// nextRun numbers the runs of a grade.
func (s *Session) nextRun() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	return s.runs - 1
}

// await waits until the process accepts a connection, which it reports, or has
// exited, or d is over.
func (r *Run) await(d time.Duration) bool {
	over := time.NewTimer(d)
	defer over.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if r.port != 0 {
			conn, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(r.port), d)
			if err == nil {
				_ = conn.Close()
				return true
			}
		}
		select {
		case <-r.proc.Done():
			return false
		case <-over.C:
			return false
		case <-r.c.ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// changes says in words what env changes: " with A="x", without B".
func changes(env []string) string {
	var words []string
	for _, e := range env {
		if name, value, set := strings.Cut(e, "="); set {
			words = append(words, fmt.Sprintf("with %s=%q", name, value))
		} else {
			words = append(words, "without "+name)
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " " + strings.Join(words, ", ")
}

// changed returns env with the changes applied, as Run describes them.
func changed(env, change []string) []string {
	env = slices.Clone(env)
	for _, e := range change {
		name, _, set := strings.Cut(e, "=")
		env = slices.DeleteFunc(env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		if set {
			env = append(env, e)
		}
	}
	return env
}

// portOf returns the port that an environment names, 0 when it names none that
// a program could listen on.
func portOf(env []string) int {
	for _, e := range slices.Backward(env) {
		if text, ok := strings.CutPrefix(e, "PORT="); ok {
			if n, err := strconv.ParseUint(text, 10, 16); err == nil {
				return int(n)
			}
			return 0
		}
	}
	return 0
}
