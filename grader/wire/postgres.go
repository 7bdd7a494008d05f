package wire

import "sync/atomic"

// Postgres is a proxy for PostgreSQL. Its methods are safe for concurrent use.
type Postgres struct {
	proxy
	trigger pendingCut[Statement]
	resting atomic.Pointer[restHook]
}

// restHook is what AtRest was given.
type restHook func(ended <-chan struct{})

// ListenPostgres starts a proxy. It fails when the address can't be bound; the
// server is only reached for when a program connects.
func ListenPostgres(cfg Config) (*Postgres, error) {
	p := &Postgres{}
	err := p.listen(cfg, func(s *session) { (&postgresSession{session: s, trigger: &p.trigger, resting: &p.resting}).run() })
	if err != nil {
		return nil, err
	}
	return p, nil
}

// CutAfter ends the session of the next statement that satisfies match, at the
// point given. match sees the statement as sent, still pending, and must not
// block. One-shot; a later call replaces one that still waits, a nil match
// clears it. With CutBeforeAnswer the server has finished the whole request
// (ReadyForQuery), so that a commit it contained has happened.
func (p *Postgres) CutAfter(match func(Statement) bool, when CutPoint) { p.trigger.arm(match, when) }

// AtRest has hook called with every answer after which a session stands outside of
// a transaction, before the program hears it: what the session has written is
// committed by then, for everybody to see. The answer goes on when hook returns,
// which must be soon after ended is closed: then the session is over. Sessions call
// it side by side. A later call replaces the hook, nil clears it; neither frees who
// is in it.
func (p *Postgres) AtRest(hook func(ended <-chan struct{})) {
	if hook == nil {
		p.resting.Store(nil)
		return
	}
	h := restHook(hook)
	p.resting.Store(&h)
}

// Heal clears all faults, and the hook of AtRest.
func (p *Postgres) Heal() {
	p.trigger.arm(nil, 0)
	p.resting.Store(nil)
	p.heal()
}
