package exam

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cairn-learn/cairn/grader/process"
	"github.com/cairn-learn/cairn/grader/report"
)

// against returns a check that talks to handler in place of a program.
func against(t *testing.T, handler http.Handler, sp spec) *C {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(t.Context(), &X{instances: 2}, Options{ID: "pending"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if s.programs[0].port, err = strconv.Atoi(u.Port()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return s.newCheck(ctx, &sp)
}

func TestBeginReturnsWhileTheHandlerReads(t *testing.T) {
	reading := make(chan struct{})
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		half := make([]byte, 6)
		if _, err := io.ReadFull(r.Body, half); err != nil {
			t.Error(err)
		}
		close(reading)
		rest, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(append(half, rest...))
	}), spec{id: "begin"})
	defer c.clean()
	p, err := c.Begin(http.MethodPost, "/", "first second")
	if err != nil {
		t.Fatal(err)
	}
	<-reading // the first half has arrived, and nothing makes the second come
	if p.Answered() {
		t.Error("answered before the second half was sent")
	}
	r, err := p.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if string(r.Body) != "first second" {
		t.Errorf("the handler read %q", r.Body)
	}
	if again, err := p.Finish(); again != r || err != nil {
		t.Errorf("the second Finish returned %v, %v", again, err)
	}
}

func TestBeginSaysWhenNobodyReads(t *testing.T) {
	c := against(t, http.NotFoundHandler(), spec{id: "begin"})
	defer c.clean()
	if _, err := c.Begin(http.MethodPost, "/", "first second"); err == nil {
		t.Error("no error, although the answer came without the body")
	}
}

func TestPendingEndsWithItsCheck(t *testing.T) {
	gone := make(chan error, 1)
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		gone <- err
	}), spec{id: "begin"})
	p, err := c.Begin(http.MethodPost, "/", "first second", Timeout(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	c.clean()
	if !p.Answered() {
		t.Error("the request goes on after its check")
	}
	if err := <-gone; err == nil {
		t.Error("the handler got a whole body that nobody sent")
	}
}

func TestFreshConnections(t *testing.T) {
	remotes := map[string]bool{}
	c := against(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { remotes[r.RemoteAddr] = true }), spec{id: "fresh"})
	defer c.clean()
	cl := c.Client("A", FreshConnections())
	for range 3 {
		if _, err := cl.Try(http.MethodGet, "/", nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(remotes) != 3 {
		t.Errorf("3 requests over %d connections", len(remotes))
	}
}

// Overlapping checks have instances of their own, and each shows only these.
func TestTimelineOfOverlappingChecks(t *testing.T) {
	for _, parallel := range []bool{false, true} {
		c := against(t, http.NotFoundHandler(), spec{id: "log", settings: settings{parallel: parallel}})
		c.Instance(1)
		c.session.log.add("instance 1", process.Line{At: time.Now(), Text: "not ours"})
		c.session.log.add("instance 2", process.Line{At: time.Now(), Text: "ours"})
		want := 2
		if parallel {
			want = 1
		}
		if got := c.timeline(); len(got) != want || got[len(got)-1].Text != "ours" {
			t.Errorf("parallel %v: %+v", parallel, got)
		}
		c.clean()
	}
}

func TestRepeatedRequestsAreOneEntry(t *testing.T) {
	poll := func(at time.Duration, result string) report.Entry {
		return report.Entry{At: at, Duration: 1, Kind: report.KindHTTP, Actor: "A", Text: "GET /readyz", Result: result}
	}
	got := mergeRepeated([]report.Entry{poll(0, "200"), poll(5, "200"), poll(10, "200"), poll(15, "503"),
		{At: 20, Kind: report.KindLog, Text: "x"}, {At: 21, Kind: report.KindLog, Text: "x"}, poll(25, "503")})
	var texts []string
	for _, e := range got {
		texts = append(texts, e.Text+" "+e.Result)
	}
	if want := "GET /readyz, 3 times 200|GET /readyz 503|x |x |GET /readyz 503"; strings.Join(texts, "|") != want {
		t.Errorf("%s", strings.Join(texts, "|"))
	}
	if got[0].Duration != 11 {
		t.Errorf("three requests from 0 to 11 took %d", got[0].Duration)
	}
}

// Instances start side by side, and each must get a port of its own.
func TestFreePortIsGivenOnce(t *testing.T) {
	c := against(t, http.NotFoundHandler(), spec{id: "port"})
	defer c.clean()
	given := map[int]bool{}
	for range 200 {
		port, err := c.session.freePort()
		if err != nil {
			t.Fatal(err)
		}
		if given[port] || port < firstPort || port >= lastPort {
			t.Fatalf("port %d, after %d others", port, len(given))
		}
		given[port] = true
	}
}
