package wire

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// postgresSession is a session that speaks PostgreSQL's protocol.
type postgresSession struct {
	*session
	trigger  *pendingCut[Statement]
	resting  *atomic.Pointer[restHook]
	recorder *recorder
	party    *party // nil without a barrier
}

// run carries the session from its first byte to its end.
func (s *postgresSession) run() {
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
	if barrier := s.proxy.cfg.Barrier; barrier != nil {
		s.party = &party{}
		barrier.join(s.party)
		defer barrier.leave(s.party)
	}
	if err := s.connect(packet); err != nil {
		s.proxy.cfg.Log.note(s.proxy.cfg.Name, 0, "a connection did not reach the server: %v", err)
		return
	}
	s.converse()
}

// converse forwards both directions until one ends.
func (s *postgresSession) converse() {
	cfg := s.proxy.cfg
	s.recorder = newRecorder(cfg.Log, cfg.Name, cfg.Log.session())
	s.recorder.trigger = s.trigger
	if s.party != nil {
		s.recorder.barrier, s.recorder.party = cfg.Barrier, s.party
	}
	s.carry(s.forwardRequest, s.forwardAnswer)
	s.recorder.end(time.Now())
}

// forwardRequest sends a piece upstream. It returns false when the session ends.
func (s *postgresSession) forwardRequest(piece []byte) bool {
	req := s.recorder.requests(piece, time.Now())
	switch {
	case req.flood:
		return false
	case req.cut:
		s.cutAfter()
		return false
	}
	if send, alive := s.admit(req.starts); !send {
		return alive
	}
	if s.party != nil {
		s.proxy.cfg.Barrier.asked(s.party, req.mayWait, time.Now())
	}
	_, err := s.server.Write(piece)
	return err == nil
}

// forwardAnswer sends a piece to the program. It returns false when the session
// ends.
func (s *postgresSession) forwardAnswer(piece []byte) bool {
	a := s.recorder.answers(piece, time.Now())
	if a.read && s.party != nil {
		s.proxy.cfg.Barrier.hold(s.party, s.done)
	}
	if hook := s.resting.Load(); a.rest && hook != nil {
		(*hook)(s.done)
	}
	return s.hand(piece, a)
}
