package exam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
)

// long bounds waiting for what happens in milliseconds.
const long = 10 * time.Second

// upstreams returns a check that has the upstreams north and south, and no
// program that would call them.
func upstreams(t *testing.T) *C {
	t.Helper()
	x, err := Declare(func(x *X) {
		x.Upstream("north", "NORTH_URL")
		x.Upstream("south", "SOUTH_URL")
		x.Check("calls", "calls", func(*C) {})
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(t.Context(), x, Options{ID: "upstream"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.newCheck(t.Context(), &spec{id: "calls"})
}

// caller is what a program would call upstreams with.
func caller(t *testing.T) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func ask(ctx context.Context, cl *http.Client, method, url, body string) (status int, text string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	resp, err := cl.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	all, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(all), err
}

func TestUpstreamAnswersAsScripted(t *testing.T) {
	c := upstreams(t)
	defer c.clean()
	u, cl := c.Upstream("north"), caller(t)
	u.On("/books/", Answer{Status: 404})
	u.On("/books/7", Answer{Status: 503, Header: http.Header{"Retry-After": {"1"}}}, Answer{Body: map[string]string{"shelf": "K"}})
	u.On("POST /books/7", Answer{Status: 204})
	for _, want := range []struct {
		method, path string
		status       int
		text         string
	}{
		{"GET", "/books/7", 503, ""},
		{"GET", "/books/7?x=1", 200, `{"shelf":"K"}`},
		{"GET", "/books/7", 200, `{"shelf":"K"}`}, // the last answer stays
		{"POST", "/books/7", 204, ""},
		{"GET", "/books/8", 404, ""},
		{"GET", "/elsewhere", 501, ""},
	} {
		status, text, err := ask(t.Context(), cl, want.method, u.URL()+want.path, "hello")
		if err != nil || status != want.status || text != want.text {
			t.Errorf("%s %s: %d %q, %v; want %d %q", want.method, want.path, status, text, err, want.status, want.text)
		}
	}
	if n := len(u.Calls("GET /books/7")); n != 3 {
		t.Errorf("%d calls of GET /books/7, want 3", n)
	}
	second := u.Calls("/")[1]
	if second.Query != "x=1" || string(second.Body) != "hello" || second.Conn != 1 || !second.Over() {
		t.Errorf("the second call was kept as %+v", second)
	}
	if n := u.Connections(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	if n := len(c.Upstream("south").Calls("/")); n != 0 {
		t.Errorf("%d calls at an upstream that nobody called", n)
	}
}

func TestUpstreamHoldsAndReleases(t *testing.T) {
	for _, a := range []Answer{{Hold: true, Body: "whole answer"}, {Stall: true, Body: "whole answer"}} {
		c := upstreams(t)
		u := c.Upstream("north")
		u.On("/", a)
		type result struct {
			text string
			err  error
		}
		got := make(chan result, 1)
		go func() {
			_, text, err := ask(t.Context(), caller(t), "GET", u.URL()+"/slow", "")
			got <- result{text, err}
		}()
		if calls := u.WaitCalls("/slow", 1, long); len(calls) != 1 || calls[0].Over() {
			t.Fatalf("calls %v, want one that is under way", calls)
		}
		select {
		case r := <-got:
			t.Fatalf("%+v: answered before it was released: %+v", a, r)
		default:
		}
		u.Release()
		if r := <-got; r.err != nil || r.text != "whole answer" {
			t.Errorf("%+v: got %q, %v", a, r.text, r.err)
		}
		if after, gone := u.Calls("/")[0].WaitGone(long); gone {
			t.Errorf("%+v: its caller is said to have gone after %s", a, after)
		}
		c.clean()
	}
}

func TestUpstreamSeesACallerLeave(t *testing.T) {
	for _, a := range []Answer{{Hold: true}, {Stall: true, Body: "whole answer"}} {
		c := upstreams(t)
		u := c.Upstream("north")
		u.On("/", a)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, _, err := ask(ctx, caller(t), "POST", u.URL()+"/slow", "with a body")
			done <- err
		}()
		k := u.WaitCalls("/slow", 1, long)[0]
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller got %v", err)
		}
		if _, gone := k.WaitGone(long); !gone {
			t.Errorf("%+v: nobody saw the caller leave", a)
		}
		c.clean()
		want := "north was asked POST /slow with a body → the caller went away"
		if got := evidence(c); !slices.Contains(got, want) {
			t.Errorf("evidence %q, want a line %q", got, want)
		}
	}
}

// evidence is the timeline of a check as text.
func evidence(c *C) []string {
	var lines []string
	for _, e := range c.timeline() {
		if e.Kind == report.KindUpstream || e.Kind == report.KindFault {
			lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s → %s", e.Actor, e.Text, e.Result), " → "))
		}
	}
	return lines
}

func TestUpstreamFaults(t *testing.T) {
	c := upstreams(t)
	u, cl := c.Upstream("north"), caller(t)
	u.On("/cut", Answer{Cut: true})
	if _, _, err := ask(t.Context(), cl, "GET", u.URL()+"/cut", ""); err == nil {
		t.Error("a call that was to be cut got an answer")
	}
	u.On("/half", Answer{Stall: true, Cut: true, Body: "whole answer"})
	go func() { u.WaitCalls("/half", 1, long)[0].Release() }()
	if status, text, err := ask(t.Context(), cl, "GET", u.URL()+"/half", ""); status != 200 || text != "whole " || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a call that was to be cut half-way got %d %q, %v", status, text, err)
	}
	u.On("/", Answer{Hold: true})
	held := make(chan error, 1)
	go func() {
		_, _, err := ask(t.Context(), cl, "GET", u.URL()+"/held", "")
		held <- err
	}()
	u.WaitCalls("/held", 1, long)
	u.Refuse()
	if err := <-held; err == nil {
		t.Error("a call that was under way survived")
	}
	if _, _, err := ask(t.Context(), cl, "GET", u.URL()+"/held", ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a call of a service that is down: %v", err)
	}
	c.clean()
	if status, _, err := ask(t.Context(), cl, "GET", u.URL()+"/held", ""); status != 501 || err != nil {
		t.Errorf("after the check: %d, %v; want 501, nothing scripted", status, err)
	}
}

func TestUpstreamBelongsToOneCheck(t *testing.T) {
	c := upstreams(t)
	u := c.Upstream("north")
	u.On("/", Answer{Hold: true})
	cut := make(chan error, 1)
	go func() {
		_, _, err := ask(t.Context(), caller(t), "GET", u.URL()+"/first", "")
		cut <- err
	}()
	u.WaitCalls("/first", 1, long)
	c.clean()
	if err := <-cut; err == nil {
		t.Error("a call that was held when the check ended got an answer")
	}
	if got, want := evidence(c), "north was asked GET /first → did not answer before the check was over"; len(got) != 1 || got[0] != want {
		t.Errorf("evidence %q, want %q", got, want)
	}
	next := c.session.newCheck(t.Context(), &spec{id: "next"})
	defer next.clean()
	if n := next.Upstream("north"); len(n.Calls("/")) != 0 || n.Connections() != 0 {
		t.Error("the next check sees calls or connections of the one before")
	}
}

func TestDeclareRefusesUpstreams(t *testing.T) {
	for _, tt := range []struct{ name, variable, want string }{
		{"North", "NORTH_URL", "lowercase words"},
		{"north", "north url", "no name for a variable"},
		{"south", "SOUTH_URL", "declared twice"},
		{"west", "SOUTH_URL", "declared twice"},
	} {
		_, err := Declare(func(x *X) {
			x.Upstream("south", "SOUTH_URL")
			x.Upstream(tt.name, tt.variable)
			x.Check("a", "a", func(*C) {})
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %s: error %v, want one with %q", tt.name, tt.variable, err, tt.want)
		}
	}
}

func TestProgramIsToldItsUpstreams(t *testing.T) {
	s := upstreams(t).session
	want := []string{"NORTH_URL=http://" + s.upstreams[0].addr, "SOUTH_URL=http://" + s.upstreams[1].addr}
	if got := s.upstreamEnv(); !slices.Equal(got, want) {
		t.Errorf("environment %q, want %q", got, want)
	}
}

func TestLeaveHangsUp(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan struct{})
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quick" {
			return
		}
		close(arrived)
		<-r.Context().Done()
		close(left)
	}), spec{id: "leave"})
	defer c.clean()
	if r, err := c.Send(http.MethodGet, "/quick", nil).Answer(); err != nil || r.Status != 200 {
		t.Errorf("a request that nobody left: %v, %v", r, err)
	}
	p := c.Send(http.MethodGet, "/", nil, Timeout(long))
	<-arrived
	p.Leave()
	<-left
	if _, err := p.Answer(); !errors.Is(err, context.Canceled) {
		t.Errorf("the client that left got %v", err)
	}
}

