// Package refill is the pharmacy's side of the register of repeat prescriptions.
package refill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What went wrong.
var (
	ErrUnknown = errors.New("the register does not have it")
	ErrAnswer  = errors.New("the register talks nonsense")
)

// StatusError is a status out of place.
type StatusError struct{ Status int }

// Error says it as HTTP does.
func (e *StatusError) Error() string {
	return strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)
}

// Prescription is one.
type Prescription struct {
	Drug string
	Left int
}

// Client is how to reach the register.
type Client struct {
	Base      string
	Key       string
	Transport http.RoundTripper
	Timeout   time.Duration
}

// failure is an error with the kind that callers look for.
type failure struct {
	doing string
	kind  error
	cause error
}

func (f *failure) Error() string   { return fmt.Sprint(f.doing, ": ", f.kind, " [", f.cause, "]") }
func (f *failure) Unwrap() []error { return []error{f.cause, f.kind} }

// exchange is one request and what came back.
type exchange struct {
	status int
	after  string // Retry-After
	body   []byte
	cut    error // why the body is not whole
}

var segment = strings.NewReplacer("%", "%25", "/", "%2F", "?", "%3F", " ", "%20")

// Find looks a prescription up.
func (c *Client) Find(ctx context.Context, number string) (Prescription, error) {
	ex, err := c.insist(ctx, "/prescriptions/"+segment.Replace(number))
	if err != nil {
		return Prescription{}, err
	}
	switch {
	case ex.status == http.StatusNotFound:
		return Prescription{}, &failure{number, ErrUnknown, errors.New("404")}
	case ex.status != http.StatusOK:
		return Prescription{}, &failure{number, errors.New("refused"), &StatusError{ex.status}}
	case ex.cut != nil:
		return Prescription{}, &failure{number, ErrAnswer, ex.cut}
	case len(ex.body) >= 1_000_000:
		return Prescription{}, &failure{number, ErrAnswer, errors.New("too much of it")}
	}
	found := new(Prescription)
	if err := json.Unmarshal(ex.body, found); err != nil {
		return Prescription{}, &failure{number, ErrAnswer, err}
	}
	return *found, nil
}

// insist asks again while the register is busy.
func (c *Client) insist(ctx context.Context, path string) (*exchange, error) {
	for left := 2; ; left-- {
		ex, err := c.exchange(ctx, "GET", path, "")
		if err != nil || ex.status != 503 || left == 0 {
			return ex, err
		}
		pause := 20 * time.Millisecond
		if s, err := strconv.ParseUint(ex.after, 10, 16); err == nil {
			pause += time.Duration(s) * time.Second
		}
		// Not all pharmacies at the same moment.
		pause += time.Duration(rand.IntN(80)) * time.Millisecond
		select {
		case <-ctx.Done():
			return nil, &failure{"waiting", errors.New("called off"), ctx.Err()}
		case <-time.After(pause):
		}
	}
}

// Dispense writes down what was handed out.
func (c *Client) Dispense(ctx context.Context, number string, packs int) error {
	ex, err := c.exchange(ctx, "POST", "/prescriptions/"+segment.Replace(number)+"/dispensings",
		fmt.Sprintf("{\n  \"packs\": %d\n}\n", packs))
	switch {
	case err != nil:
		return err
	case ex.status == 404:
		return &failure{number, ErrUnknown, errors.New("404")}
	case ex.status != 201:
		return &failure{number, errors.New("refused"), &StatusError{ex.status}}
	}
	return nil
}

var errLate = errors.New("the register is late")

func (c *Client) exchange(ctx context.Context, method, path, body string) (*exchange, error) {
	patience := c.Timeout
	if patience <= 0 {
		patience = 10 * time.Second
	}
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer time.AfterFunc(patience, func() { cancel(errLate) }).Stop()
	because := func(err error) error {
		switch {
		case ctx.Err() != nil:
			return &failure{method, errors.New("called off"), ctx.Err()}
		case inner.Err() != nil:
			return &failure{method, errLate, context.DeadlineExceeded}
		}
		return &failure{method, errors.New("no answer"), err}
	}
	var content io.Reader = http.NoBody
	if body != "" {
		content = io.MultiReader(strings.NewReader(body)) // of a length that nobody asked for
	}
	req, err := http.NewRequestWithContext(inner, method, c.Base+path, content)
	if err != nil {
		return nil, because(err)
	}
	req.Close = true // one connection for each
	req.Header = http.Header{
		"User-Agent": {"pharmacy/7"}, "Accept": {"application/json"}, "Authorization": {"Bearer " + c.Key},
		"X-Request-Id": {strconv.FormatUint(rand.Uint64(), 36)},
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := (&http.Client{Transport: c.Transport}).Do(req)
	if err != nil {
		return nil, because(err)
	}
	defer resp.Body.Close()
	ex := &exchange{status: resp.StatusCode, after: resp.Header.Get("Retry-After")}
	ex.body, ex.cut = io.ReadAll(io.LimitReader(resp.Body, 1_000_000))
	_ = resp.Body.Close()
	if inner.Err() != nil {
		return nil, because(nil)
	}
	return ex, nil
}
