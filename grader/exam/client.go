package exam

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// maxBody is how much of an answer the examiner reads. A larger one is cut and
// fails the check.
const maxBody = 8 << 20

// Client sends requests to one instance of the program under a name that the
// evidence shows. It keeps its connection alive between requests, follows no
// redirect and asks for no compression.
type Client struct {
	c       *C
	name    string
	program *Program
	box     *Container // in place of program
	quiet   bool       // its requests are no evidence
	http    *http.Client
}

// ClientOption adjusts a client.
type ClientOption func(*Client)

// To makes the client talk to the instance with the given index, from 0.
func To(instance int) ClientOption {
	return func(cl *Client) { cl.program = cl.c.session.programs[instance] }
}

// Client makes a client with a name of its own.
func (c *C) Client(name string, opts ...ClientOption) *Client {
	// Without ExpectContinueTimeout the body of a request that asks for 100
	// Continue would be sent at once. The request's own bound applies.
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64, ExpectContinueTimeout: time.Hour}
	cl := &Client{c: c, name: name, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c.session.x.kind.Compiled() { // who sends a request without a program has made a fault in the exam
		cl.program = c.session.programs[0]
	}
	for _, o := range opts {
		o(cl)
	}
	c.atEnd(transport.CloseIdleConnections)
	return cl
}

// request is one request on its way.
type request struct {
	method, path string
	body         []byte
	header       http.Header
	timeout      time.Duration
	unfinished   bool
	held         *heldBody     // nil unless begun by Begin
	left         chan struct{} // nil unless sent by Send; closed when the client hangs up
	err          error
}

// RequestOption adjusts one request.
type RequestOption func(*request)

// Header sets a header of the request. An empty value removes it.
func Header(name, value string) RequestOption {
	return func(r *request) {
		if value == "" {
			r.header[http.CanonicalHeaderKey(name)] = nil
			return
		}
		r.header.Set(name, value)
	}
}

// Timeout bounds one request, body included. Without it the exam's own bound
// applies, and running into that is a verdict of its own.
func Timeout(d time.Duration) RequestOption { return func(r *request) { r.timeout = d } }

// Unfinished sends the body in chunks, without Content-Length, and never sends
// its end: an answer has to come before.
func Unfinished() RequestOption { return func(r *request) { r.unfinished = true } }

// Get sends a GET request.
func (cl *Client) Get(path string, opts ...RequestOption) *Response {
	return cl.Do(http.MethodGet, path, nil, opts...)
}

// Post sends a POST request. The body is sent as it is when it is a string, a
// []byte or an io.Reader, and as JSON otherwise.
func (cl *Client) Post(path string, body any, opts ...RequestOption) *Response {
	return cl.Do(http.MethodPost, path, body, opts...)
}

// Put sends a PUT request, with a body as for Post.
func (cl *Client) Put(path string, body any, opts ...RequestOption) *Response {
	return cl.Do(http.MethodPut, path, body, opts...)
}

// Patch sends a PATCH request, with a body as for Post.
func (cl *Client) Patch(path string, body any, opts ...RequestOption) *Response {
	return cl.Do(http.MethodPatch, path, body, opts...)
}

// Delete sends a DELETE request.
func (cl *Client) Delete(path string, opts ...RequestOption) *Response {
	return cl.Do(http.MethodDelete, path, nil, opts...)
}

// Do sends a request and returns the answer. When none comes, the check fails
// with the reason: the program exited, a handler panicked, the connection was
// refused or closed, or nothing came in time.
func (cl *Client) Do(method, path string, body any, opts ...RequestOption) *Response {
	r := newRequest(cl.c.session.limits.Request, method, path, body, opts)
	resp, err := cl.send(r)
	if err != nil && cl.box != nil {
		cl.box.noAnswer(r, err)
	}
	if err != nil {
		cl.c.noAnswer(cl, r, err)
	}
	return resp
}

// Try is Do for a check that expects trouble: it returns the transport's error
// and fails nothing.
func (cl *Client) Try(method, path string, body any, opts ...RequestOption) (*Response, error) {
	return cl.send(newRequest(cl.c.session.limits.Request, method, path, body, opts))
}

func newRequest(timeout time.Duration, method, path string, body any, opts []RequestOption) *request {
	r := &request{method: method, path: path, header: http.Header{}, timeout: timeout}
	switch b := body.(type) {
	case nil:
	case string:
		r.body = []byte(b)
	case []byte:
		r.body = b
	case io.Reader:
		r.body, r.err = io.ReadAll(b)
	default:
		r.body, r.err = json.Marshal(b)
	}
	if body != nil {
		r.header.Set("Content-Type", "application/json")
	}
	for _, o := range opts {
		o(r)
	}
	return r
}

