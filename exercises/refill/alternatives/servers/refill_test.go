package refill_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cairn-learn/cairn/exercises/refill"
)

// national starts a register of which the test decides what it answers; what it is asked goes by
// the routes of the real one.
func national(t *testing.T, find, dispense http.HandlerFunc) (*refill.Client, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	mux := http.NewServeMux()
	keyed := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if r.Header.Get("Authorization") != "Bearer secret" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			h(w, r)
		}
	}
	if find != nil {
		mux.HandleFunc("GET /v1/prescriptions/{number}", keyed(find))
	}
	if dispense != nil {
		mux.HandleFunc("POST /v1/prescriptions/{number}/dispensings", keyed(dispense))
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &refill.Client{Base: server.URL + "/v1", Key: "secret", Timeout: 4 * time.Second}, &asked
}

func TestLooksUp(t *testing.T) {
	t.Parallel()
	c, _ := national(t, func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("number") != "R/2026/41" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"drug": "Ramipril 5", "left": 2})
	}, nil)
	p, err := c.Find(context.Background(), "R/2026/41")
	if err != nil || p.Drug != "Ramipril 5" || p.Left != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err = c.Find(context.Background(), "R/2026/42"); !errors.Is(err, refill.ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
}

func TestNonsense(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"nothing": "", "half": `{"drug":"Rami`, "text": "out of order",
		"endless": `{"drug":"` + strings.Repeat("R", 3<<20) + `","left":1}`,
	} {
		c, _ := national(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text) }, nil)
		if p, err := c.Find(context.Background(), "1"); !errors.Is(err, refill.ErrAnswer) {
			t.Errorf("%s: %.40v, %v", what, p, err)
		}
	}
}

// The register says how long its answer is, and leaves before that.
func TestEndsTooEarly(t *testing.T) {
	t.Parallel()
	c, _ := national(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "300")
		_, _ = io.WriteString(w, `{"drug":"Ramipril 5","left":2}`)
	}, nil)
	if p, err := c.Find(context.Background(), "1"); !errors.Is(err, refill.ErrAnswer) {
		t.Errorf("%v, %v", p, err)
	}
}

func TestHangsUpOnADispensing(t *testing.T) {
	t.Parallel()
	c, asked := national(t, nil, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	err := c.Dispense(context.Background(), "1", 1)
	if n := asked.Load(); err == nil || n != 1 {
		t.Errorf("%v, asked %d times", err, n)
	}
}

func TestWritesDown(t *testing.T) {
	t.Parallel()
	ledger := make(chan map[string]any, 1)
	c, _ := national(t, nil, func(w http.ResponseWriter, r *http.Request) {
		var entry map[string]any
		if err := json.NewDecoder(r.Body).Decode(&entry); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		entry["number"] = r.PathValue("number")
		ledger <- entry
		w.WriteHeader(http.StatusCreated)
	})
	if err := c.Dispense(context.Background(), "A 7/?", 3); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-ledger:
		if e["packs"] != 3.0 || e["number"] != "A 7/?" {
			t.Errorf("written down: %v", e)
		}
	default:
		t.Error("nothing was written down")
	}
}

func TestHowOften(t *testing.T) {
	t.Parallel()
	status := func(code int, after string) http.HandlerFunc {
		var n atomic.Int32
		return func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) > 9 {
				code = http.StatusGone
			}
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.WriteHeader(code)
		}
	}
	for _, tt := range []struct {
		code           int
		after          string
		find, dispense int32
	}{
		{503, "0", 3, 1}, {500, "", 1, 1}, {400, "", 1, 1}, {429, "0", 1, 1},
	} {
		c, asked := national(t, status(tt.code, tt.after), status(tt.code, tt.after))
		_, err := c.Find(context.Background(), "1")
		if refusal := new(refill.StatusError); !errors.As(err, &refusal) || refusal.Status != tt.code {
			t.Errorf("Find, %d: %v", tt.code, err)
		}
		if n := asked.Swap(0); n != tt.find {
			t.Errorf("Find, %d: asked %d times", tt.code, n)
		}
		err = c.Dispense(context.Background(), "1", 1)
		if refusal := new(refill.StatusError); !errors.As(err, &refusal) || refusal.Status != tt.code {
			t.Errorf("Dispense, %d: %v", tt.code, err)
		}
		if n := asked.Load(); n != tt.dispense {
			t.Errorf("Dispense, %d: asked %d times", tt.code, n)
		}
	}
}

// The timeout is short here, and only it can end the call: how busy the machine is does not matter.
func TestStopsHalfWay(t *testing.T) {
	t.Parallel()
	c, _ := national(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"drug":"Ra`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}, nil)
	c.Timeout = 30 * time.Millisecond
	if _, err := c.Find(context.Background(), "1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	arrived := make(chan bool)
	c, _ := national(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-r.Context().Done()
	}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		_, err := c.Find(ctx, "1")
		ended <- err
	}()
	<-arrived
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(3 * time.Second):
		t.Error("goes on")
	}
}

func TestNobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := refill.Client{Base: server.URL}
	if _, err := c.Find(context.Background(), "1"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
}

// watched counts the bodies that were given out and not closed.
type watched struct{ open atomic.Int32 }

func (x *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		x.open.Add(1)
		resp.Body = &counted{ReadCloser: resp.Body, x: x}
	}
	return resp, err
}

type counted struct {
	io.ReadCloser
	x    *watched
	done bool
}

func (b *counted) Close() error {
	if !b.done {
		b.done = true
		b.x.open.Add(-1)
	}
	return b.ReadCloser.Close()
}

func TestLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	answer := func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.PathValue("number"))
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(code)
	}
	c, _ := national(t, answer, answer)
	for _, number := range []string{"200", "201", "404", "418", "503"} {
		x := new(watched)
		c.Transport = x
		_, _ = c.Find(context.Background(), number)
		_ = c.Dispense(context.Background(), number, 1)
		if n := x.open.Load(); n != 0 {
			t.Errorf("%s: %d are open", number, n)
		}
	}
}

// later answers from inside of a bubble, where time costs nothing: the status that it has for each
// moment, and silence when that is 0.
type later func(since time.Duration) int

func bubble(t *testing.T, l later, leaves, atLeast, atMost time.Duration, want error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if leaves > 0 {
			time.AfterFunc(leaves, cancel)
		}
		_, err := (&refill.Client{Base: "http://register", Transport: clocked{l, began}}).Find(ctx, "1")
		if took := time.Since(began); took < atLeast || took > atMost {
			t.Errorf("%s", took)
		}
		if !errors.Is(err, want) {
			t.Errorf("%v", err)
		}
	})
}

type clocked struct {
	answer later
	began  time.Time
}

func (x clocked) RoundTrip(r *http.Request) (*http.Response, error) {
	code := x.answer(time.Since(x.began))
	if code == 0 {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	return &http.Response{StatusCode: code, Header: http.Header{"Retry-After": {"90"}}, Body: http.NoBody}, nil
}

func TestPatience(t *testing.T) {
	bubble(t, func(time.Duration) int { return 0 }, 0, 10*time.Second, 11*time.Second, context.DeadlineExceeded)
}

func TestWaitsAsLongAsItWasTold(t *testing.T) {
	bubble(t, func(since time.Duration) int {
		if since == 0 {
			return 503
		}
		return 404
	}, 0, 90*time.Second, 91*time.Second, refill.ErrUnknown)
}

func TestCallerLeavesTheQueue(t *testing.T) {
	bubble(t, func(time.Duration) int { return 503 }, time.Minute, time.Minute, 61*time.Second, context.Canceled)
}
