package wire

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const pieceSize = 32 << 10

var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// session is one connection of the program and its counterpart at the server, of
// whatever protocol.
type session struct {
	proxy  *proxy
	client net.Conn
	done   chan struct{} // closed when the session ends
	once   sync.Once
	gap    atomic.Bool // a black hole took some of its bytes

	mu     sync.Mutex
	server net.Conn // nil until the program has begun
}

// dial connects to the server.
func (s *session) dial() (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	return d.DialContext(s.proxy.ctx, "tcp", s.proxy.cfg.Upstream)
}

// connect reaches the server and begins there.
func (s *session) connect(packet []byte) error {
	server, err := s.dial()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	select {
	case <-s.done: // closed before there was a server to close
		_ = server.Close()
		return net.ErrClosed
	default:
	}
	_, err = server.Write(packet)
	return err
}

// carry forwards both directions until one ends. Each is given in pieces of any
// size to a function that passes them on and returns false to end the session.
func (s *session) carry(request, answer func(piece []byte) bool) {
	var wg sync.WaitGroup
	wg.Go(func() {
		defer s.close()
		readPieces(s.client, request)
	})
	readPieces(s.server, answer)
	s.close()
	wg.Wait()
}

func readPieces(from net.Conn, forward func(piece []byte) bool) {
	piece := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(piece)
	for {
		n, err := from.Read(piece[:])
		if n > 0 && !forward(piece[:n]) || err != nil {
			return
		}
	}
}

// admit does to a piece of requests what the faults in force ask for. It reports
// whether the piece is to be sent, and whether the session goes on; starts says
// that a request begins with the piece.
func (s *session) admit(starts bool) (send, alive bool) {
	if s.proxy.faults.Load() == nil {
		return true, true
	}
	if starts && !s.hold() {
		return false, false
	}
	if s.proxy.inForce().blackHole {
		s.swallow()
		return false, true
	}
	return true, true
}

// cutAfter ends the session by a CutAfter before the program hears any more.
func (s *session) cutAfter() {
	s.proxy.bites.cutAfter.Add(1)
	s.reset()
}

// hand passes a piece of answers on as the recorder says. It returns false when
// the session ends.
func (s *session) hand(piece []byte, a answer) bool {
	switch {
	case a.withhold && a.cut != 0:
		s.cutAfter()
		return false
	case a.withhold:
		return true
	}
	if !s.deliver(piece) {
		return false
	}
	if a.cut == CutAfterAnswer {
		s.proxy.bites.cutAfter.Add(1)
		return false
	}
	return true
}

// deliver writes to the program as the faults in force allow.
func (s *session) deliver(piece []byte) bool {
	slowed := false
	for len(piece) > 0 {
		f := s.proxy.inForce()
		if f.blackHole {
			s.swallow()
			return true
		}
		n := len(piece)
		if f.slow > 0 {
			if !slowed {
				slowed = true
				s.proxy.bites.slowed.Add(1)
			}
			// Twenty drops a second, or one byte at a time where that is more.
			n = min(n, max(1, f.slow/20))
			if !s.sleep(time.Duration(n) * time.Second / time.Duration(f.slow)) {
				return false
			}
		}
		if _, err := s.client.Write(piece[:n]); err != nil {
			return false
		}
		piece = piece[n:]
	}
	return true
}

// hold waits out a delay, or until it is changed for one that is over. It returns
// false when the session ends meanwhile.
func (s *session) hold() bool {
	start := time.Now()
	for bitten := false; ; bitten = true {
		f, changed := s.proxy.watchFaults()
		left := f.delay - time.Since(start)
		if f.delay == 0 || left <= 0 {
			return true
		}
		if !bitten {
			s.proxy.bites.delayed.Add(1)
		}
		t := time.NewTimer(left)
		select {
		case <-t.C:
		case <-changed:
		case <-s.done:
			t.Stop()
			return false
		}
		t.Stop()
	}
}

func (s *session) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.done:
		return false
	}
}

// swallow notes that bytes of this session are lost. Where the black hole closed
// at the same moment nobody else would end the session, so it is done here.
func (s *session) swallow() {
	s.proxy.bites.swallowed.Add(1)
	s.gap.Store(true)
	if !s.proxy.inForce().blackHole {
		s.reset()
	}
}

// close ends the session in an orderly way. Safe to call more than once.
func (s *session) close() bool { return s.end(func(c net.Conn) { _ = c.Close() }) }

// reset ends the session so that the program sees a reset. It reports whether
// the session was still open.
func (s *session) reset() bool { return s.end(reset) }

func (s *session) end(finish func(net.Conn)) (first bool) {
	s.once.Do(func() {
		first = true
		close(s.done)
		finish(s.client)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.server != nil {
			_ = s.server.Close()
		}
	})
	return first
}
