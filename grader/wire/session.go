package wire

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const pieceSize = 32 << 10

var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// session is one connection of the program and its counterpart at the server.
type session struct {
	proxy  *Postgres
	client net.Conn
	done   chan struct{} // closed when the session ends
	once   sync.Once
	gap    atomic.Bool // a black hole took some of its bytes

	mu     sync.Mutex
	server net.Conn // nil until the program has begun

	recorder *recorder
	party    *party // nil without a barrier
}

// run carries the session from its first byte to its end.
func (s *session) run() {
	defer s.close()
	packet, code, err := s.start()
	if err != nil {
		var network net.Error
		if !errors.Is(err, io.EOF) && !errors.Is(err, errSwallowed) && !errors.As(err, &network) {
			s.proxy.cfg.Log.note(s.proxy.cfg.Name, 0, "%v", err)
		}
		return
	}
	if code == cancelRequest {
		if err := s.cancel(packet); err != nil {
			s.proxy.cfg.Log.note(s.proxy.cfg.Name, 0, "a cancel request did not reach the server: %v", err)
		}
		return
	}
	if !s.hold() {
		return
	}
	if err := s.connect(packet); err != nil {
		s.proxy.cfg.Log.note(s.proxy.cfg.Name, 0, "a connection did not reach the server: %v", err)
		return
	}
	s.converse()
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

// converse forwards both directions until one ends.
func (s *session) converse() {
	cfg := s.proxy.cfg
	s.recorder = newRecorder(cfg.Log, cfg.Name, cfg.Log.session())
	s.recorder.trigger = &s.proxy.trigger
	if cfg.Barrier != nil {
		s.party = &party{}
		s.recorder.barrier, s.recorder.party = cfg.Barrier, s.party
		cfg.Barrier.join(s.party)
		defer cfg.Barrier.leave(s.party)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer s.close()
		s.forwardRequests()
	})
	s.forwardAnswers()
	s.close()
	wg.Wait()
	s.recorder.end(time.Now())
}

func (s *session) forwardRequests() {
	piece := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(piece)
	for {
		n, err := s.client.Read(piece[:])
		if n > 0 && !s.forwardRequest(piece[:n]) {
			return
		}
		if err != nil {
			return
		}
	}
}

// forwardRequest sends a piece upstream. It returns false when the session ends.
func (s *session) forwardRequest(piece []byte) bool {
	now := time.Now()
	req := s.recorder.requests(piece, now)
	switch {
	case req.flood:
		return false
	case req.cut:
		s.proxy.bites.cutAfter.Add(1)
		s.reset()
		return false
	}
	if s.proxy.faults.Load() != nil {
		if req.starts && !s.hold() {
			return false
		}
		if s.proxy.inForce().blackHole {
			s.swallow()
			return true
		}
	}
	if s.party != nil {
		s.proxy.cfg.Barrier.asked(s.party, req.mayWait, time.Now())
	}
	_, err := s.server.Write(piece)
	return err == nil
}

func (s *session) forwardAnswers() {
	piece := pieces.Get().(*[pieceSize]byte)
	defer pieces.Put(piece)
	for {
		n, err := s.server.Read(piece[:])
		if n > 0 && !s.forwardAnswer(piece[:n]) {
			return
		}
		if err != nil {
			return
		}
	}
}

// forwardAnswer sends a piece to the program. It returns false when the session
// ends.
func (s *session) forwardAnswer(piece []byte) bool {
	a := s.recorder.answers(piece, time.Now())
	if a.read && s.party != nil {
		s.proxy.cfg.Barrier.hold(s.party, s.done)
	}
	switch {
	case a.withhold && a.cut != 0:
		s.proxy.bites.cutAfter.Add(1)
		s.reset()
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