const dumpOfTwo = `goroutine 1 [IO wait]:
main.main()
	github.com/cairn-learn/cairn/exercises/finder/program/main.go:9 +0x1

goroutine 7 [chan send]:
github.com/cairn-learn/cairn/exercises/finder.First.func1()
	github.com/cairn-learn/cairn/exercises/finder/finder.go:88 +0x2
created by github.com/cairn-learn/cairn/exercises/finder.First in goroutine 6
	github.com/cairn-learn/cairn/exercises/finder/finder.go:80 +0x3

goroutine 9 [running]:
net/http/pprof.Profile()
	net/http/pprof/pprof.go:1 +0x4
`

func TestLeftOverNamesThePlace(t *testing.T) {
	rest, _, _ := strings.Cut(dumpOfTwo, "\n\n")
	dumps := make(chan string, 10)
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, <-dumps)
	}), spec{id: "leak"})
	defer c.clean()
	in := c.Instance(0)

	dumps <- rest
	before := in.Parked()
	if before.Count() != 1 {
		t.Fatalf("%d goroutines of the learner at rest, want 1", before.Count())
	}
	dumps <- dumpOfTwo
	dumps <- rest
	if left := in.LeftOver(before, long); left.Count() != 0 {
		t.Errorf("a program that comes to rest has left %s", left)
	}
	dumps <- dumpOfTwo
	left := in.LeftOver(before, 0)
	if got, want := left.String(), "1 goroutine at finder.go:88 (chan send)"; got != want {
		t.Errorf("left over: %q, want %q", got, want)
	}
	if !strings.Contains(left.Detail(), "finder.First.func1") || strings.Contains(left.Detail(), "main") {
		t.Errorf("detail:\n%s", left.Detail())
	}
}
