package refill_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cairn-learn/cairn/exercises/refill"
)

const found = `{"drug":"Metformin 500","left":3}`

// answer is what the register answers once.
type answer struct {
	status int
	after  string // Retry-After
	body   string
	length string // Content-Length, if it is to lie
}

// register is a server that answers as it was told to, the last answer for ever, and keeps what it
// was asked.
type register struct {
	url string

	mu      sync.Mutex
	answers []answer
	calls   []call
}

type call struct{ method, path, key, body string }

func newRegister(t *testing.T, answers ...answer) *register {
	t.Helper()
	reg := &register{answers: answers}
	server := httptest.NewServer(reg)
	t.Cleanup(server.Close)
	reg.url = server.URL
	return reg
}

func (reg *register) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	reg.mu.Lock()
	defer reg.mu.Unlock()
	reg.calls = append(reg.calls, call{r.Method, r.URL.EscapedPath(), r.Header.Get("Authorization"), string(body)})
	a := reg.answers[0]
	if len(reg.answers) > 1 {
		reg.answers = reg.answers[1:]
	}
	if len(reg.calls) > 20 {
		a = answer{status: http.StatusTeapot} // whoever asks for ever comes to an end
	}
	if a.after != "" {
		w.Header().Set("Retry-After", a.after)
	}
	if a.length != "" {
		w.Header().Set("Content-Length", a.length)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// asked returns the calls so far.
func (reg *register) asked() []call {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	return append([]call(nil), reg.calls...)
}

func (reg *register) client() *refill.Client {
	return &refill.Client{Base: reg.url, Key: "k-17"}
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer answer
		err    error
		status int // of the *StatusError
	}{
		{name: "found", answer: answer{status: 200, body: found}},
		{name: "unknown", answer: answer{status: 404, body: `{"error":"unknown"}`}, err: refill.ErrUnknown},
		{name: "forbidden", answer: answer{status: 403}, status: 403},
		{name: "broken", answer: answer{status: 500}, status: 500},
		{name: "too many", answer: answer{status: 429, after: "0"}, status: 429},
		{name: "cut off", answer: answer{status: 200, body: found, length: "100"}, err: refill.ErrAnswer},
		{name: "cut off inside", answer: answer{status: 200, body: found[:20]}, err: refill.ErrAnswer},
		{name: "a page", answer: answer{status: 200, body: "<h1>Maintenance</h1>"}, err: refill.ErrAnswer},
		{name: "60 KB", answer: answer{status: 200, body: found + strings.Repeat(" ", 60_000)}},
		{name: "2 MB", answer: answer{status: 200, body: found + strings.Repeat(" ", 2_000_000)}, err: refill.ErrAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reg := newRegister(t, tt.answer)
			p, err := reg.client().Find(t.Context(), "R/2026/41")
			refused(t, err, tt.err, tt.status)
			want := refill.Prescription{}
			if tt.err == nil && tt.status == 0 {
				want = refill.Prescription{Drug: "Metformin 500", Left: 3}
			}
			if p != want {
				t.Errorf("found %+v, want %+v", p, want)
			}
			sent(t, reg, call{method: "GET", path: "/prescriptions/R%2F2026%2F41"})
		})
	}
}

func TestDispense(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer answer
		err    error
		status int
	}{
		{name: "written down", answer: answer{status: 201}},
		{name: "unknown", answer: answer{status: 404}, err: refill.ErrUnknown},
		{name: "refused", answer: answer{status: 409}, status: 409},
		{name: "busy", answer: answer{status: 503, after: "0"}, status: 503},
		{name: "busy for long", answer: answer{status: 503}, status: 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reg := newRegister(t, tt.answer)
			refused(t, reg.client().Dispense(t.Context(), "50% A?", 2), tt.err, tt.status)
			sent(t, reg, call{method: "POST", path: "/prescriptions/50%25%20A%3F/dispensings", body: `{"packs":2}`})
		})
	}
}

// refused fails the test unless err is want, or a *StatusError with that status, or nil for neither.
func refused(t *testing.T, err, want error, status int) {
	t.Helper()
	if status == 0 {
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		return
	}
	var se *refill.StatusError
	if !errors.As(err, &se) || se.Status != status {
		t.Errorf("error %v, want status %d", err, status)
	}
}

// sent fails the test unless the register was asked once, for want.
func sent(t *testing.T, reg *register, want call) {
	t.Helper()
	calls := reg.asked()
	if len(calls) != 1 {
		t.Fatalf("%d calls: %v", len(calls), calls)
	}
	got := calls[0]
	got.body = strings.Join(strings.Fields(got.body), "")
	if want.key = "Bearer k-17"; got != want {
		t.Errorf("sent %+v, want %+v", got, want)
	}
}