// did is the request in words: POST /accounts/7/withdraw with {"amount":30}.
func (r *request) did() string {
	s := r.method + " " + safe.Line(r.path)
	if len(r.body) > 0 {
		s += " with " + excerpt(r.body)
	}
	return s
}

// String is the request as the evidence shows it, with the headers that the exam
// has set: POST /messages {"text":"hello"} · X-Customer: acme.
func (r *request) String() string {
	s := r.method + " " + safe.Line(r.path)
	if len(r.body) > 0 {
		s += " " + excerpt(r.body)
	}
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		for _, value := range r.header[name] {
			if name != "Content-Type" || value != "application/json" {
				s += " · " + safe.Line(name) + ": " + excerpt([]byte(value))
			}
		}
	}
	return s
}

func (cl *Client) send(r *request) (*Response, error) {
	c := cl.c
	if r.err != nil {
		c.trouble(fmt.Errorf("check %s: cannot make the body of %s %s: %w", c.spec.id, r.method, r.path, r.err))
	}
	c.mu.Lock()
	c.last = r.did()
	if cl.program != nil {
		c.touched[cl.program] = true
	}
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(c.ctx, r.timeout)
	defer cancel()
	if r.left != nil {
		go func() {
			select {
			case <-r.left:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	began := time.Now()
	resp, err := cl.roundTrip(ctx, r)
	entry := report.Entry{Kind: report.KindHTTP, Actor: cl.actor(), Text: r.String(), Duration: time.Since(began)}
	if err != nil {
		entry.Result, entry.Failed = transportError(err), true
		if r.hungUp() {
			entry.Result, entry.Failed = hungUp, false
		}
	} else {
		resp.Duration = entry.Duration
		entry.Result = resp.String()
		entry.Failed = resp.Status >= 500
	}
	if !cl.quiet {
		c.record(entry, began)
	}
	return resp, err
}

func (cl *Client) roundTrip(ctx context.Context, r *request) (*Response, error) {
	var base string
	if cl.box != nil {
		base = "http://" + cl.box.Addr()
	} else {
		base = cl.program.base()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, base+r.path, bytes.NewReader(r.body))
	if err != nil {
		cl.c.trouble(fmt.Errorf("check %s: %w", cl.c.spec.id, err))
	}
	if len(r.body) == 0 {
		req.Body = http.NoBody
	}
	if r.unfinished {
		req.ContentLength, req.GetBody = -1, nil
		req.Body = io.NopCloser(io.MultiReader(bytes.NewReader(r.body), silence{ctx}))
	}
	if r.held != nil {
		r.held.ctx = ctx
		req.Body, req.ContentLength, req.GetBody = r.held, int64(len(r.body)), nil
	}
	for name, values := range r.header {
		if values != nil {
			req.Header[name] = values
		}
	}
	req.Header.Set("User-Agent", "Mozilla/5.0")
	got, err := cl.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(got.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("the answer is longer than %d MB", maxBody>>20)
	}
	return &Response{c: cl.c, Method: r.method, Path: r.path, did: r.did(),
		Status: got.StatusCode, Header: got.Header, Body: body}, nil
}

// silence is the part of a body that never comes.
type silence struct{ ctx context.Context }

func (s silence) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// actor names the client in the evidence, and the instance when there are
// several.
func (cl *Client) actor() string {
	name := cl.name
	if name != "examiner" {
		name = "client " + name
	}
	return name
}

// transportError says in a few words why no answer came.
func transportError(err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case strings.Contains(text, "connection refused"):
		return "connection refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(text, "connection reset"),
		strings.Contains(text, "broken pipe"), strings.Contains(text, "server closed idle connection"):
		return "the connection was closed without a full answer"
	}
	if i := strings.LastIndex(text, "\": "); i >= 0 {
		text = text[i+3:]
	}
	return safe.Line(text)
}

// excerpt is a body on one line, shortened, safe to show.
func excerpt(body []byte) string {
	const limit = 200
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil {
		body = compact.Bytes()
	}
	if len(body) > limit {
		return fmt.Sprintf("%s… (%d bytes)", safe.Line(strings.ToValidUTF8(string(body[:limit]), "")), len(body))
	}
	return safe.Line(strings.TrimRight(string(body), "\n"))
}
