package exam

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxCalls bounds the memory of one upstream; a program in an endless loop calls
// many thousand times a second. What comes after that is answered and not kept.
const maxCalls = 20000

// upstreamServer is the server behind an Upstream. It lives as long as the
// session; the script is that of the current check.
type upstreamServer struct {
	name, variable, addr string

	mu      sync.Mutex
	server  *http.Server // nil while connections are refused
	rules   []*upstreamRule
	calls   []*Call
	arrived chan struct{} // closed and made anew when a call arrives
	conns   int
}

type connKey struct{}

// open listens on the upstream's address.
func (u *upstreamServer) open() error {
	l, err := net.Listen("tcp", u.addr)
	if err != nil {
		return fmt.Errorf("cannot listen for the upstream %s: %w", u.name, err)
	}
	server := &http.Server{
		Handler:           u,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // what a program does to its upstream is in the evidence
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.conns++
			return context.WithValue(ctx, connKey{}, u.conns)
		},
	}
	u.mu.Lock()
	u.server = server
	u.mu.Unlock()
	go func() { _ = server.Serve(l) }()
	return nil
}

// close cuts all connections and refuses new ones.
func (u *upstreamServer) close() {
	u.mu.Lock()
	server := u.server
	u.server = nil
	u.cutCalls("cut the connection")
	u.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
}

// reset forgets the script, cuts what is held, and listens if it does not.
func (u *upstreamServer) reset() error {
	u.mu.Lock()
	u.rules = nil
	u.cutCalls("did not answer before the check was over")
	closed := u.server == nil
	u.mu.Unlock()
	if closed {
		return u.open()
	}
	return nil
}

// cutCalls ends all calls that are under way. The mutex is held.
func (u *upstreamServer) cutCalls(outcome string) {
	for _, k := range u.calls {
		if k.outcome == "" {
			k.answer.Cut = true
			k.end(outcome, false)
		}
		k.Release()
	}
}

func (u *upstreamServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k, a := u.take(r)
	if a.Hold {
		u.wait(k, r)
	}
	body := a.body()
	if a.Stall {
		u.begin(w, a, body)
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush() // fails only when the caller has left, which wait sees
		u.wait(k, r)
		body = body[len(body)/2:]
	}
	if u.finish(k) {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if !a.Stall {
		u.begin(w, a, body)
	}
	_, _ = w.Write(body) // a caller that has just left needs none
}

// take notes a call and picks its answer.
func (u *upstreamServer) take(r *http.Request) (*Call, Answer) {
	k := &Call{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: readBody(r),
		server: u, released: make(chan struct{}), over: make(chan struct{})}
	k.Conn, _ = r.Context().Value(connKey{}).(int)
	u.mu.Lock()
	defer u.mu.Unlock()
	k.At = time.Now()
	k.answer = Answer{Status: http.StatusNotImplemented}
	for _, rule := range slices.Backward(u.rules) {
		if matches(rule.pattern, k.Method, k.Path) {
			k.answer = rule.next()
			break
		}
	}
	if len(u.calls) < maxCalls {
		u.calls = append(u.calls, k)
	}
	close(u.arrived)
	u.arrived = make(chan struct{})
	return k, k.answer
}

// wait returns when the call is released or its caller has left, which ends it.
func (u *upstreamServer) wait(k *Call, r *http.Request) {
	select {
	case <-k.released:
	case <-r.Context().Done():
		u.mu.Lock()
		k.end("the caller went away", true)
		u.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
}

// finish notes that the call gets its answer, and tells whether it is cut
// instead.
func (u *upstreamServer) finish(k *Call) (cut bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if k.answer.Cut {
		k.end("cut the connection", false)
		return true
	}
	status := k.answer.status()
	text := "answered " + strconv.Itoa(status)
	if body := k.answer.body(); len(body) > 0 {
		text += " " + excerpt(body)
	}
	k.end(text, false)
	return false
}

func (u *upstreamServer) begin(w http.ResponseWriter, a Answer, body []byte) {
	if len(body) > 0 {
		w.Header().Set("Content-Type", "application/json")
	}
	for name, values := range a.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if a.status() != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status())
}

func (a Answer) status() int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}
