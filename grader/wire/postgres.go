package wire

// Postgres is a proxy for PostgreSQL. Its methods are safe for concurrent use.
type Postgres struct {
	proxy
	trigger pendingCut[Statement]
}

// ListenPostgres starts a proxy. It fails when the address can't be bound; the
// server is only reached for when a program connects.
func ListenPostgres(cfg Config) (*Postgres, error) {
	p := &Postgres{}
	err := p.listen(cfg, func(s *session) { (&postgresSession{session: s, trigger: &p.trigger}).run() })
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

// Heal clears all faults.
func (p *Postgres) Heal() {
	p.trigger.arm(nil, 0)
	p.heal()
}
