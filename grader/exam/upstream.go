package exam

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// Upstream is a service that the program calls, in the examiner's hands: an HTTP
// server on loopback that answers as a check has told it to, keeps every call,
// and tells when a caller goes away. Its calls stand in the evidence under its
// name. What a check scripts ends with the check: calls that are still held are
// cut then, and the next check begins with nothing scripted.
//
// A path that nothing is scripted for is answered with 501.
type Upstream struct {
	c      *C
	server *upstreamServer
	mark   int // the first call that is this check's
	conns  int // connections that were opened before
}

// Upstream declares a service that the program calls. The program, and whatever
// Run starts, finds its URL, without a slash at the end, in the given variable.
func (x *X) Upstream(name, variable string) {
	x.upstreams = append(x.upstreams, upstreamSpec{name, variable})
}

type upstreamSpec struct{ name, variable string }

var variableForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

func (x *X) checkUpstreams() error {
	seen := map[string]bool{}
	for _, u := range x.upstreams {
		switch {
		case !idForm.MatchString(u.name):
			return fmt.Errorf("upstream %q: use lowercase words joined by dashes", u.name)
		case !variableForm.MatchString(u.variable):
			return fmt.Errorf("upstream %q: %q is no name for a variable; use capitals, digits and underscores", u.name, u.variable)
		case seen[u.name] || seen[u.variable]:
			return fmt.Errorf("upstream %q: its name or %s is declared twice", u.name, u.variable)
		}
		seen[u.name], seen[u.variable] = true, true
	}
	return nil
}

// Upstream returns the declared upstream with that name.
func (c *C) Upstream(name string) *Upstream {
	for _, s := range c.session.upstreams {
		if s.name == name {
			mark := c.upstreamMarks[name]
			return &Upstream{c: c, server: s, mark: mark.calls, conns: mark.conns}
		}
	}
	panic(fmt.Sprintf("the exam declares no upstream %q", name))
}

// Answer is what an upstream does with a call.
type Answer struct {
	Status int         // 200 when 0
	Header http.Header // besides Content-Length; Content-Type is JSON unless set here
	Body   any         // as for Client.Post: string and []byte as they are, the rest as JSON

	Hold  bool // nothing is sent until the call is released
	Stall bool // status, headers and half of the body are sent, the rest when it is released
	Cut   bool // the connection is closed instead of an answer, or of its second half after a Stall
}

// URL is where the program reaches the upstream, without a slash at the end.
func (u *Upstream) URL() string { return "http://" + u.server.addr }

// Addr is the same as host:port.
func (u *Upstream) Addr() string { return u.server.addr }

// On scripts what calls that match the pattern get: the first call the first
// answer, and so on; the last answer is for all that follow. A pattern is a path,
// with a method before it if that matters: "/books/7", "POST /books". A path that
// ends in a slash stands for all below it. What was scripted last counts.
func (u *Upstream) On(pattern string, answers ...Answer) {
	if len(answers) == 0 {
		panic("On needs an answer")
	}
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, &upstreamRule{pattern: pattern, answers: answers})
}

// Calls returns the calls of this check that match the pattern, in the order in
// which they arrived.
func (u *Upstream) Calls(pattern string) []*Call {
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	return u.calls(pattern)
}

func (u *Upstream) calls(pattern string) []*Call {
	var all []*Call
	for _, k := range u.server.calls[u.mark:] {
		if matches(pattern, k.Method, k.Path) {
			all = append(all, k)
		}
	}
	return all
}

// WaitCalls waits until n calls have arrived that match the pattern, at most d,
// and returns those that have.
func (u *Upstream) WaitCalls(pattern string, n int, d time.Duration) []*Call {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		u.server.mu.Lock()
		calls, arrived := u.calls(pattern), u.server.arrived
		u.server.mu.Unlock()
		if len(calls) >= n {
			return calls
		}
		select {
		case <-arrived:
		case <-timer.C:
			return calls
		case <-u.c.ctx.Done():
			return calls
		}
	}
}

// Release lets every call go on that is held or stalled just now.
func (u *Upstream) Release() {
	for _, k := range u.Calls("/") {
		k.Release()
	}
}

// Connections tells how many connections were opened since the check began.
func (u *Upstream) Connections() int {
	u.server.mu.Lock()
	defer u.server.mu.Unlock()
	return u.server.conns - u.conns
}

// Refuse closes all connections and refuses new ones, as if the service were not
// running, until the check ends.
func (u *Upstream) Refuse() {
	u.c.record(report.Entry{Kind: report.KindFault, Actor: u.server.name, Text: "refuses connections from now on"}, time.Now())
	u.server.close()
}

