// Package refill asks the national register of repeat prescriptions, as a pharmacy does before it
// hands anything out.
//
// The register is somebody else's. It answers with JSON and a status, and does not redirect. On bad
// days it hangs, stops in the middle of an answer, or answers something that it never should.
package refill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// What callers find in errors, with errors.Is.
var (
	ErrUnknown = errors.New("refill: no such prescription")
	ErrAnswer  = errors.New("refill: not an answer of the register")
)

// StatusError is an answer with a status that a method does not expect. Callers find it with
// errors.As.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return fmt.Sprintf("refill: status %d", e.Status) }

// Prescription is what the register knows of one.
type Prescription struct {
	Drug string `json:"drug"`
	Left int    `json:"left"` // packs that may still be handed out
}

// Client calls the register.
//
// Every request has the header Authorization: "Bearer ", and then the Key. The number of a
// prescription is one segment of the path. It consists of letters, digits, spaces and / - ? %:
// "R/2026/41" is a number.
//
// An attempt that has not brought the whole answer when Timeout is over is given up, with
// context.DeadlineExceeded. When ctx ends, everything that is done for it ends at once, waiting
// too, with the error of ctx. If no answer comes for another reason, the error wraps that reason.
// The body of every answer is closed.
type Client struct {
	Base      string            // "https://register.example/v1", without a slash at the end
	Key       string            // by which the register knows the pharmacy
	Transport http.RoundTripper // takes the requests; nil means http.DefaultTransport
	Timeout   time.Duration     // of one attempt; 0 means 10 s
}

const (
	usualTimeout = 10 * time.Second
	attempts     = 3
	maxAnswer    = 64 << 10 // bytes
)

// Find asks with GET {Base}/prescriptions/{number} for a prescription.
//
// 200 comes with it: {"drug":"Metformin 500","left":3}. A body that is cut off, that is no JSON, or
// that is longer than 1 MB (1,048,576 bytes) is ErrAnswer; one of up to 64 KB (65,536) is read. What
// JSON without these two fields comes to is left open. 404 is ErrUnknown, and any other status a
// *StatusError; what comes of a cut-off body there is left open. With an error the Prescription is
// empty.
//
// A 503 may say in Retry-After how many seconds to wait. Then Find waits that long, or up to a
// second longer, and asks again: three attempts in all. Whether it asks again after a 503 that does
// not say so is left open. After anything else it does not.
func (c *Client) Find(ctx context.Context, number string) (Prescription, error) {
	for attempt := 1; ; attempt++ {
		status, header, body, err := c.send(ctx, http.MethodGet, c.path(number), nil)
		if err != nil {
			return Prescription{}, fmt.Errorf("find %s: %w", number, err)
		}
		if seconds, ok := retryAfter(status, header); ok && attempt < attempts {
			if err := wait(ctx, seconds); err != nil {
				return Prescription{}, fmt.Errorf("find %s: %w", number, err)
			}
			continue
		}
		p, err := read(status, body)
		if err != nil {
			return Prescription{}, fmt.Errorf("find %s: %w", number, err)
		}
		return p, nil
	}
}

// Dispense tells the register with POST {Base}/prescriptions/{number}/dispensings how many packs
// were handed out: {"packs":2}, as application/json.
//
// 201 means that it is written down, 404 is ErrUnknown, and any other status a *StatusError. The
// request is sent once, whatever becomes of it: a second one would take packs from the patient.
func (c *Client) Dispense(ctx context.Context, number string, packs int) error {
	body, err := json.Marshal(map[string]int{"packs": packs})
	if err != nil {
		return fmt.Errorf("dispense %s: %w", number, err)
	}
	status, _, _, err := c.send(ctx, http.MethodPost, c.path(number)+"/dispensings", body)
	if err == nil && status != http.StatusCreated {
		err = refusal(status)
	}
	if err != nil {
		return fmt.Errorf("dispense %s: %w", number, err)
	}
	return nil
}

func (c *Client) path(number string) string {
	return c.Base + "/prescriptions/" + url.PathEscape(number)
}

// send makes one attempt. The body is that of the answer, or its first maxAnswer+1 bytes. A 200 that
// was cut off is ErrAnswer.
func (c *Client) send(ctx context.Context, method, url string, body []byte) (int, http.Header, []byte, error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = usualTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{Transport: c.Transport}
	resp, err := client.Do(req)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // net/http tells its cause, which can be anything
	}
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if ctx.Err() != nil {
		return 0, nil, nil, ctx.Err()
	}
	if err != nil && resp.StatusCode == http.StatusOK {
		return 0, nil, nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return resp.StatusCode, resp.Header, answer, nil
}

// read makes a prescription of an answer to Find.
func read(status int, body []byte) (Prescription, error) {
	var p Prescription
	if status != http.StatusOK {
		return p, refusal(status)
	}
	if len(body) > maxAnswer {
		return p, fmt.Errorf("%w: longer than %d bytes", ErrAnswer, maxAnswer)
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return Prescription{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return p, nil
}

func refusal(status int) error {
	if status == http.StatusNotFound {
		return ErrUnknown
	}
	return &StatusError{status}
}

// retryAfter tells whether an answer asks to come again, and after how many seconds.
func retryAfter(status int, header http.Header) (time.Duration, bool) {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if status != http.StatusServiceUnavailable || err != nil || seconds < 0 {
		return 0, false
	}
	return time.Duration(seconds) * time.Second, true
}

// wait returns when d is over, or ctx, whose error it then returns.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
