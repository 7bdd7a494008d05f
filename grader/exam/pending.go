package exam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Pending is a request that the program works on: one of which the examiner keeps
// back the end, by Begin, or one that was sent whole, by Send.
type Pending struct {
	body  *heldBody     // of Begin
	left  chan struct{} // of Send
	leave sync.Once
	done  chan struct{}
	resp  *Response
	err   error
}

// FreshConnections makes the client open a connection for every request and
// close it with the answer. What it is told of a connection is then never about
// one from before.
func FreshConnections() ClientOption {
	return func(cl *Client) { cl.http.Transport.(*http.Transport).DisableKeepAlives = true }
}

// Begin sends a request without the second half of its body, and returns when a
// handler has begun to read: it asks for 100 Continue, which a server sends at
// that moment. So the request is certainly under way, and stays so until Finish,
// for as long as its Timeout or the check lasts. An error says that it did not
// come so far.
func (cl *Client) Begin(method, path string, body any, opts ...RequestOption) (*Pending, error) {
	r := newRequest(cl.c.session.limits.Request, method, path, body, opts)
	if len(r.body) < 2 {
		r.err = errors.New("a request to begin needs a body of two bytes or more")
	}
	r.header.Set("Expect", "100-continue")
	r.held = &heldBody{began: make(chan struct{}), rest: make(chan struct{}), gone: make(chan struct{}),
		first: bytes.NewReader(r.body[:len(r.body)/2]), second: bytes.NewReader(r.body[len(r.body)/2:])}
	p := &Pending{body: r.held, done: make(chan struct{}), err: errors.New("the examiner could not send the request")}
	go func() {
		defer close(p.done)
		p.resp, p.err = cl.send(r)
	}()
	cl.c.atEnd(p.abandon)
	select {
	case <-r.held.began:
		return p, nil
	case <-p.done:
		if p.err == nil {
			p.err = fmt.Errorf("answered before the body was read: %s", p.resp)
		}
		return nil, p.err
	}
}

// Send sends a whole request and returns without waiting for the answer.
func (cl *Client) Send(method, path string, body any, opts ...RequestOption) *Pending {
	r := newRequest(cl.c.session.limits.Request, method, path, body, opts)
	r.left = make(chan struct{})
	p := &Pending{left: r.left, done: make(chan struct{}), err: errors.New("the examiner could not send the request")}
	go func() {
		defer close(p.done)
		p.resp, p.err = cl.send(r)
	}()
	cl.c.atEnd(p.abandon)
	return p
}

// Leave hangs up, as a client does that does not want the answer any more: the
// connection is closed. It returns when that is done. It is for requests sent by
// Send.
func (p *Pending) Leave() {
	p.leave.Do(func() { close(p.left) })
	<-p.done
}

// hungUp stands in the evidence in place of an answer that nobody waited for.
const hungUp = "hung up"

// hungUp tells whether the client did not wait for the answer.
func (r *request) hungUp() bool {
	select {
	case <-r.left: // never, when there is none
		return true
	default:
		return false
	}
}

// Finish sends the rest of the body, once, and returns the answer.
func (p *Pending) Finish() (*Response, error) {
	if p.body != nil {
		p.body.finish.Do(func() { close(p.body.rest) })
	}
	return p.Answer()
}

// Answer waits for the answer without sending anything more.
func (p *Pending) Answer() (*Response, error) {
	<-p.done
	return p.resp, p.err
}

// Answered tells whether the request is over, with an answer or without.
func (p *Pending) Answered() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *Pending) abandon() {
	if p.body == nil {
		p.Leave()
		return
	}
	close(p.body.gone)
	<-p.done
}

// heldBody is a body in two halves; the second waits to be let go.
type heldBody struct {
	begin, finish sync.Once
	began         chan struct{} // closed at the first Read
	rest          chan struct{} // closed by Finish
	gone          chan struct{} // closed when the check is over
	ctx           context.Context
	first, second *bytes.Reader
}

func (b *heldBody) Read(p []byte) (int, error) {
	b.begin.Do(func() { close(b.began) })
	if b.first.Len() > 0 {
		return b.first.Read(p)
	}
	select {
	case <-b.rest:
		return b.second.Read(p)
	case <-b.gone:
		return 0, context.Canceled
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
}

func (b *heldBody) Close() error { return nil }

var _ io.ReadCloser = (*heldBody)(nil)
