package wire

import "time"

// Redis is a proxy for Redis that speaks RESP2 and RESP3. Its methods are safe for
// concurrent use. What a subscription or MONITOR brings passes through and is not
// recorded.
type Redis struct {
	proxy
	trigger pendingCut[Command]
}

// ListenRedis starts a proxy. It fails when the address can't be bound; the server
// is only reached for when a program connects. The barrier of the configuration is
// of no use here.
func ListenRedis(cfg Config) (*Redis, error) {
	p := &Redis{}
	err := p.listen(cfg, func(s *session) { (&redisSession{session: s, trigger: &p.trigger}).run() })
	if err != nil {
		return nil, err
	}
	return p, nil
}

// CutAfter ends the session of the next command that satisfies match, at the point
// given. match sees the command as sent, still pending, and must not block.
// One-shot; a later call replaces one that still waits, a nil match clears it. A
// command queued in a transaction is answered by EXEC; commands sent in the same
// piece are cut with it.
func (p *Redis) CutAfter(match func(Command) bool, when CutPoint) { p.trigger.arm(match, when) }

// Heal clears all faults.
func (p *Redis) Heal() {
	p.trigger.arm(nil, 0)
	p.heal()
}

// redisSession is a session that speaks RESP.
type redisSession struct {
	*session
	trigger  *pendingCut[Command]
	recorder *redisRecorder
}

// run carries the session from its beginning to its end.
func (s *redisSession) run() {
	cfg := s.proxy.cfg
	if err := s.connect(nil); err != nil {
		cfg.Log.note(cfg.Name, 0, "a connection did not reach the server: %v", err)
		return
	}
	s.recorder = newRedisRecorder(cfg.Log, cfg.Name, cfg.Log.session())
	s.recorder.trigger = s.trigger
	s.carry(s.forwardRequest, s.forwardAnswer)
	s.recorder.end(time.Now())
}

// forwardRequest sends a piece upstream. It returns false when the session ends.
func (s *redisSession) forwardRequest(piece []byte) bool {
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
	_, err := s.server.Write(piece)
	return err == nil
}

// forwardAnswer sends a piece to the program. It returns false when the session
// ends.
func (s *redisSession) forwardAnswer(piece []byte) bool {
	return s.hand(piece, s.recorder.answers(piece, time.Now()))
}