// Call is one request that reached an upstream.
type Call struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte    // its first MB
	At                  time.Time // when it had arrived
	Conn                int       // which connection it came over, counted from 1 in the grade

	server   *upstreamServer
	answer   Answer
	releases sync.Once
	released chan struct{}
	over     chan struct{} // closed when outcome and took are set
	outcome  string
	gone     bool
	took     time.Duration
}

// Release lets the call go on, if it is held or stalled.
func (k *Call) Release() { k.releases.Do(func() { close(k.released) }) }

// WaitGone waits until the caller has gone away without waiting for the whole
// answer, at most d. It returns how long after the call that was.
func (k *Call) WaitGone(d time.Duration) (after time.Duration, gone bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-k.over:
	case <-timer.C:
	}
	k.server.mu.Lock()
	defer k.server.mu.Unlock()
	return k.took, k.gone
}

// Over tells whether the call is over: answered, cut, or left by its caller.
func (k *Call) Over() bool {
	select {
	case <-k.over:
		return true
	default:
		return false
	}
}

// end notes how the call ended; the first to say so is right. The server's mutex
// is held.
func (k *Call) end(outcome string, gone bool) {
	if k.outcome == "" {
		k.outcome, k.gone, k.took = outcome, gone, time.Since(k.At)
		close(k.over)
	}
}

func (k *Call) entry(began time.Time) report.Entry {
	text := k.Path
	if k.Query != "" {
		text += "?" + k.Query
	}
	text = "was asked " + k.Method + " " + safe.Line(text)
	if len(k.Body) > 0 {
		text += " " + excerpt(k.Body)
	}
	return report.Entry{At: k.At.Sub(began), Duration: k.took, Kind: report.KindUpstream, Actor: k.server.name, Text: text, Result: k.outcome}
}

type upstreamRule struct {
	pattern string
	answers []Answer
	used    int
}

// next is the answer for one more call.
func (r *upstreamRule) next() Answer {
	a := r.answers[min(r.used, len(r.answers)-1)]
	r.used++
	return a
}

func matches(pattern, method, path string) bool {
	if m, rest, ok := strings.Cut(pattern, " "); ok {
		if m != method {
			return false
		}
		pattern = rest
	}
	return path == pattern || strings.HasSuffix(pattern, "/") && strings.HasPrefix(path, pattern)
}

// body returns what is sent for the answer.
func (a Answer) body() []byte {
	switch b := a.Body.(type) {
	case nil:
		return nil
	case string:
		return []byte(b)
	case []byte:
		return b
	default:
		text, err := json.Marshal(b)
		if err != nil {
			panic(fmt.Sprintf("the answer of an upstream is no JSON: %v", err))
		}
		return text
	}
}

func readBody(r *http.Request) []byte {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // a body that breaks off is kept as far as it came
	_, _ = io.Copy(io.Discard, r.Body)
	return body
}

// upstreamMark is where an upstream stood when a check began.
type upstreamMark struct{ calls, conns int }

func (s *Session) markUpstreams() map[string]upstreamMark {
	marks := map[string]upstreamMark{}
	for _, u := range s.upstreams {
		u.mu.Lock()
		marks[u.name] = upstreamMark{len(u.calls), u.conns}
		u.mu.Unlock()
	}
	return marks
}

// upstreamEntries is the evidence of all upstreams since the check began.
func (c *C) upstreamEntries() []report.Entry {
	var entries []report.Entry
	for _, u := range c.session.upstreams {
		u.mu.Lock()
		for _, k := range u.calls[c.upstreamMarks[u.name].calls:] {
			entries = append(entries, k.entry(c.began))
		}
		u.mu.Unlock()
	}
	return entries
}

func (s *Session) listenUpstreams() error {
	for _, spec := range s.x.upstreams {
		port, err := s.freePort()
		if err != nil {
			return fmt.Errorf("no free port on 127.0.0.1: %w", err)
		}
		u := &upstreamServer{name: spec.name, variable: spec.variable, addr: net.JoinHostPort("127.0.0.1", fmt.Sprint(port)), arrived: make(chan struct{})}
		if err := u.open(); err != nil {
			return err
		}
		s.upstreams = append(s.upstreams, u)
	}
	return nil
}

// upstreamEnv is what tells the program where the upstreams are.
func (s *Session) upstreamEnv() []string {
	env := make([]string, 0, len(s.upstreams))
	for _, u := range s.upstreams {
		env = append(env, u.variable+"=http://"+u.addr)
	}
	return slices.Clip(env)
}
