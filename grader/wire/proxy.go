package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Config says between what a proxy stands.
type Config struct {
	Upstream string   // host:port of the real server
	Listen   string   // address to bind; "127.0.0.1:0" if empty
	Name     string   // listener's name in the log, e.g. "instance 1"
	Log      *Log     // where statements and commands go; a log of its own if nil
	Barrier  *Barrier // of PostgreSQL, shared by the listeners of a grade; may be nil
}

// maxSessions is how many connections a listener has open at once, those included
// that never say a word. A server allows far fewer.
const maxSessions = 1000

// proxy is what the proxies of all protocols share: they accept connections, keep
// account of them, and do harm to them.
type proxy struct {
	cfg      Config
	converse func(*session) // carries one connection, from its first byte to its end
	listener net.Listener
	ctx      context.Context
	stop     context.CancelFunc
	wg       sync.WaitGroup
	faults   atomic.Pointer[faults]
	bites    bites

	mu       sync.Mutex // over sessions, closed and changes of faults
	sessions map[*session]struct{}
	closed   bool
	changed  chan struct{} // closed when the faults change; nil while nobody waits
}

// listen binds the address and accepts from then on.
func (p *proxy) listen(cfg Config, converse func(*session)) error {
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Log == nil {
		cfg.Log = NewLog()
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("start the recording proxy: %w", err)
	}
	p.cfg, p.converse, p.listener = cfg, converse, listener
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.sessions = map[*session]struct{}{}
	p.wg.Go(p.accept)
	return nil
}

// Addr returns the address that programs connect to, host:port.
func (p *proxy) Addr() string { return p.listener.Addr().String() }

// Sessions returns how many connections of programs are open.
func (p *proxy) Sessions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sessions)
}

// Close stops listening, ends every session and waits until all is gone.
func (p *proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	err := p.listener.Close()
	for _, s := range p.open() {
		s.close()
	}
	p.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of file descriptors, most likely: others must close first.
			p.cfg.Log.note(p.cfg.Name, 0, "a connection could not be accepted: %v", err)
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		switch {
		case p.inForce().refuse:
			p.bites.refused.Add(1)
			reset(conn)
		case p.Sessions() >= maxSessions:
			p.cfg.Log.note(p.cfg.Name, 0, "the program holds %d connections open: another one was refused", maxSessions)
			reset(conn)
		default:
			p.serve(conn)
		}
	}
}

func (p *proxy) serve(conn net.Conn) {
	s := &session{proxy: p, client: conn, done: make(chan struct{})}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		_ = conn.Close()
		return
	}
	p.sessions[s] = struct{}{}
	p.mu.Unlock()
	p.wg.Go(func() {
		p.converse(s)
		s.close()
		p.mu.Lock()
		delete(p.sessions, s)
		p.mu.Unlock()
	})
}

// open returns the sessions open now.
func (p *proxy) open() []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	open := make([]*session, 0, len(p.sessions))
	for s := range p.sessions {
		open = append(open, s)
	}
	return open
}

// reset closes a connection so that its peer sees a reset, not an orderly end.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
