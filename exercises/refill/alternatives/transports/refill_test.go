package refill_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/cairn-learn/cairn/exercises/refill"
)

// wire is the register without a network. Each request takes the next answer, and the last one is
// there for all that follow.
type wire struct {
	answers []step
	seen    []string // method, path, key and body
	at      []time.Duration
	began   time.Time
	open    int
}

type step struct {
	status int
	after  string
	body   io.Reader // nil: as far as the header, and then silence
	err    error
	silent bool // no answer
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		sent, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	w.seen = append(w.seen, strings.Join(strings.Fields(strings.Join([]string{
		r.Method, r.URL.EscapedPath(), r.Header.Get("Authorization"), string(sent)}, "")), ""))
	w.at = append(w.at, time.Since(w.began).Truncate(time.Second))
	s := w.answers[0]
	if len(w.answers) > 1 {
		w.answers = w.answers[1:]
	}
	if len(w.seen) > 5 {
		s = step{err: errors.New("asked too often")}
	}
	if s.silent {
		<-r.Context().Done()
		s.err = r.Context().Err()
	}
	if s.err != nil {
		return nil, s.err
	}
	w.open++
	header := http.Header{}
	if s.after != "" {
		header.Set("Retry-After", s.after)
	}
	return &http.Response{StatusCode: s.status, Header: header, Body: &parcel{w: w, r: s.body, ctx: r.Context()}}, nil
}

type parcel struct {
	w      *wire
	r      io.Reader
	ctx    context.Context
	closed bool
}

func (p *parcel) Read(b []byte) (int, error) {
	if p.r == nil {
		<-p.ctx.Done()
		return 0, p.ctx.Err()
	}
	return p.r.Read(b)
}

func (p *parcel) Close() error {
	if !p.closed {
		p.closed = true
		p.w.open--
	}
	return nil
}

func says(s string) io.Reader { return strings.NewReader(s) }

const good = `{"drug":"Ibuprofen 600","left":1}`

var errCable = errors.New("cable")

// try makes a call in a bubble, and looks at what every call must leave behind.
func try(t *testing.T, leaves time.Duration, timeout time.Duration, f func(context.Context, *refill.Client) error, answers ...step) (w *wire, took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if leaves > 0 {
			time.AfterFunc(leaves, cancel)
		}
		w = &wire{answers: answers, began: time.Now()}
		err = f(ctx, &refill.Client{Base: "https://r/v2", Key: "K", Transport: w, Timeout: timeout})
		took = time.Since(w.began)
	})
	if w.open != 0 {
		t.Errorf("%d bodies are open", w.open)
	}
	return w, took, err
}

var p refill.Prescription

func find(ctx context.Context, c *refill.Client) (err error) {
	p, err = c.Find(ctx, "X%/2")
	return err
}

func dispense(ctx context.Context, c *refill.Client) error { return c.Dispense(ctx, "X%/2", 12) }

func status(err error) int {
	var s *refill.StatusError
	if errors.As(err, &s) {
		return s.Status
	}
	return 0
}

func TestAnswers(t *testing.T) {
	const asks, tells = "GET/v2/prescriptions/X%25%2F2BearerK", `POST/v2/prescriptions/X%25%2F2/dispensingsBearerK{"packs":12}`
	for name, tt := range map[string]struct {
		with step
		is   error
		as   int

		writes bool
	}{
		"found":      {with: step{status: 200, body: says(good)}, is: nil, as: 0},
		"404":        {with: step{status: 404, body: says(good)}, is: refill.ErrUnknown, as: 0},
		"403":        {with: step{status: 403, body: says(good)}, is: nil, as: 403},
		"502":        {with: step{status: 502, body: says("bad gateway")}, is: nil, as: 502},
		"cut":        {with: step{status: 200, body: io.MultiReader(says(good[:12]), iotest.ErrReader(io.ErrUnexpectedEOF))}, is: refill.ErrAnswer, as: 0},
		"cut behind": {with: step{status: 200, body: io.MultiReader(says(good), iotest.ErrReader(io.ErrUnexpectedEOF))}, is: refill.ErrAnswer, as: 0},
		"no JSON":    {with: step{status: 200, body: says("hello")}, is: refill.ErrAnswer, as: 0},
		"long":       {with: step{status: 200, body: io.MultiReader(says(good), says(strings.Repeat("\n", 1_100_000)))}, is: refill.ErrAnswer, as: 0},
		"cable":      {with: step{err: errCable}, is: errCable, as: 0},
		"written":    {writes: true, with: step{status: 201, body: says("")}, is: nil, as: 0},
		"not there":  {writes: true, with: step{status: 404, body: says("")}, is: refill.ErrUnknown, as: 0},
		"busy":       {writes: true, with: step{status: 503, after: "1", body: says("")}, is: nil, as: 503},
		"and broken": {writes: true, with: step{err: errCable}, is: errCable, as: 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := find
			if tt.writes {
				f = dispense
			}
			w, _, err := try(t, 0, 0, f, tt.with)
			if status(err) != tt.as || tt.is != nil && !errors.Is(err, tt.is) || err != nil && tt.is == nil && tt.as == 0 {
				t.Errorf("%v", err)
			}
			want := asks
			if tt.writes {
				want = tells
			}
			if len(w.seen) != 1 || w.seen[0] != want {
				t.Errorf("sent %q, not %q", w.seen, want)
			}
		})
	}
	_, _, _ = try(t, 0, 0, find, step{status: 200, body: says(good)})
	if p != (refill.Prescription{Drug: "Ibuprofen 600", Left: 1}) {
		t.Errorf("%v", p)
	}
}

func TestSeconds(t *testing.T) {
	silent := step{silent: true}
	half := step{status: 200}
	busy := step{status: 503, after: "7", body: says("")}
	for name, tt := range map[string]struct {
		leaves, timeout time.Duration
		first           step
		took            time.Duration
		err             error
	}{
		"default": {0, 0, silent, 10 * time.Second, context.DeadlineExceeded},
		"shorter": {0, time.Second, silent, time.Second, context.DeadlineExceeded},
		"half":    {0, time.Second, half, time.Second, context.DeadlineExceeded},
		"leaves":  {time.Minute / 20, 0, silent, 3 * time.Second, context.Canceled},
		"bored":   {time.Minute / 20, 0, busy, 3 * time.Second, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			_, took, err := try(t, tt.leaves, tt.timeout, find, tt.first)
			if took.Round(time.Second) != tt.took || !errors.Is(err, tt.err) {
				t.Errorf("%v after %v", err, took)
			}
		})
	}
	w, took, err := try(t, 0, 0, find, busy, busy, busy, step{status: 200, body: says(good)})
	if status(err) != 503 || len(w.seen) != 3 || took < 14*time.Second || took > 16*time.Second || w.at[1] < 7*time.Second {
		t.Errorf("%v after %v: %v", err, took, w.at)
	}
}
