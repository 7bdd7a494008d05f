package exam

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Request is one request of a Volley, with a body as for Post.
type Request struct {
	Method, Path string
	Body         any
}

// Volley sends many requests as close together as it can: each lane is one
// connection, and its requests follow each other without waiting for answers
// (HTTP/1.1 pipelining). They are made before and read afterwards, so that in
// between the program has the machine to itself. It is for what goes wrong only
// when two handlers run at the same instant: ordinary clients spend more time on
// a request than the program does, and a race of some nanoseconds rarely shows.
//
// The answers come in the order of the requests. One that does not come fails
// the check as Do does. The timeline gets one line for the whole volley.
func (c *C) Volley(lanes ...[]Request) [][]*Response {
	sent, all := make([][]*request, len(lanes)), 0
	for i, lane := range lanes {
		for _, r := range lane {
			sent[i] = append(sent[i], newRequest(c.session.limits.Request, r.Method, r.Path, r.Body, nil))
			all++
		}
	}
	c.Note("sent %d requests over %d connections at the same time", all, len(lanes))
	c.mu.Lock()
	c.last = fmt.Sprintf("%d requests over %d connections at the same time", all, len(lanes))
	c.mu.Unlock()

	answers := make([][]*Response, len(lanes))
	c.Burst(len(lanes), func(i int) {
		for len(answers[i]) < len(sent[i]) {
			got, err := c.pipeline(sent[i][len(answers[i]):])
			answers[i] = append(answers[i], got...)
			if err != nil && len(got) == 0 { // a program may close a connection after any answer, not before
				c.noAnswer(c.examiner, sent[i][len(answers[i])], err)
			}
		}
	})
	return answers
}

// pipeline sends the requests over one connection and returns the answers that
// came; the error is nil when all did.
func (c *C) pipeline(requests []*request) ([]*Response, error) {
	base := c.session.programs[0].base()
	var out bytes.Buffer
	for _, r := range requests {
		req, err := http.NewRequest(r.method, base+r.path, bytes.NewReader(r.body))
		if err != nil || r.err != nil {
			c.trouble(fmt.Errorf("check %s: cannot make %s %s: %w", c.spec.id, r.method, r.path, err))
		}
		req.Header = r.header
		req.Header.Set("User-Agent", "Mozilla/5.0")
		_ = req.Write(&out) // into memory
	}
	var d net.Dialer
	conn, err := d.DialContext(c.ctx, "tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = conn.Write(out.Bytes()) }() // a program that does not answer stops reading in the end
	return c.readAnswers(conn, requests)
}

// readAnswers gives each answer as long as a request of its own would have.
func (c *C) readAnswers(conn net.Conn, requests []*request) (answers []*Response, err error) {
	in, began := bufio.NewReader(conn), time.Now()
	for _, r := range requests {
		end := time.Now().Add(r.timeout)
		if check, ok := c.ctx.Deadline(); ok && check.Before(end) {
			end = check
		}
		_ = conn.SetReadDeadline(end)
		got, err := http.ReadResponse(in, &http.Request{Method: r.method})
		if err != nil {
			return answers, deadlineError(err)
		}
		body, err := io.ReadAll(io.LimitReader(got.Body, maxBody))
		if err != nil {
			return answers, deadlineError(err)
		}
		answers = append(answers, &Response{c: c, Method: r.method, Path: r.path, did: r.did(),
			Status: got.StatusCode, Header: got.Header, Body: body, Duration: time.Since(began)})
	}
	return answers, nil
}

// deadlineError makes a connection's deadline look like the context's.
func deadlineError(err error) error {
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return err
}