func TestFindAsksAgain(t *testing.T) {
	busy := answer{status: 503, after: "0"}
	for _, tt := range []struct {
		name    string
		answers []answer
		status  int
	}{
		{"third time", []answer{busy, busy, {status: 200, body: found}}, 0},
		{"never", []answer{busy}, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reg := newRegister(t, tt.answers...)
			_, err := reg.client().Find(t.Context(), "1")
			refused(t, err, nil, tt.status)
			if n := len(reg.asked()); n != 3 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// transport is a function that answers requests; it makes no connection.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// body is one that tells when it is closed. What is read comes from the Reader.
type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error { b.closed = true; return nil }

func respond(status int, after string, b io.Reader) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: &body{Reader: b}, ContentLength: -1}
	if after != "" {
		resp.Header.Set("Retry-After", after)
	}
	return resp
}

// never answers.
func never(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// half answers, with a body that stops half-way and does not end.
func half(r *http.Request) (*http.Response, error) {
	return respond(200, "", io.MultiReader(strings.NewReader(found[:9]), stuck{r.Context()})), nil
}

type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }

// busy asks to come again in a minute.
func busy(*http.Request) (*http.Response, error) {
	return respond(503, "60", strings.NewReader("")), nil
}

func TestTime(t *testing.T) {
	for _, tt := range []struct {
		name      string
		transport transport
		timeout   time.Duration
		cancel    time.Duration // after which the caller leaves; 0: does not
		want      error
		took      time.Duration
	}{
		{name: "never, usual timeout", transport: never, want: context.DeadlineExceeded, took: 10 * time.Second},
		{name: "never", transport: never, timeout: 3 * time.Second, want: context.DeadlineExceeded, took: 3 * time.Second},
		{name: "half", transport: half, timeout: 3 * time.Second, want: context.DeadlineExceeded, took: 3 * time.Second},
		{name: "never, called off", transport: never, cancel: time.Second, want: context.Canceled, took: time.Second},
		{name: "half, called off", transport: half, cancel: time.Second, want: context.Canceled, took: time.Second},
		{name: "busy, called off", transport: busy, cancel: time.Second, want: context.Canceled, took: time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, cancel)
				}
				client := refill.Client{Base: "http://register", Transport: tt.transport, Timeout: tt.timeout}
				began := time.Now()
				_, err := client.Find(ctx, "1")
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %s, want %s", took, tt.took)
				}
				if !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var moments []time.Time
		client := refill.Client{Base: "http://register", Transport: transport(func(*http.Request) (*http.Response, error) {
			if moments = append(moments, time.Now()); len(moments) == 1 {
				return respond(503, "30", strings.NewReader("")), nil
			}
			return respond(200, "", strings.NewReader(found)), nil
		})}
		if _, err := client.Find(t.Context(), "1"); err != nil || len(moments) != 2 {
			t.Fatalf("%v after %d calls", err, len(moments))
		}
		if waited := moments[1].Sub(moments[0]); waited < 30*time.Second || waited > 31*time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestBodiesAreClosed(t *testing.T) {
	for _, status := range []int{200, 201, 404, 500, 503} {
		var bodies []*body
		client := refill.Client{Base: "http://register", Transport: transport(func(*http.Request) (*http.Response, error) {
			resp := respond(status, "0", strings.NewReader(found))
			if bodies = append(bodies, resp.Body.(*body)); len(bodies) > 20 {
				return nil, errors.New("enough")
			}
			return resp, nil
		})}
		_, _ = client.Find(t.Context(), "1")
		_ = client.Dispense(t.Context(), "1", 1)
		for i, b := range bodies {
			if !b.closed {
				t.Errorf("status %d: the body of answer %d is open", status, i)
			}
		}
	}
}

func TestCauseStays(t *testing.T) {
	unplugged := errors.New("somebody stepped on the cable")
	calls := 0
	client := refill.Client{Base: "http://register", Transport: transport(func(*http.Request) (*http.Response, error) {
		calls++
		return nil, unplugged
	})}
	if _, err := client.Find(t.Context(), "1"); !errors.Is(err, unplugged) {
		t.Errorf("Find: %v", err)
	}
	calls = 0
	if err := client.Dispense(t.Context(), "1", 1); !errors.Is(err, unplugged) {
		t.Errorf("Dispense: %v", err)
	}
	if calls != 1 {
		t.Errorf("Dispense was sent %d times", calls)
	}
}
